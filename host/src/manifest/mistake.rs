//! Mistakes in a manifest: where each is, what it is, how to mend it. Comes in: what the readers found;
//! goes out: text for people. Never decides what is a mistake.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake, or one warning, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The manifest.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong, and the cure.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file.display(),
            self.line,
            self.column,
            self.message
        )
    }
}

/// All mistakes of one reading, or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.0 {
            writeln!(f, "{mistake}")?;
        }
        let files: BTreeSet<&Path> = self
            .0
            .iter()
            .map(|mistake| mistake.file.as_path())
            .collect();
        let (mistakes, files) = (
            counted(self.0.len(), "mistake"),
            counted(files.len(), "file"),
        );
        write!(f, "{mistakes} in {files}")
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(file: &str, line: usize) -> Mistake {
        Mistake {
            file: file.into(),
            line,
            column: 5,
            message: "no".into(),
        }
    }

    #[test]
    fn each_mistake_has_its_line_and_the_count_closes() {
        let one = Mistakes(vec![mistake("spin.toml", 12)]);
        assert_eq!(one.to_string(), "spin.toml:12:5: no\n1 mistake in 1 file");
        let two = Mistakes(vec![mistake("a.toml", 1), mistake("b.toml", 2)]);
        assert_eq!(
            two.to_string(),
            "a.toml:1:5: no\nb.toml:2:5: no\n2 mistakes in 2 files"
        );
    }
}
