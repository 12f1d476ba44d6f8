//! Manifests: whatever stands in them, reading ends, and each mistake is at a place that is there.

use std::path::Path;

use signet::manifest::{Mistake, kind, read_app, read_host};

/// Reads the text as both kinds of manifest.
pub fn manifest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    kind(&text);
    match read_app(&text, Path::new("dir/spin.toml")) {
        Ok(app) => check_places(&text, &app.warnings),
        Err(mistakes) => {
            assert!(!mistakes.0.is_empty(), "refused for no reason:\n{text}");
            check_places(&text, &mistakes.0);
        }
    }
    if let Err(mistakes) = read_host(&text, Path::new("dir/signet.toml")) {
        assert!(!mistakes.0.is_empty(), "refused for no reason:\n{text}");
        check_places(&text, &mistakes.0);
    }
}

fn check_places(text: &str, mistakes: &[Mistake]) {
    for mistake in mistakes {
        let line = mistake
            .line
            .checked_sub(1)
            .and_then(|line| text.split('\n').nth(line));
        let columns = line.map(|line| line.chars().count() + 1);
        assert!(
            columns.is_some_and(|columns| (1..=columns).contains(&mistake.column)),
            "{mistake} is at no place of\n{text}"
        );
        assert!(!mistake.message.contains(char::is_control), "{mistake:?}");
    }
}
