//! Times as people read and write them, RFC 3339. In come milliseconds since 1970, or a text; out goes the other.
//! It never asks what time it is.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The time as text, in UTC.
#[must_use]
pub fn text(milliseconds: u64) -> String {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds);
    let text = moment.ok().and_then(|moment| moment.format(&Rfc3339).ok());
    // Only times past the year 9999 have no text.
    text.unwrap_or_else(|| format!("{milliseconds} ms"))
}

/// The milliseconds of a text.
///
/// # Errors
/// It is no time of RFC 3339, or one before 1970.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a time such as 2026-01-31T12:00:00Z");
    let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
    u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read_again() {
        for (milliseconds, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_764_115_200_000, "2025-11-26T00:00:00Z"),
            (1_764_115_200_007, "2025-11-26T00:00:00.007Z"),
        ] {
            assert_eq!(text(milliseconds), written);
            assert_eq!(parse(written), Ok(milliseconds));
        }
        assert_eq!(parse("2025-11-26T01:00:00+01:00"), Ok(1_764_115_200_000));
        for wrong in ["", "now", "2025-11-26", "1969-12-31T00:00:00Z"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(text(u64::MAX), format!("{} ms", u64::MAX));
    }
}
