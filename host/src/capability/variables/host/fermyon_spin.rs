//! The face `fermyon:spin/variables@2.0.0`, which the SDKs before Spin 4 import. Only translates.

use super::super::GetError;
use super::View;
use crate::capability::bindings::variables::fermyon_spin as wit;

impl wit::Host for View<'_> {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, wit::Error>> {
        Ok(View::get(self, &name).map_err(convert_error))
    }
}

/// The room's error as the guest's.
fn convert_error((error, words): (GetError, String)) -> wit::Error {
    match error {
        GetError::InvalidName => wit::Error::InvalidName(words),
        GetError::Undefined => wit::Error::Undefined(words),
    }
}
