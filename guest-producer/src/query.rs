//! Parameters of a request. In comes a path with its query; out goes a value. It never decides what one means.

use crate::problem::Problem;

/// The most that one answer lists, unless a request says fewer.
pub const PAGE: u32 = 100;

/// The value of a parameter, if it is there.
#[must_use]
pub fn parameter(target: &str, name: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(have, value)| (have == name).then(|| value.into_owned()))
}

/// How many to list: the parameter `limit`, or [`PAGE`].
///
/// # Errors
/// It is not a number from 1 to [`PAGE`].
pub fn limit(target: &str) -> Result<u32, Problem> {
    let Some(text) = parameter(target, "limit") else {
        return Ok(PAGE);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=PAGE).contains(number));
    number.ok_or_else(|| Problem::invalid(vec![format!("limit is not a number from 1 to {PAGE}")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_decoded() {
        let target = "/x?since=2026-01-01T00%3A00%3A00%2B01%3A00&after=a&after=b&empty";
        let value = |name| parameter(target, name);
        assert_eq!(value("since").as_deref(), Some("2026-01-01T00:00:00+01:00"));
        assert_eq!(value("after").as_deref(), Some("a"));
        assert_eq!(value("empty").as_deref(), Some(""));
        assert_eq!(value("x"), None);
        assert_eq!(parameter("/x", "x"), None);
    }

    #[test]
    fn a_limit_is_bounded() {
        assert_eq!(limit("/x"), Ok(PAGE));
        assert_eq!(limit("/x?limit=7"), Ok(7));
        for wrong in ["0", "101", "-1", "x", ""] {
            assert_eq!(
                limit(&format!("/x?limit={wrong}")).unwrap_err().status(),
                400
            );
        }
    }
}
