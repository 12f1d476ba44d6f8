//! The headers that a registration adds to what its consumer is sent. In comes what was asked for, or what was kept of
//! it; out go names and values that a request can carry. It never lets one through that is the producer's own or the
//! connection's, and never prints a value: it may be a secret.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

/// The most headers that a registration can add.
pub const COUNT_LIMIT: usize = 16;

/// The most that their names and values take together, in bytes.
const SIZE_LIMIT: usize = 8 * 1024;

/// What the producer sets itself, or says by leaving it out, and what belongs to the connection (RFC 9110, 7.6.1) or
/// to the message's framing.
const RESERVED: [&str; 16] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-enrolment-token",
    "x-signature",
];

/// Likewise all that begin so.
const RESERVED_PREFIXES: [&str; 2] = ["proxy-", "webhook-"];

/// The headers, by their names in lower case.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Custom(BTreeMap<String, String>);

impl fmt::Debug for Custom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Custom {
    /// Reads and checks the member `headers` of a request; without it there are none.
    ///
    /// # Errors
    /// Every mistake, each with the name of the header that it is about.
    pub fn parse(value: Option<&Value>) -> Result<Self, Vec<String>> {
        let Some(value) = value else {
            return Ok(Self::default());
        };
        let shape = || vec!["headers is not an object of names and values".to_string()];
        let members = value.as_object().ok_or_else(shape)?;
        let (mut headers, mut mistakes) = (BTreeMap::new(), Vec::new());
        for (name, value) in members {
            match header(name, value) {
                Ok((lower, value)) => {
                    if headers.insert(lower, value).is_some() {
                        mistakes.push(format!(
                            "header {name:?} is there twice: case does not count"
                        ));
                    }
                }
                Err(why) => mistakes.push(format!("header {name:?} {why}")),
            }
        }
        let size = |(name, value): (&String, &String)| name.len() + value.len();
        if members.len() > COUNT_LIMIT || headers.iter().map(size).sum::<usize>() > SIZE_LIMIT {
            mistakes.push(format!(
                "headers has more than {COUNT_LIMIT} members, or more than {SIZE_LIMIT} bytes in all"
            ));
        }
        mistakes.is_empty().then_some(Self(headers)).ok_or(mistakes)
    }

    /// What is kept of them, to be sealed; the empty text if there are none.
    #[must_use]
    pub fn kept(&self) -> String {
        match self.0.is_empty() {
            true => String::new(),
            // Texts always serialize.
            false => serde_json::to_string(&self.0).unwrap_or_default(),
        }
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// It was changed.
    pub fn from_kept(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text)
            .map_err(|_| "the headers of a registration are not readable".to_string())
    }

    /// Their names, which anybody may see.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Names and values, as they are sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, String)> {
        let headers = self.0.iter();
        headers.map(|(name, value)| (name.as_str(), value.clone()))
    }
}

/// One header, or what is wrong with it.
fn header(name: &str, value: &Value) -> Result<(String, String), String> {
    let lower = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "has no valid name")?;
    let lower = lower.as_str();
    let begins = |prefix: &&str| lower.starts_with(*prefix);
    if RESERVED.contains(&lower) || RESERVED_PREFIXES.iter().any(begins) {
        return Err("is reserved: the producer or the connection sets it".to_string());
    }
    let value = value.as_str().ok_or("has a value that is not a string")?;
    let is_trimmed = value.trim_matches([' ', '\t']) == value;
    let is_plain = HeaderValue::from_str(value).is_ok_and(|value| value.to_str().is_ok());
    if !is_trimmed || !is_plain {
        return Err(
            "has a value that is not of visible ASCII characters, with spaces only between them"
                .to_string(),
        );
    }
    Ok((lower.to_string(), value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: &Value) -> Result<Custom, Vec<String>> {
        Custom::parse(Some(value))
    }

    #[test]
    fn headers_are_kept_and_sent_as_they_were_asked_for() {
        let asked = json!({ "X-Team": "a b", "authorization": "Bearer s3cret", "x-empty": "" });
        let headers = parse(&asked).unwrap();
        assert_eq!(headers.names(), ["authorization", "x-empty", "x-team"]);
        let again = Custom::from_kept(&headers.kept()).unwrap();
        let pairs: Vec<_> = again.pairs().collect();
        assert_eq!(
            pairs,
            [
                ("authorization", "Bearer s3cret".to_string()),
                ("x-empty", String::new()),
                ("x-team", "a b".to_string())
            ]
        );
        let shown = format!("{headers:?}");
        assert!(
            shown.contains("x-team") && !shown.contains("s3cret"),
            "{shown}"
        );
    }

    #[test]
    fn none_are_kept_as_nothing() {
        for none in [Custom::parse(None), parse(&json!({}))] {
            assert_eq!(none.as_ref().map(Custom::kept), Ok(String::new()));
        }
        assert_eq!(Custom::from_kept(""), Ok(Custom::default()));
        assert!(Custom::from_kept("[]").is_err());
    }

    #[test]
    fn a_reserved_header_is_refused_by_its_name() {
        let also = [
            "Webhook-Id",
            "proxy-authorization",
            "Proxy-X",
            "Content-Type",
            "HOST",
        ];
        for name in RESERVED.iter().chain(&also) {
            let mistakes = parse(&json!({ *name: "x" })).unwrap_err();
            let [mistake] = &mistakes[..] else {
                panic!("{mistakes:?}")
            };
            assert!(
                mistake.contains(name) && mistake.contains("reserved"),
                "{mistake}"
            );
        }
        for name in ["webhook", "x-webhook-id", "x-proxy-a", "user-agent"] {
            assert!(parse(&json!({ name: "x" })).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_no_request_could_carry_is_refused() {
        for wrong in [
            json!("x-a: b"),
            json!(null),
            json!(["x-a"]),
            json!({ "": "a" }),
            json!({ "x a": "a" }),
            json!({ "x:a": "a" }),
            json!({ ":path": "a" }),
            json!({ "x-\u{e9}": "a" }),
            json!({ "x-a": 1 }),
            json!({ "x-a": "a\r\nx-b: c" }),
            json!({ "x-a": "\u{0}" }),
            json!({ "x-a": "\u{e9}" }),
            json!({ "x-a": " a" }),
            json!({ "x-a": "a\t" }),
            json!({ "x-a": "a", "X-A": "b" }),
        ] {
            assert_eq!(parse(&wrong).unwrap_err().len(), 1, "{wrong}");
        }
        let two = json!({ "host": "a", "x-a": 1, "x-b": "c" });
        assert_eq!(parse(&two).unwrap_err().len(), 2);
    }

    #[test]
    fn there_is_an_end_to_their_number_and_size() {
        let many = |count: usize| {
            let names = (0..count).map(|number| (format!("x-{number}"), json!("a")));
            Value::Object(names.collect())
        };
        assert!(parse(&many(COUNT_LIMIT)).is_ok());
        assert!(parse(&many(COUNT_LIMIT + 1)).is_err());
        let sized = |size: usize| json!({ "x": "a".repeat(size - 1) });
        assert!(parse(&sized(SIZE_LIMIT)).is_ok());
        assert!(parse(&sized(SIZE_LIMIT + 1)).is_err());
    }
}
