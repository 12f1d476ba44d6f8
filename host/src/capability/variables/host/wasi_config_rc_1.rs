//! The face `wasi:config/store@0.2.0-rc.1`. Only translates: what is not given to the component is
//! not there, and nothing here can fail.

use super::View;
use crate::capability::bindings::variables::wasi_config_rc_1 as wit;

impl wit::Host for View<'_> {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, wit::Error>> {
        Ok(Ok(self.find(&key)))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, wit::Error>> {
        Ok(Ok(self.all()))
    }
}
