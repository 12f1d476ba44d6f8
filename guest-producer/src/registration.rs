//! What is asked for by `POST /registrations`, and what is said of a registration. In comes a body;
//! out goes a [`Request`] that is valid throughout, or the problem that lists every mistake. It
//! never says a key but in [`Created`].

use serde::Serialize;
use serde_json::{Map, Value};

use crate::custom::Custom;
use crate::filter::Filter;
use crate::problem::Problem;
use crate::target::Target;

/// The longest enrolment token, in characters.
const TOKEN_LIMIT: usize = 256;

/// The most attempts that a schedule can have.
const ATTEMPT_LIMIT: usize = 64;

/// The longest delay before an attempt, in seconds: a week.
const DELAY_LIMIT: u64 = 7 * 24 * 3600;

/// A wish to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The consumer.
    pub target: Target,
    /// The filter, as it was written.
    pub event: String,
    /// The delays before each attempt, in seconds; none for the queue's own.
    pub schedule: Vec<u64>,
    /// What is added to each delivery.
    pub headers: Custom,
    /// The consumer's enrolment token, if the request brought one.
    pub token: Option<String>,
}

/// A registration as anyone may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// Its id.
    pub id: String,
    /// The consumer's URL.
    pub url: String,
    /// The filter.
    pub event: String,
    /// The delays before each attempt, in seconds; none for the queue's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<u64>,
    /// The names of the headers that it adds to each delivery.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Since when and why nothing is delivered to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
}

/// Why a registration gets nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disabled {
    /// Since when, in RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// Who has a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The registration's id.
    pub id: String,
    /// Whether its handshake succeeded.
    pub active: bool,
}

/// A registration as its creator sees it, once.
#[derive(Serialize)]
pub struct Created<'a> {
    /// What anyone may see.
    #[serde(flatten)]
    pub registration: &'a Registration,
    /// The key.
    #[serde(rename = "signingKey")]
    pub signing_key: &'a str,
}

/// Reads and checks the body of a request.
///
/// # Errors
/// The problem that lists every mistake.
pub fn parse(body: &[u8]) -> Result<Request, Problem> {
    let members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(vec![format!("body is not a JSON object: {error}")]))?;
    let mut mistakes = Vec::new();
    let known = ["url", "event", "schedule", "headers", "token"];
    for name in members
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
    {
        mistakes.push(format!(
            "{name:?} is not known: url, event, schedule, headers and token are"
        ));
    }
    let target = take(
        &mut mistakes,
        text(&members, "url").and_then(|url| {
            let url = url.ok_or("url is missing")?;
            Ok(Target::parse(url)?)
        }),
    );
    let event = take(
        &mut mistakes,
        text(&members, "event").and_then(|event| {
            let event = event.unwrap_or("*");
            Filter::parse(event).map(|_| event.to_string())
        }),
    );
    let schedule = take(&mut mistakes, schedule(members.get("schedule")));
    let headers = Custom::parse(members.get("headers"));
    let headers = headers.map_err(|wrong| mistakes.extend(wrong)).ok();
    let token = take(
        &mut mistakes,
        text(&members, "token").and_then(|token| match token {
            Some(token) if !is_token(token) => Err(format!(
                "token is not 1 to {TOKEN_LIMIT} visible ASCII characters"
            )),
            token => Ok(token.map(str::to_string)),
        }),
    );
    match (target, event, schedule, headers, token) {
        (Some(target), Some(event), Some(schedule), Some(headers), Some(token))
            if mistakes.is_empty() =>
        {
            Ok(Request {
                target,
                event,
                schedule,
                headers,
                token,
            })
        }
        _ => Err(Problem::invalid(mistakes)),
    }
}

fn schedule(value: Option<&Value>) -> Result<Vec<u64>, String> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let delays = value.as_array().and_then(|delays| {
        let delay = |delay: &Value| delay.as_u64().filter(|delay| *delay <= DELAY_LIMIT);
        delays.iter().map(delay).collect::<Option<Vec<u64>>>()
    });
    delays
        .filter(|delays| (1..=ATTEMPT_LIMIT).contains(&delays.len()))
        .ok_or_else(|| {
            format!(
                "schedule is not a list of 1 to {ATTEMPT_LIMIT} delays, each of 0 to {DELAY_LIMIT} \
                 whole seconds"
            )
        })
}

/// Whether `text` can be an enrolment token: it travels as the value of a header.
#[must_use]
pub fn is_token(text: &str) -> bool {
    (1..=TOKEN_LIMIT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The token to present to the consumer: the request's own or, where the operator says that the
/// origin is his, the operator's. So his token never travels to anybody else's origin.
///
/// # Errors
/// The operator's token cannot travel as a header.
pub fn token_for<'a>(
    request: &'a Request,
    own: &'a str,
    origins: &str,
) -> Result<Option<&'a str>, Problem> {
    match &request.token {
        Some(token) => Ok(Some(token)),
        None => own_token(&request.target, own, origins),
    }
}

