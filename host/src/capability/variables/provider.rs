//! Where values come from: anything that may know a variable by name. Comes in: pairs that somebody
//! else read; goes out: a value, or none. Never reads the environment itself.

use std::collections::BTreeMap;

/// Something that may have a value for a variable.
pub trait Provider {
    /// The value of the variable `name`, if this provider has one.
    fn value(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Provider for F {
    fn value(&self, name: &str) -> Option<String> {
        self(name)
    }
}

impl Provider for BTreeMap<String, String> {
    fn value(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }
}

/// What `--variable name=value` gave; the last of two for one name counts.
impl Provider for Vec<(String, String)> {
    fn value(&self, name: &str) -> Option<String> {
        self.iter()
            .rev()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.clone())
    }
}

/// The environment variables that are meant for apps: `SPIN_VARIABLE_` and the name in capitals.
#[derive(Default)]
pub struct Environment(BTreeMap<String, String>);

/// What the environment variables of apps start with.
const PREFIX: &str = "SPIN_VARIABLE_";

impl Environment {
    /// Takes the whole environment and keeps what is meant for apps.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX));
        Self(ours.collect())
    }

    /// The environment variable for the variable `name`.
    pub fn key(name: &str) -> String {
        format!("{PREFIX}{}", name.to_ascii_uppercase())
    }
}

impl Provider for Environment {
    fn value(&self, name: &str) -> Option<String> {
        self.0.get(&Self::key(name)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_environment_is_asked_with_prefix_and_in_capitals() {
        let environment = Environment::new(pairs(&[
            ("SPIN_VARIABLE_API_KEY", "k"),
            ("HOME", "/root"),
            ("API_KEY", "x"),
        ]));
        assert_eq!(environment.value("api_key").as_deref(), Some("k"));
        assert_eq!(environment.value("home"), None);
    }

    #[test]
    fn the_last_flag_for_a_name_counts() {
        assert_eq!(
            pairs(&[("a", "1"), ("a", "2")]).value("a").as_deref(),
            Some("2")
        );
    }
}
