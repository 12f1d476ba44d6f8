//! The grammar of what manifests name: components, stores and databases. Spin's, which is also what
//! makes a name fit for a file and for a line of the log. Pure.

use std::ops::Range;

use super::reader::{Item, Source};
use crate::capability::Label;

/// The rule for labels, for messages.
const LABEL_RULE: &str =
    "use lower-case letters and digits, with single dashes or single underscores between words";

/// Whether `text` is made of words with `delimiter` between them: the first begins with a letter, and
/// each is all in lower case or all in upper case.
fn is_words(text: &str, delimiter: char) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.split(delimiter).all(|word| {
            !word.is_empty()
                && word.chars().all(|c| c.is_ascii_alphanumeric())
                && !(word.contains(|c: char| c.is_ascii_lowercase())
                    && word.contains(|c: char| c.is_ascii_uppercase()))
        })
}

/// Whether a component can have this name.
pub(crate) fn is_component_name(text: &str) -> bool {
    is_words(text, '-')
}

/// Whether a store or a database can have this label.
fn is_label(text: &str) -> bool {
    is_words(text, '-') || is_words(text, '_')
}

/// The label that a text of a manifest is, or a mistake there.
pub(super) fn label(text: &str, source: &Source<'_>, at: &Range<usize>) -> Option<Label> {
    if is_label(text) {
        return Some(Label::new(text));
    }
    source.mistake(at, format!("label `{text}` is not valid: {LABEL_RULE}"));
    None
}

/// The labels that stand in the list `item`, each once.
pub(super) fn labels(item: Option<Item<'_>>) -> Vec<Label> {
    let mut labels = Vec::new();
    for (text, item) in item.iter().flat_map(Item::texts) {
        if let Some(label) = label(text, item.source, &item.at)
            && !labels.contains(&label)
        {
            labels.push(label);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_words() {
        for text in [
            "default",
            "my-store",
            "my_store",
            "store2",
            "a-2",
            "TLS-certs",
        ] {
            assert!(is_label(text), "{text}");
        }
        for text in [
            "", "2a", "-a", "a-", "a--b", "a_b-c", "a b", "../a", "a.db", "aB", "é",
        ] {
            assert!(!is_label(text), "{text}");
        }
    }

    #[test]
    fn components_have_no_underscores() {
        assert!(is_component_name("webhook-producer"));
        assert!(!is_component_name("webhook_producer"));
    }
}
