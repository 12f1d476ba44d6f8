//! The faces of variables that guests see, a file each, named after its interface. Comes in: a Linker
//! and the way to an instance's variables; goes out: the same Linker with all faces. Each gives a component
//! what its manifest gives it, and nothing else there is.

mod fermyon_spin;
mod spin_variables;
mod wasi_config_draft_2024_09_27;
mod wasi_config_draft_runtime;
mod wasi_config_draft_store;
mod wasi_config_rc_1;

use super::{GetError, Resolved};
use crate::capability::bindings::variables as bindings;
use wasmtime::component::{HasData, Linker};

/// What the faces need of an instance's state.
pub struct View<'a> {
    /// The variables of the instance's component.
    pub variables: &'a Resolved,
}

/// Gives variables to the guests of this linker.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    bindings::spin_variables::add_to_linker::<T, Face>(linker, view)?;
    bindings::fermyon_spin::add_to_linker::<T, Face>(linker, view)?;
    bindings::wasi_config_rc_1::add_to_linker::<T, Face>(linker, view)?;
    bindings::wasi_config_draft_2024_09_27::add_to_linker::<T, Face>(linker, view)?;
    bindings::wasi_config_draft_store::add_to_linker::<T, Face>(linker, view)?;
    bindings::wasi_config_draft_runtime::add_to_linker::<T, Face>(linker, view)
}

struct Face;

impl HasData for Face {
    type Data<'a> = View<'a>;
}

impl View<'_> {
    /// The value of a variable, or why there is none, in words.
    fn get(&self, name: &str) -> Result<String, (GetError, String)> {
        let found = self.variables.get(name).map(str::to_owned);
        found.map_err(|error| (error, words(error, name)))
    }

    /// The value under a key. Where a face has no word for what is no name, there is nothing under it.
    fn find(&self, key: &str) -> Option<String> {
        self.variables.get(key).ok().map(str::to_owned)
    }

    /// All that the component is given, secrets included: they were given to it.
    fn all(&self) -> Vec<(String, String)> {
        let all = self.variables.iter();
        all.map(|(name, value)| (name.to_owned(), value.expose().to_owned()))
            .collect()
    }
}

fn words(error: GetError, name: &str) -> String {
    match error {
        GetError::InvalidName => format!(
            "variable `{name}` has no valid name: use lower-case letters, digits and underscores"
        ),
        GetError::Undefined => format!(
            "variable `{name}` is not given to this component: \
             add it to [component.NAME.variables] in the manifest"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{GetError, words};

    #[test]
    fn an_undefined_variable_is_named_with_its_table() {
        let words = words(GetError::Undefined, "api_key");
        assert!(words.contains("`api_key`") && words.contains("[component.NAME.variables]"));
    }

    #[test]
    fn an_invalid_name_is_repeated() {
        assert!(words(GetError::InvalidName, "No-Name").contains("`No-Name`"));
    }
}
