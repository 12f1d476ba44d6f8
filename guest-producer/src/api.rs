//! Which request means what. In come a method and a path; out goes a [`Route`], or the problem to
//! answer. It never looks at a body or a header.

use crate::draw;
use crate::endpoints::ENDPOINTS;
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
    /// `POST /registrations/{id}/rotate`
    Rotate(String),
    /// `POST /registrations/reseal`
    Reseal,
    /// `POST /fire`
    Fire,
    /// `GET /openapi.json`
    Document,
    /// What takes a queue.
    Queued(Queued),
}

/// What a request asks for that takes a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queued {
    /// `POST /events`
    Accept,
    /// `GET /events/{id}`
    Event(String),
    /// `POST /events/{id}/resend`
    Resend(String),
    /// `GET /registrations/{id}/attempts`
    Attempts(String),
    /// `POST /registrations/{id}/recover`
    Recover(String),
    /// `POST /registrations/{id}/test`
    Test(String),
    /// `POST /registrations/{id}/enable`
    Enable(String),
}

/// The route of `method` and of `target`, a path with or without a query.
///
/// # Errors
/// Nothing has this path, or what has it does not take this method.
pub fn route(method: &str, target: &str) -> Result<Route, Problem> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let mut allowed = Vec::new();
    for endpoint in ENDPOINTS {
        let Some(id) = id_in(endpoint.path, path) else {
            continue;
        };
        if endpoint.method == method {
            return Ok((endpoint.of)(id.to_string()));
        }
        allowed.push(endpoint.method);
    }
    if allowed.is_empty() {
        return Err(Problem::not_found());
    }
    Err(Problem::method_not_allowed(&allowed.join(", ")))
}

/// The id in a path that fits the template; the empty text if there is none in it.
fn id_in<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let mut id = "";
    let (mut wanted, mut parts) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return Some(id),
            (Some("{event}"), Some(part)) if is_event(part) => id = part,
            (Some("{registration}"), Some(part)) if draw::is_id(part) => id = part,
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return None,
        }
    }
}

/// Whether `text` could be the id of an event: the name of a batch in the queue.
#[must_use]
pub fn is_event(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.len() == 32 && text.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdefghijklmnop";
    const EVENT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn every_route_has_its_method_and_path() {
        let one = format!("/registrations/{ID}");
        assert_eq!(route("POST", "/registrations"), Ok(Route::Register));
        assert_eq!(route("GET", "/registrations?x=y"), Ok(Route::List));
        assert_eq!(route("DELETE", "/registrations"), Ok(Route::Clear));
        assert_eq!(route("GET", &one), Ok(Route::Show(ID.into())));
        assert_eq!(route("DELETE", &one), Ok(Route::Remove(ID.into())));
        assert_eq!(route("POST", "/fire"), Ok(Route::Fire));
        assert_eq!(route("GET", "/openapi.json"), Ok(Route::Document));
        let rotate = route("POST", &format!("{one}/rotate"));
        assert_eq!(rotate, Ok(Route::Rotate(ID.into())));
        assert_eq!(route("POST", "/registrations/reseal"), Ok(Route::Reseal));
        let queued = |method, path: &str| match route(method, path) {
            Ok(Route::Queued(queued)) => queued,
            other => panic!("{other:?}"),
        };
        let event = format!("/events/{EVENT}");
        assert_eq!(queued("POST", "/events"), Queued::Accept);
        assert_eq!(queued("GET", &event), Queued::Event(EVENT.into()));
        let again = queued("POST", &format!("{event}/resend?registration=x"));
        assert_eq!(again, Queued::Resend(EVENT.into()));
        let attempts = queued("GET", &format!("{one}/attempts"));
        assert_eq!(attempts, Queued::Attempts(ID.into()));
        let recover = queued("POST", &format!("{one}/recover?since=x"));
        assert_eq!(recover, Queued::Recover(ID.into()));
        assert_eq!(
            queued("POST", &format!("{one}/test")),
            Queued::Test(ID.into())
        );
        let enable = queued("POST", &format!("{one}/enable"));
        assert_eq!(enable, Queued::Enable(ID.into()));
    }

    #[test]
    fn a_known_path_refuses_other_methods() {
        let one = format!("/registrations/{ID}");
        let attempts = format!("{one}/attempts");
        for (method, path) in [
            ("PUT", "/registrations"),
            ("GET", "/fire"),
            ("GET", "/events"),
            ("POST", &one),
            ("POST", &attempts),
        ] {
            assert_eq!(route(method, path).unwrap_err().status(), 405);
        }
        let allowed = route("PUT", "/registrations").unwrap_err();
        assert!(allowed.detail().ends_with("POST, GET, DELETE"));
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
            "/events/",
            "/events/x",
            "/events/0123456789ABCDEF0123456789ABCDEF",
            "/events/0123456789abcdef0123456789abcdef/",
            "/registrations/0123456789abcdefghijklmnop/x",
        ] {
            assert_eq!(route("POST", path).unwrap_err().status(), 404);
        }
    }
}
