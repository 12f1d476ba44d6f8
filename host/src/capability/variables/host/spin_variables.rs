//! The face `spin:variables@3.0.0`. Only translates.

use super::super::GetError;
use super::{Face, View};
use crate::capability::bindings::variables::spin_variables as wit;
use wasmtime::component::Accessor;

impl wit::Host for View<'_> {}

impl<T: Send + 'static> wit::HostWithStore<T> for Face {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, wit::Error>> {
        Ok(accessor.with(|mut access| access.get().get(&name).map_err(convert_error)))
    }
}

/// The room's error as the guest's.
fn convert_error((error, words): (GetError, String)) -> wit::Error {
    match error {
        GetError::InvalidName => wit::Error::InvalidName(words),
        GetError::Undefined => wit::Error::Undefined(words),
    }
}
