//! The face `wasi:keyvalue@0.2.0-draft`, which Wasmtime gives to its guests: `store`, `atomics`, `batch`. Its
//! numbers have no sign, and its cursor is a number. Only translates: what a guest may do is decided in the
//! room.

use super::super::{Delta, Error, Numbered};
use super::{Refusal, View};
use crate::capability::bindings::keyvalue::wasi_keyvalue_draft::{atomics, batch, store as wit};
use wasmtime::component::Resource;

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl wit::Host for View<'_> {
    fn open(&mut self, label: String) -> Answer<Resource<Numbered>> {
        match self.ctx.open(&label) {
            Ok(bucket) => Ok(Ok(self.table.push(Numbered::new(bucket))?)),
            Err(error) => Ok(Err(convert_error(error))),
        }
    }
}

impl wit::HostBucket for View<'_> {
    async fn get(&mut self, handle: Resource<Numbered>, key: String) -> Answer<Option<Vec<u8>>> {
        let value = self.table.get(&handle)?.bucket().get(key).await;
        Ok(value.map_err(convert_error))
    }

    async fn set(&mut self, handle: Resource<Numbered>, key: String, value: Vec<u8>) -> Answer<()> {
        let outcome = self.table.get(&handle)?.bucket().set(key, value).await;
        Ok(outcome.map_err(convert_error))
    }

    async fn delete(&mut self, handle: Resource<Numbered>, key: String) -> Answer<()> {
        let outcome = self.table.get(&handle)?.bucket().delete(key).await;
        Ok(outcome.map_err(convert_error))
    }

    async fn exists(&mut self, handle: Resource<Numbered>, key: String) -> Answer<bool> {
        let exists = self.table.get(&handle)?.bucket().exists(key).await;
        Ok(exists.map_err(convert_error))
    }

    async fn list_keys(
        &mut self,
        handle: Resource<Numbered>,
        cursor: Option<u64>,
    ) -> Answer<wit::KeyResponse> {
        let listed = self.table.get_mut(&handle)?.list(cursor).await;
        Ok(listed
            .map(|(keys, cursor)| wit::KeyResponse { keys, cursor })
            .map_err(convert_error))
    }

    fn drop(&mut self, handle: Resource<Numbered>) -> wasmtime::Result<()> {
        self.close(handle)
    }
}

impl atomics::Host for View<'_> {
    async fn increment(
        &mut self,
        handle: Resource<Numbered>,
        key: String,
        delta: u64,
    ) -> Answer<u64> {
        let bucket = self.table.get(&handle)?.bucket();
        let sum = bucket.increment(key, Delta::Unsigned(delta)).await;
        // The sum of what has no sign has none.
        let sum = sum.and_then(|sum| u64::try_from(sum).map_err(|_| Error::CounterRange));
        Ok(sum.map_err(convert_error))
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        handle: Resource<Numbered>,
        keys: Vec<String>,
    ) -> Answer<Vec<Option<(String, Vec<u8>)>>> {
        let values = self
            .table
            .get(&handle)?
            .bucket()
            .get_many(keys.clone())
            .await;
        Ok(values
            .map(|values| {
                let entries = keys.into_iter().zip(values);
                entries.map(|(key, value)| Some((key, value?))).collect()
            })
            .map_err(convert_error))
    }

    async fn set_many(
        &mut self,
        handle: Resource<Numbered>,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Answer<()> {
        let outcome = self.table.get(&handle)?.bucket().set_many(entries).await;
        Ok(outcome.map_err(convert_error))
    }

    async fn delete_many(&mut self, handle: Resource<Numbered>, keys: Vec<String>) -> Answer<()> {
        let outcome = self.table.get(&handle)?.bucket().delete_many(keys).await;
        Ok(outcome.map_err(convert_error))
    }
}

/// The room's error as the guest's.
fn convert_error(error: Error) -> wit::Error {
    match Refusal::from(error) {
        Refusal::NoSuchStore => wit::Error::NoSuchStore,
        Refusal::AccessDenied => wit::Error::AccessDenied,
        Refusal::TableFull(words) | Refusal::Other(words) => wit::Error::Other(words),
    }
}
