//! Which events a registration wants. In comes what the registration said; out goes a [`Filter`],
//! which matches names of events. It never looks at an event's data.

/// The longest name or filter, in characters.
pub const NAME_LIMIT: usize = 50;

/// How the names of events begin that the producer itself has to say. Nobody else can name one so, and `*` does not
/// ask for them: they speak of other consumers.
const OWN: &str = "signet.";

/// `*`, a name, or `prefix.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `*`: every event but the producer's own.
    All,
    /// `prefix.*`: the names that go on after `prefix.`, which is kept with its dot.
    Under(String),
    /// One name.
    Named(String),
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// It is none, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > NAME_LIMIT {
            return Err(format!("event is longer than {NAME_LIMIT} characters"));
        }
        match text.strip_suffix('*') {
            Some("") => Ok(Self::All),
            Some(prefix) if prefix.len() > 1 && prefix.ends_with('.') && is_name(prefix) => {
                Ok(Self::Under(prefix.to_string()))
            }
            None if is_name(text) => Ok(Self::Named(text.to_string())),
            _ => Err(
                "event is neither `*`, nor a name of letters, digits, `_`, `.` and `-`, nor such a \
                 name with `.*` at its end"
                    .to_string(),
            ),
        }
    }

    /// Whether an event of this name is wanted.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::All => !name.starts_with(OWN),
            Self::Under(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            Self::Named(wanted) => wanted == name,
        }
    }
}

/// Every filter that [matches](Filter::matches) this name, as it is written.
#[must_use]
pub fn matching(name: &str) -> Vec<String> {
    let dots = name.match_indices('.').map(|(at, _)| at + 1);
    let under = dots
        .filter(|end| *end > 1 && *end < name.len())
        .map(|end| format!("{}*", &name[..end]));
    let all = (!name.starts_with(OWN)).then(|| "*".to_string());
    all.into_iter()
        .chain(under)
        .chain([name.to_string()])
        .collect()
}

/// Whether `text` is the name of an event, of any length but none.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.bytes().all(allowed)
}

/// Whether an event that somebody sends may have this name.
///
/// # Errors
/// It is kept for the producer's own.
pub fn is_free(name: &str) -> Result<(), String> {
    if name.starts_with(OWN) {
        return Err(format!(
            "{name:?} begins with `{OWN}`, which is the producer's own: choose another"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_matches_what_it_says() {
        let cases = [
            ("*", "anything", true),
            ("*", "signet.test", false),
            ("signet.*", "signet.test", true),
            ("order.paid", "order.paid", true),
            ("order.paid", "order.paid.late", false),
            ("order.*", "order.paid", true),
            ("order.*", "order.paid.late", true),
            ("order.*", "order", false),
            ("order.*", "order.", false),
            ("order.*", "orders.paid", false),
        ];
        for (filter, name, wanted) in cases {
            assert_eq!(
                Filter::parse(filter).unwrap().matches(name),
                wanted,
                "{filter} {name}"
            );
        }
    }

    #[test]
    fn the_filters_that_match_a_name_are_all_that_match_it() {
        let parts = ["", "a", ".", "b.", "signet.", "-"];
        let mut texts = vec![String::new()];
        for _ in 0..3 {
            let longer = |text: &String| parts.map(|part| format!("{text}{part}"));
            texts = texts.iter().flat_map(longer).collect();
        }
        let filters = texts
            .iter()
            .flat_map(|text| [text.clone(), format!("{text}*")]);
        let filters: Vec<_> = filters
            .filter_map(|text| Some((Filter::parse(&text).ok()?, text)))
            .collect();
        for name in texts.iter().filter(|text| is_name(text)) {
            let matching = matching(name);
            for (filter, text) in &filters {
                assert_eq!(
                    filter.matches(name),
                    matching.contains(text),
                    "{text} {name}"
                );
            }
            for text in &matching {
                assert!(Filter::parse(text).is_ok(), "{text} {name}");
            }
        }
    }

    #[test]
    fn what_is_not_a_filter_is_refused() {
        for text in [
            "",
            "**",
            "order*",
            ".*",
            "*.paid",
            "a b",
            "é",
            "order.*.paid",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        assert!(Filter::parse(&"a".repeat(NAME_LIMIT)).is_ok());
        assert!(Filter::parse(&"a".repeat(NAME_LIMIT + 1)).is_err());
    }
}
