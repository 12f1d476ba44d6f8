//! The face `spin:key-value@3.0.0`, which Spin 4 gives to its guests: the one whose functions are async. Only
//! translates: what a guest may do is decided in the room.

use super::super::Error;
use super::{Bucket, Face, Refusal, View};
use crate::capability::bindings::keyvalue::spin_key_value as wit;
use futures::stream::{BoxStream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Resource, StreamProducer, StreamReader, StreamResult,
    VecBuffer,
};

/// How many keys are handed over at a time.
const HANDFUL: usize = 256;

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

fn bucket<T>(accessor: &Accessor<T, Face>, handle: &Resource<Bucket>) -> wasmtime::Result<Bucket> {
    accessor.with(|mut access| access.get().bucket(handle))
}

impl wit::Host for View<'_> {}

impl wit::HostStore for View<'_> {
    fn drop(&mut self, handle: Resource<Bucket>) -> wasmtime::Result<()> {
        self.close(handle)
    }
}

impl<T: Send + 'static> wit::HostStoreWithStore<T> for Face {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Answer<Resource<Bucket>> {
        accessor.with(|mut access| {
            let view = access.get();
            match view.ctx.open(&label) {
                Ok(bucket) => Ok(Ok(view.table.push(bucket)?)),
                Err(error) => Ok(Err(convert_error(error))),
            }
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        handle: Resource<Bucket>,
        key: String,
    ) -> Answer<Option<Vec<u8>>> {
        Ok(bucket(accessor, &handle)?
            .get(key)
            .await
            .map_err(convert_error))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        Ok(bucket(accessor, &handle)?
            .set(key, value)
            .await
            .map_err(convert_error))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        handle: Resource<Bucket>,
        key: String,
    ) -> Answer<()> {
        Ok(bucket(accessor, &handle)?
            .delete(key)
            .await
            .map_err(convert_error))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        handle: Resource<Bucket>,
        key: String,
    ) -> Answer<bool> {
        Ok(bucket(accessor, &handle)?
            .exists(key)
            .await
            .map_err(convert_error))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        handle: Resource<Bucket>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), wit::Error>>)> {
        let keys = bucket(accessor, &handle)?.keys();
        let (failed, failure) = oneshot::channel();
        accessor.with(|mut access| {
            let keys = KeyProducer {
                keys,
                failed: Some(failed),
            };
            let keys = StreamReader::new(&mut access, keys)?;
            let end = FutureReader::new(&mut access, async move {
                // A producer that is gone without a word had no failure to tell.
                wasmtime::error::Ok(
                    failure
                        .await
                        .map_or(Ok(()), |error| Err(convert_error(error))),
                )
            })?;
            Ok((keys, end))
        })
    }
}

/// The keys of a bucket as a WIT stream.
struct KeyProducer {
    keys: BoxStream<'static, Result<String, Error>>,
    failed: Option<oneshot::Sender<Error>>,
}

impl KeyProducer {
    fn end(&mut self, error: Option<Error>) {
        if let (Some(failed), Some(error)) = (self.failed.take(), error) {
            // The guest may not care.
            let _ = failed.send(error);
        }
    }
}

impl<D> StreamProducer<D> for KeyProducer {
    type Item = String;
    type Buffer = VecBuffer<String>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A read of nothing only asks whether there is something, and need not be answered well.
        if destination.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let mut handful = Vec::new();
        let result = loop {
            match self.keys.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(key))) => {
                    handful.push(key);
                    if handful.len() == HANDFUL {
                        break StreamResult::Completed;
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.end(Some(error));
                    break StreamResult::Dropped;
                }
                Poll::Ready(None) => {
                    self.end(None);
                    break StreamResult::Dropped;
                }
                Poll::Pending if !handful.is_empty() => break StreamResult::Completed,
                Poll::Pending if finish => break StreamResult::Cancelled,
                Poll::Pending => return Poll::Pending,
            }
        };
        if !handful.is_empty() {
            destination.set_buffer(handful.into());
        }
        Poll::Ready(Ok(result))
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
