//! Templates: text with `{{ name }}` where an app's variable goes in, by Spin's rules. Comes in: text
//! of a manifest; goes out: its parts, or the text with the values in. Pure: never knows where values
//! come from.

use std::fmt;

use super::name::{NameError, check_name};

/// Text that may name variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Braces are opened and not closed.
    #[error("template `{0}` opens `{{{{` and does not close it: write `{{{{ name }}}}`")]
    Unclosed(String),
    /// What stands between the braces is not a name.
    #[error("template `{template}` is not valid: {source}")]
    Name {
        /// The whole text.
        template: String,
        /// What is wrong with the name.
        source: NameError,
    },
}

impl Template {
    /// Takes a text apart.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, opened)) = rest.split_once("{{") {
            let Some((name, after)) = opened.split_once("}}") else {
                return Err(TemplateError::Unclosed(text.to_owned()));
            };
            let name = name.trim();
            check_name(name).map_err(|source| TemplateError::Name {
                template: text.to_owned(),
                source,
            })?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The variables it names, in the order of the text; one that stands twice comes twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// Whether it names no variable, so that its text is its value.
    pub fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// The text with the values in; the first name without a value is the error.
    /// Allocated once, so that no piece of a secret is left behind where a longer text did not fit.
    pub fn resolve<V: AsRef<str>>(
        &self,
        mut value: impl FnMut(&str) -> Option<V>,
    ) -> Result<String, &str> {
        let values = self.names().map(|name| value(name).ok_or(name));
        let values = values.collect::<Result<Vec<V>, &str>>()?;
        let mut values = values.iter().map(V::as_ref);
        let pieces = self.0.iter().map(|part| match part {
            Part::Literal(literal) => literal,
            Part::Variable(_) => values.next().unwrap_or_default(),
        });
        Ok(pieces.collect::<Vec<&str>>().concat())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(literal) => f.write_str(literal),
            Part::Variable(name) => write!(f, "{{{{ {name} }}}}"),
        })
    }
}

#[cfg(test)]
#[path = "tests/templates.rs"]
mod generated;

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> String {
        Template::parse(text)
            .unwrap()
            .resolve(|name| Some(name.to_uppercase()))
            .unwrap()
    }

    #[test]
    fn names_in_double_braces_are_replaced() {
        assert_eq!(resolved(""), "");
        assert_eq!(resolved("plain } {text}"), "plain } {text}");
        assert_eq!(resolved("a-{{ one }}-b"), "a-ONE-b");
        assert_eq!(resolved("{{one}}{{  two  }}"), "ONETWO");
        assert_eq!(
            resolved("http://localhost:{{ port }}"),
            "http://localhost:PORT"
        );
        assert_eq!(resolved("closed }} only"), "closed }} only");
    }

    #[test]
    fn names_come_in_order() {
        let template = Template::parse("{{ b }} {{ a }} {{ b }}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["b", "a", "b"]);
        assert!(!template.is_literal());
        assert!(Template::parse("text").unwrap().is_literal());
    }

    #[test]
    fn unclosed_braces_and_bad_names_are_refused() {
        for text in ["{{ a", "{{ a }} {{", "{{ a } }"] {
            assert!(
                matches!(Template::parse(text), Err(TemplateError::Unclosed(_))),
                "{text}"
            );
        }
        for text in ["{{}}", "{{ A }}", "{{ a b }}", "{{ a-b }}", "{{ {{ a }} }}"] {
            assert!(
                matches!(Template::parse(text), Err(TemplateError::Name { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_without_a_value_is_the_error() {
        let template = Template::parse("{{ a }}{{ b }}").unwrap();
        let found = template.resolve(|name| (name == "a").then(String::new));
        assert_eq!(found, Err("b"));
    }

    #[test]
    fn a_template_is_printed_as_it_was_meant() {
        assert_eq!(Template::parse("x{{y}}z").unwrap().to_string(), "x{{ y }}z");
    }
}
