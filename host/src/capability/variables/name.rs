//! The grammar of variables' names, which is Spin's: lower-case letters, digits and single
//! underscores, so that every name has exactly one environment variable. Pure.

/// Why a text is not the name of a variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no text.
    #[error("a variable's name must not be empty")]
    Empty,
    /// A character that no name has.
    #[error(
        "variable name `{name}` contains {character:?}: use lower-case letters, digits and underscores"
    )]
    Character {
        /// The text.
        name: String,
        /// The first such character.
        character: char,
    },
    /// A digit or an underscore comes first.
    #[error("variable name `{0}` must start with a lower-case letter")]
    Start(String),
    /// An underscore comes last.
    #[error("variable name `{0}` must not end with an underscore")]
    End(String),
    /// Two underscores in a row.
    #[error("variable name `{0}` must not have two underscores in a row")]
    Doubled(String),
}

/// Whether `name` can be the name of a variable, and if not, why.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let Some(first) = name.chars().next() else {
        return Err(NameError::Empty);
    };
    if let Some(character) = name.chars().find(|c| !allowed(*c)) {
        return Err(NameError::Character {
            name: name.to_owned(),
            character,
        });
    }
    if !first.is_ascii_lowercase() {
        return Err(NameError::Start(name.to_owned()));
    }
    if name.ends_with('_') {
        return Err(NameError::End(name.to_owned()));
    }
    if name.contains("__") {
        return Err(NameError::Doubled(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_snake_case() {
        for name in ["a", "abc", "a1b2", "a_1", "enrolment_token", "a_1_b_3"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in [
            "", "aX", "1bc", "_x", "x.y", "x_", "a__b", "x-y", "é", "a b",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
