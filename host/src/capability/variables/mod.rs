//! Variables: the values that an app is configured with, and what of them each component sees. Owns
//! names, declarations, templates and the order in which providers are asked. Comes in: declarations,
//! templates and providers; goes out: one component's [`Resolved`] variables. Never reads the
//! environment itself and never prints a value.

mod host;
mod name;
mod provider;
pub mod template;
mod values;

use std::collections::BTreeMap;
use std::fmt;

pub use host::{View, add_to_linker};
pub use name::{NameError, check_name};
pub use provider::{Environment, Provider};
pub use template::{Template, TemplateError};
pub use values::{GetError, RenderError, Resolved, Unset, Value, Values};

/// One variable of an app, as its manifest declares it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Declaration {
    /// The value where no provider has one. A variable without a default is required.
    pub default: Option<String>,
    /// Whether the value must not be shown.
    pub secret: bool,
}

impl Declaration {
    /// Whether the app cannot start without a value from a provider.
    pub fn required(&self) -> bool {
        self.default.is_none()
    }
}

impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The default of a secret variable is a secret as well.
        let default = self
            .default
            .as_ref()
            .map(|default| if self.secret { HIDDEN } else { default });
        f.debug_struct("Declaration")
            .field("default", &default)
            .field("secret", &self.secret)
            .finish()
    }
}

/// What stands in place of a value wherever one is printed.
const HIDDEN: &str = "***";

/// The variables of an app by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declarations(BTreeMap<String, Declaration>);

impl Declarations {
    /// The declaration of `name`.
    pub fn get(&self, name: &str) -> Option<&Declaration> {
        self.0.get(name)
    }

    /// Whether the app has a variable of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All declarations, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Declaration)> {
        self.0
            .iter()
            .map(|(name, declaration)| (name.as_str(), declaration))
    }
}

impl FromIterator<(String, Declaration)> for Declarations {
    fn from_iter<I: IntoIterator<Item = (String, Declaration)>>(declarations: I) -> Self {
        Self(declarations.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_a_secret_is_not_printed() {
        let declaration = Declaration {
            default: Some("hunter2".into()),
            secret: true,
        };
        assert!(!format!("{declaration:?}").contains("hunter2"));
        let open = Declaration {
            default: Some("blue".into()),
            secret: false,
        };
        assert!(format!("{open:?}").contains("blue"));
    }

    #[test]
    fn a_variable_without_a_default_is_required() {
        assert!(Declaration::default().required());
        assert!(
            !Declaration {
                default: Some(String::new()),
                secret: false
            }
            .required()
        );
    }
}
