//! The face `wasi:keyvalue@0.2.0-draft2`, which Spin gives to its guests: `store`, `atomics` with
//! compare-and-swap, `batch`. Its cursor is the last key told. Only translates: what a guest may do is decided
//! in the room.

use super::super::{After, Cas, Delta, Error, Page, SwapError};
use super::{Bucket, Refusal, View};
use crate::capability::bindings::keyvalue::wasi_keyvalue_draft2::{atomics, batch, store as wit};
use wasmtime::component::Resource;

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl wit::Host for View<'_> {
    fn open(&mut self, label: String) -> Answer<Resource<Bucket>> {
        match self.ctx.open(&label) {
            Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
            Err(error) => Ok(Err(convert_error(error))),
        }
    }
}

impl wit::HostBucket for View<'_> {
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

    async fn list_keys(
        &mut self,
        handle: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Answer<wit::KeyResponse> {
        let after = After::Key(cursor.unwrap_or_default());
        let page = self.bucket(&handle)?.page(after).await;
        Ok(page.map(response).map_err(convert_error))
    }

    fn drop(&mut self, handle: Resource<Bucket>) -> wasmtime::Result<()> {
        self.close(handle)
    }
}

fn response(Page { keys, more }: Page) -> wit::KeyResponse {
    let cursor = keys.last().filter(|_| more).cloned();
    wit::KeyResponse { keys, cursor }
}

impl atomics::Host for View<'_> {
    async fn increment(
        &mut self,
        handle: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Answer<i64> {
        let bucket = self.bucket(&handle)?;
        let sum = bucket.increment(key, Delta::Signed(delta)).await;
        Ok(sum.map_err(convert_error))
    }

    async fn swap(
        &mut self,
        handle: Resource<Cas>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        match self.table.delete(handle)?.swap(value).await {
            Ok(()) => Ok(Ok(())),
            Err(SwapError::Lost(handle)) => {
                let handle = self.table.push(handle)?;
                Ok(Err(atomics::CasError::CasFailed(handle)))
            }
            Err(SwapError::Failed(error)) => {
                Ok(Err(atomics::CasError::StoreError(convert_error(error))))
            }
        }
    }
}

impl atomics::HostCas for View<'_> {
    async fn new(&mut self, handle: Resource<Bucket>, key: String) -> Answer<Resource<Cas>> {
        match self.bucket(&handle)?.cas(key).await {
            Ok(cas) => Ok(Ok(self.table.push(cas)?)),
            Err(error) => Ok(Err(convert_error(error))),
        }
    }

    async fn current(&mut self, handle: Resource<Cas>) -> Answer<Option<Vec<u8>>> {
        let value = self.table.get_mut(&handle)?.current().await;
        Ok(value.map_err(convert_error))
    }

    fn drop(&mut self, handle: Resource<Cas>) -> wasmtime::Result<()> {
        self.close(handle)
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        handle: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Answer<Vec<(String, Option<Vec<u8>>)>> {
        let values = self.bucket(&handle)?.get_many(keys.clone()).await;
        Ok(values
            .map(|values| keys.into_iter().zip(values).collect())
            .map_err(convert_error))
    }

    async fn set_many(
        &mut self,
        handle: Resource<Bucket>,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Answer<()> {
        let outcome = self.bucket(&handle)?.set_many(entries).await;
        Ok(outcome.map_err(convert_error))
    }

    async fn delete_many(&mut self, handle: Resource<Bucket>, keys: Vec<String>) -> Answer<()> {
        let outcome = self.bucket(&handle)?.delete_many(keys).await;
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
