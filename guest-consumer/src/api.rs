//! Which request means what. In come a method and a path; out goes a [`Route`], or the problem to
//! answer. It never looks at a body or a header.

use crate::problem::Problem;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `POST /target?handshake=true`: take a key.
    Handshake,
    /// `POST /target`: take a payload.
    Payload,
}

/// The route of `method` and of `target`, a path with or without a query.
///
/// # Errors
/// Nothing has this path, or what has it does not take this method.
pub fn route(method: &str, target: &str) -> Result<Route, Problem> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (path, method) {
        ("/target", "POST") if query.split('&').any(|pair| pair == "handshake=true") => {
            Ok(Route::Handshake)
        }
        ("/target", "POST") => Ok(Route::Payload),
        ("/target", _) => Err(Problem::method_not_allowed("POST")),
        _ => Err(Problem::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_marked_in_the_query() {
        assert_eq!(
            route("POST", "/target?handshake=true"),
            Ok(Route::Handshake)
        );
        assert_eq!(
            route("POST", "/target?a=b&handshake=true"),
            Ok(Route::Handshake)
        );
        for target in [
            "/target",
            "/target?",
            "/target?handshake=false",
            "/target?xhandshake=true",
        ] {
            assert_eq!(route("POST", target), Ok(Route::Payload), "{target}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(route("GET", "/target").unwrap_err().status(), 405);
        for target in ["/", "", "/target/", "/other", "/other?handshake=true"] {
            assert_eq!(route("POST", target).unwrap_err().status(), 404, "{target}");
        }
    }
}