/// The operator's token, where he says that the origin is his.
///
/// # Errors
/// It cannot travel as a header.
pub fn own_token<'a>(
    target: &Target,
    own: &'a str,
    origins: &str,
) -> Result<Option<&'a str>, Problem> {
    if own.is_empty() || !target.origin_is_in(origins) {
        return Ok(None);
    }
    if is_token(own) {
        return Ok(Some(own));
    }
    Err(Problem::internal(format!(
        "variable enrolment_token is not 1 to {TOKEN_LIMIT} visible ASCII characters"
    )))
}

/// The problem of a URL that somebody has, or had a moment ago.
#[must_use]
pub fn taken(holder: Option<Holder>) -> Problem {
    match holder {
        Some(Holder { id, active: true }) => {
            let detail = format!("the url is registered: DELETE /registrations/{id} first");
            Problem::new(409, "already-registered", "already registered", detail).with("id", id)
        }
        _ => {
            let detail = "another request is registering the url: try again in a minute";
            Problem::new(
                409,
                "registration-in-progress",
                "registration in progress",
                detail,
            )
        }
    }
}

/// The problem of a registration that was removed while its handshake went on.
#[must_use]
pub fn removed() -> Problem {
    let detail = "the registration was removed while its handshake went on: register again";
    Problem::new(409, "registration-removed", "registration removed", detail)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} is not a string")),
    }
}

fn take<T>(mistakes: &mut Vec<String>, result: Result<T, String>) -> Option<T> {
    result.map_err(|mistake| mistakes.push(mistake)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> Request {
        parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn the_filter_is_everything_unless_it_is_said() {
        let request = request(r#"{"url":"http://localhost:3002/target"}"#);
        assert_eq!(request.event, "*");
        assert_eq!(request.token, None);
    }

    #[test]
    fn every_mistake_is_listed() {
        let body = br#"{"url":"nowhere","event":"a b","schedule":0,"headers":{"host":"a","te":"b"},"token":7,"x":1}"#;
        let problem = serde_json::to_value(parse(body).unwrap_err()).unwrap();
        assert_eq!(problem["errors"].as_array().unwrap().len(), 7);
    }

    #[test]
    fn a_schedule_is_a_list_of_whole_seconds() {
        let with = |schedule: &str| {
            let body = format!(r#"{{"url":"http://h/","schedule":{schedule}}}"#);
            parse(body.as_bytes()).map(|request| request.schedule)
        };
        assert_eq!(with("[0, 5, 604800]"), Ok(vec![0, 5, 604_800]));
        let long = format!("[{}0]", "0,".repeat(ATTEMPT_LIMIT));
        for wrong in [
            "[]", "[1.5]", "[-1]", "[604801]", "[\"1\"]", "{}", "null", &long,
        ] {
            assert_eq!(with(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for body in ["", "[]", "7", "null", "{", "{\"event\":\"*\"}"] {
            assert_eq!(parse(body.as_bytes()).unwrap_err().status(), 400, "{body}");
        }
    }

    #[test]
    fn a_token_fits_in_a_header() {
        let body =
            |token: &str| serde_json::json!({"url": "http://h/", "token": token}).to_string();
        assert!(parse(body("s3cret").as_bytes()).is_ok());
        for token in ["", "a b", "a\r\nb", "\u{e9}", &"a".repeat(TOKEN_LIMIT + 1)] {
            assert!(parse(body(token).as_bytes()).is_err());
        }
    }

    #[test]
    fn the_operators_token_goes_to_his_origins_only() {
        let origins = "http://localhost:3002 http://127.0.0.1:3002";
        let his = request(r#"{"url":"http://localhost:3002/target"}"#);
        let other = request(r#"{"url":"http://example.org/target"}"#);
        let brought = request(r#"{"url":"http://example.org/target","token":"t"}"#);
        assert_eq!(token_for(&his, "own", origins), Ok(Some("own")));
        assert_eq!(token_for(&his, "", origins), Ok(None));
        assert_eq!(token_for(&other, "own", origins), Ok(None));
        assert_eq!(token_for(&brought, "own", origins), Ok(Some("t")));
        assert_eq!(token_for(&his, "a\nb", origins).unwrap_err().status(), 500);
    }

    #[test]
    fn a_taken_url_names_its_holder_once_it_is_active() {
        let holder = |active| {
            Some(Holder {
                id: "i".into(),
                active,
            })
        };
        let problem = serde_json::to_value(taken(holder(true))).unwrap();
        assert_eq!(
            (&problem["title"], &problem["id"]),
            (&"already registered".into(), &"i".into())
        );
        for holder in [holder(false), None] {
            let problem = serde_json::to_value(taken(holder)).unwrap();
            assert_eq!(problem["status"], 409);
            assert_eq!(problem["title"], "registration in progress");
        }
    }

    #[test]
    fn a_registration_is_shown_without_its_key() {
        let registration = Registration {
            id: "i".into(),
            url: "u".into(),
            event: "*".into(),
            schedule: Vec::new(),
            headers: Vec::new(),
            disabled: None,
        };
        let shown = serde_json::to_string(&registration).unwrap();
        assert_eq!(shown, r#"{"id":"i","url":"u","event":"*"}"#);
        let created = Created {
            registration: &registration,
            signing_key: "k",
        };
        let created = serde_json::to_string(&created).unwrap();
        assert_eq!(
            created,
            r#"{"id":"i","url":"u","event":"*","signingKey":"k"}"#
        );
    }
}
