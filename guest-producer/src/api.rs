//! Which request means what. In come a method and a path; out goes a [`Route`], or the problem to
//! answer. It never looks at a body or a header.

use crate::draw;
use crate::problem::Problem;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /registrations`
    Register,
    /// `GET /registrations`
    List,
    /// `DELETE /registrations`
    Clear,
    /// `GET /registrations/{id}`
    Show(String),
    /// `DELETE /registrations/{id}`
    Remove(String),
    /// `POST /fire`
    Fire,
}

/// The route of `method` and of `target`, a path with or without a query.
///
/// # Errors
/// Nothing has this path, or what has it does not take this method.
pub fn route(method: &str, target: &str) -> Result<Route, Problem> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    match path {
        "/registrations" => match method {
            "POST" => Ok(Route::Register),
            "GET" => Ok(Route::List),
            "DELETE" => Ok(Route::Clear),
            _ => Err(Problem::method_not_allowed("GET, POST, DELETE")),
        },
        "/fire" => match method {
            "POST" => Ok(Route::Fire),
            _ => Err(Problem::method_not_allowed("POST")),
        },
        _ => match path.strip_prefix("/registrations/") {
            Some(id) if draw::is_id(id) => match method {
                "GET" => Ok(Route::Show(id.to_string())),
                "DELETE" => Ok(Route::Remove(id.to_string())),
                _ => Err(Problem::method_not_allowed("GET, DELETE")),
            },
            _ => Err(Problem::not_found()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdefghijklmnop";

    #[test]
    fn every_route_has_its_method_and_path() {
        let one = format!("/registrations/{ID}");
        assert_eq!(route("POST", "/registrations"), Ok(Route::Register));
        assert_eq!(route("GET", "/registrations?x=y"), Ok(Route::List));
        assert_eq!(route("DELETE", "/registrations"), Ok(Route::Clear));
        assert_eq!(route("GET", &one), Ok(Route::Show(ID.into())));
        assert_eq!(route("DELETE", &one), Ok(Route::Remove(ID.into())));
        assert_eq!(route("POST", "/fire"), Ok(Route::Fire));
    }

    #[test]
    fn a_known_path_refuses_other_methods() {
        let one = format!("/registrations/{ID}");
        for (method, path) in [("PUT", "/registrations"), ("GET", "/fire"), ("POST", &one)] {
            assert_eq!(route(method, path).unwrap_err().status(), 405);
        }
    }

    #[test]
    fn an_unknown_path_is_not_found() {
        for path in [
            "/",
            "",
            "/fire/",
            "/Fire",
            "/registrations/",
            "/registrations/x",
            "//fire",
        ] {
            assert_eq!(route("POST", path).unwrap_err().status(), 404);
        }
    }
}
