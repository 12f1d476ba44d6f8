//! The face `fermyon:spin/key-value@2.0.0`, which the SDKs before Spin 4 import. Only translates: what a
//! guest may do is decided in the room.

use super::super::Error;
use super::{Bucket, Refusal, View};
use crate::capability::bindings::keyvalue::fermyon_spin as wit;
use wasmtime::component::Resource;

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl wit::Host for View<'_> {}

impl wit::HostStore for View<'_> {
    fn open(&mut self, label: String) -> Answer<Resource<Bucket>> {
        match self.ctx.open(&label) {
            Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
            Err(error) => Ok(Err(convert_error(error))),
        }
    }

    async fn get(&mut self, handle: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        let value = self.bucket(&handle)?.get(key).await;
        Ok(value.map_err(convert_error))
    }

    async fn set(&mut self, handle: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        let outcome = self.bucket(&handle)?.set(key, value).await;
        Ok(outcome.map_err(convert_error))
    }

    async fn delete(&mut self, handle: Resource<Bucket>, key: String) -> Answer<()> {
        let outcome = self.bucket(&handle)?.delete(key).await;
        Ok(outcome.map_err(convert_error))
    }

    async fn exists(&mut self, handle: Resource<Bucket>, key: String) -> Answer<bool> {
        let exists = self.bucket(&handle)?.exists(key).await;
        Ok(exists.map_err(convert_error))
    }

    async fn get_keys(&mut self, handle: Resource<Bucket>) -> Answer<Vec<String>> {
        let keys = self.bucket(&handle)?.all_keys().await;
        Ok(keys.map_err(convert_error))
    }

    fn drop(&mut self, handle: Resource<Bucket>) -> wasmtime::Result<()> {
        self.close(handle)
    }
}

/// The room's error as the guest's.
fn convert_error(error: Error) -> wit::Error {
    match Refusal::from(error) {
        Refusal::TableFull(_) => wit::Error::StoreTableFull,
        Refusal::NoSuchStore => wit::Error::NoSuchStore,
        Refusal::AccessDenied => wit::Error::AccessDenied,
        Refusal::Other(words) => wit::Error::Other(words),
    }
}
