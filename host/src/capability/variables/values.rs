//! Values: what an app's variables are, and what of them one component sees. Owns the order of asking
//! and the rule that a value does not print. Comes in: declarations, providers and a component's
//! templates; goes out: [`Resolved`]. Never asks a provider twice for one start.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use super::name::check_name;
use super::provider::{Environment, Provider};
use super::{Declarations, HIDDEN, Template};

/// A value that prints as `***`. Every value does: a value that is no secret today may be one tomorrow. The
/// text is wiped when the value is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    text: Zeroizing<String>,
    secret: bool,
}

impl Value {
    /// A value that was not declared as secret.
    pub fn open(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            secret: false,
        }
    }

    /// A value that was declared as secret.
    pub fn secret(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            secret: true,
        }
    }

    /// The text itself, for the component that was given it and for nothing that prints.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether the value comes, in whole or in part, from a variable that was declared as secret.
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// A required variable that no provider knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "variable `{name}` is required and has no value: pass --variable {name}=VALUE, set {}, \
     or write it under [variables] in signet.toml",
    Environment::key(name)
)]
pub struct Unset {
    /// The variable.
    pub name: String,
}

/// The values of an app's variables.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<String, Value>);

/// Why a template has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "template `{template}` names the variable `{name}`, which the app does not declare: add it to [variables]"
)]
pub struct RenderError {
    /// The template.
    pub template: String,
    /// The variable it names.
    pub name: String,
}

impl Values {
    /// Asks the providers in their order for each declared variable, then takes the default. The order
    /// that users know is: flags, environment, `signet.toml`.
    pub fn resolve(
        declarations: &Declarations,
        providers: &[&dyn Provider],
    ) -> Result<Self, Vec<Unset>> {
        let (mut values, mut unset) = (BTreeMap::new(), Vec::new());
        for (name, declaration) in declarations.iter() {
            let provided = providers.iter().find_map(|provider| provider.value(name));
            match provided.or_else(|| declaration.default.clone()) {
                Some(text) => {
                    values.insert(
                        name.to_owned(),
                        Value {
                            text: Zeroizing::new(text),
                            secret: declaration.secret,
                        },
                    );
                }
                None => unset.push(Unset {
                    name: name.to_owned(),
                }),
            }
        }
        if unset.is_empty() {
            Ok(Self(values))
        } else {
            Err(unset)
        }
    }

    /// A template with the values in. One secret in it makes the whole a secret.
    pub fn render(&self, template: &Template) -> Result<Value, RenderError> {
        let mut secret = false;
        let text = template.resolve(|name| {
            let value = self.0.get(name)?;
            secret |= value.secret;
            Some(value.expose())
        });
        match text {
            Ok(text) => Ok(Value {
                text: Zeroizing::new(text),
                secret,
            }),
            Err(name) => Err(RenderError {
                template: template.to_string(),
                name: name.to_owned(),
            }),
        }
    }
}

/// The variables of one component, with their values.
#[derive(Debug, Clone, Default)]
pub struct Resolved(BTreeMap<String, Value>);

/// Why a component gets no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// The name is not a variable's name.
    #[error("the name is not a variable's name")]
    InvalidName,
    /// The manifest gives this component no variable of this name.
    #[error("the manifest gives the component no variable of this name")]
    Undefined,
}

impl Resolved {
    /// Renders what the manifest gives to a component.
    pub fn new(
        templates: &BTreeMap<String, Template>,
        values: &Values,
    ) -> Result<Self, RenderError> {
        let rendered = templates
            .iter()
            .map(|(name, template)| Ok((name.clone(), values.render(template)?)));
        Ok(Self(rendered.collect::<Result<_, _>>()?))
    }

    /// The value of a variable. Whether the name is one at all is asked first.
    pub fn get(&self, name: &str) -> Result<&str, GetError> {
        check_name(name).map_err(|_| GetError::InvalidName)?;
        self.0
            .get(name)
            .map(Value::expose)
            .ok_or(GetError::Undefined)
    }

    /// The names of the component's variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All variables of the component, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Declaration;
    use super::*;

    fn declarations() -> Declarations {
        let declare = |name: &str, default: Option<&str>, secret| {
            (
                name.to_owned(),
                Declaration {
                    default: default.map(str::to_owned),
                    secret,
                },
            )
        };
        [
            declare("port", Some("3000"), false),
            declare("token", None, true),
            declare("host", None, false),
        ]
        .into_iter()
        .collect()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn values() -> Values {
        Values::resolve(
            &declarations(),
            &[&map(&[("token", "hunter2"), ("host", "h")])],
        )
        .unwrap()
    }

    #[test]
    fn the_first_provider_that_knows_wins_and_the_default_comes_last() {
        let (first, second) = (
            map(&[("host", "first")]),
            map(&[("host", "second"), ("token", "t")]),
        );
        let values = Values::resolve(&declarations(), &[&first, &second]).unwrap();
        let text = |text: &str| {
            values
                .render(&Template::parse(text).unwrap())
                .unwrap()
                .expose()
                .to_owned()
        };
        assert_eq!(text("{{ host }}:{{ port }}/{{ token }}"), "first:3000/t");
    }

    #[test]
    fn every_unset_variable_is_reported_with_the_three_ways_to_set_it() {
        let unset = Values::resolve(&declarations(), &[]).unwrap_err();
        assert_eq!(
            unset
                .iter()
                .map(|unset| unset.name.as_str())
                .collect::<Vec<_>>(),
            ["host", "token"]
        );
        let message = unset[1].to_string();
        for way in [
            "--variable token=",
            "SPIN_VARIABLE_TOKEN",
            "[variables] in signet.toml",
        ] {
            assert!(message.contains(way), "{way} is not in: {message}");
        }
    }

    #[test]
    fn a_value_is_never_printed() {
        let values = values();
        let value = values
            .render(&Template::parse("{{ token }}").unwrap())
            .unwrap();
        let resolved = Resolved(BTreeMap::from([("a".to_owned(), value.clone())]));
        let printed = format!(
            "{value} {value:?} {values:?} {resolved:?} {:?}",
            Value::open("hunter2")
        );
        assert!(!printed.contains("hunter2"), "{printed}");
    }

    #[test]
    fn one_secret_in_a_template_makes_the_whole_a_secret() {
        let render = |text: &str| values().render(&Template::parse(text).unwrap()).unwrap();
        assert!(render("http://{{ host }}/?{{ token }}").is_secret());
        assert!(!render("http://{{ host }}").is_secret());
    }

    #[test]
    fn a_component_sees_only_what_its_manifest_gives_it() {
        let templates =
            BTreeMap::from([("mine".to_owned(), Template::parse("{{ host }}").unwrap())]);
        let resolved = Resolved::new(&templates, &values()).unwrap();
        assert_eq!(resolved.get("mine"), Ok("h"));
        assert_eq!(resolved.get("host"), Err(GetError::Undefined));
        assert_eq!(resolved.get("NOT-A-NAME"), Err(GetError::InvalidName));
    }

    #[test]
    fn a_template_of_an_undeclared_variable_has_no_value() {
        let error = values()
            .render(&Template::parse("{{ nobody }}").unwrap())
            .unwrap_err();
        assert_eq!(error.name, "nobody");
    }
}
