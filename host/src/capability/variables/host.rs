//! The face of variables that guests see: `spin:variables@3.0.0`. Comes in: a name; goes out: the
//! value the manifest gives to this component, or a word on what is missing. Only translates.

use super::{GetError, Resolved};
use crate::capability::bindings::variables::spin_variables as wit;
use wasmtime::component::{Accessor, HasData, Linker};

/// What the face needs of an instance's state.
pub struct View<'a> {
    /// The variables of the instance's component.
    pub variables: &'a Resolved,
}

/// Gives variables to the guests of this linker.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, Face>(linker, view)
}

struct Face;

impl HasData for Face {
    type Data<'a> = View<'a>;
}

impl wit::Host for View<'_> {}

impl<T: Send + 'static> wit::HostWithStore<T> for Face {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, wit::Error>> {
        Ok(accessor.with(|mut access| {
            let found = access.get().variables.get(&name).map(str::to_owned);
            found.map_err(|error| convert_error(error, &name))
        }))
    }
}

/// The room's error as the guest's.
fn convert_error(error: GetError, name: &str) -> wit::Error {
    match error {
        GetError::InvalidName => wit::Error::InvalidName(format!(
            "variable `{name}` has no valid name: use lower-case letters, digits and underscores"
        )),
        GetError::Undefined => wit::Error::Undefined(format!(
            "variable `{name}` is not given to this component: \
             add it to [component.NAME.variables] in the manifest"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{GetError, convert_error, wit};

    #[test]
    fn an_undefined_variable_is_named_with_its_table() {
        let wit::Error::Undefined(words) = convert_error(GetError::Undefined, "api_key") else {
            unreachable!("undefined stays undefined");
        };
        assert!(words.contains("`api_key`") && words.contains("[component.NAME.variables]"));
    }

    #[test]
    fn an_invalid_name_is_repeated() {
        let error = convert_error(GetError::InvalidName, "No-Name");
        assert!(matches!(error, wit::Error::InvalidName(words) if words.contains("`No-Name`")));
    }
}
