//! The face `spin:sqlite@3.1.0`, which serves guests of 3.0 as well. Only translates: what a guest may do
//! is decided in the room.

use super::super::backend::{Error, Row, Value};
use super::super::{RowStream, Streamed};
use super::{Connection, Face, Refusal, View};
use crate::capability::bindings::sqlite::spin_sqlite as wit;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Resource, StreamProducer, StreamReader, StreamResult,
    VecBuffer,
};

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

fn connection<T>(
    accessor: &Accessor<T, Face>,
    handle: &Resource<Connection>,
) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| access.get().connection(handle))
}

impl wit::Host for View<'_> {}

impl wit::HostConnection for View<'_> {
    fn open(&mut self, database: String) -> Answer<Resource<Connection>> {
        Ok(View::open(self, &database)?.map_err(convert_error))
    }

    async fn execute(
        &mut self,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<wit::Value>,
    ) -> Answer<wit::QueryResult> {
        let parameters = parameters.into_iter().map(Value::from).collect();
        let connection = self.connection(&handle)?;
        let result = connection.execute(statement, parameters).await;
        Ok(result
            .map(|result| wit::QueryResult {
                columns: result.columns,
                rows: result.rows.into_iter().map(row_result).collect(),
            })
            .map_err(convert_error))
    }

    async fn last_insert_rowid(&mut self, handle: Resource<Connection>) -> wasmtime::Result<i64> {
        // The face has no error for these two: a connection that is broken inserted nothing.
        Ok(self
            .connection(&handle)?
            .last_insert_rowid()
            .await
            .unwrap_or(0))
    }

    async fn changes(&mut self, handle: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.connection(&handle)?.changes().await.unwrap_or(0))
    }

    fn drop(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(handle)
    }
}

impl<T: Send + 'static> wit::HostConnectionWithStore<T> for Face {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> Answer<Resource<Connection>> {
        accessor.with(|mut access| wit::HostConnection::open(&mut access.get(), database))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<wit::Value>,
    ) -> Answer<(
        Vec<String>,
        StreamReader<wit::RowResult>,
        FutureReader<Result<(), wit::Error>>,
    )> {
        let parameters = parameters.into_iter().map(Value::from).collect();
        let streamed = connection(accessor, &handle)?
            .stream(statement, parameters)
            .await;
        let Streamed { columns, rows, end } = match streamed {
            Ok(streamed) => streamed,
            Err(error) => return Ok(Err(convert_error(error))),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, RowProducer(rows))?;
            let end = FutureReader::new(&mut access, async move {
                let end = end.await.unwrap_or(Err(Error::Broken));
                wasmtime::error::Ok(end.map_err(convert_error))
            })?;
            Ok(Ok((columns, rows, end)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        Ok(connection(accessor, &handle)?
            .last_insert_rowid()
            .await
            .unwrap_or(0))
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        Ok(connection(accessor, &handle)?.changes().await.unwrap_or(0))
    }
}

/// The rows of a statement as a WIT stream.
struct RowProducer(RowStream);

impl<D> StreamProducer<D> for RowProducer {
    type Item = wit::RowResult;
    type Buffer = VecBuffer<wit::RowResult>;

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
        match self.0.poll_rows(context) {
            Poll::Ready(Some(rows)) => {
                let rows: Vec<_> = rows.into_iter().map(row_result).collect();
                destination.set_buffer(rows.into());
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn row_result(row: Row) -> wit::RowResult {
    wit::RowResult {
        values: row.into_iter().map(wit::Value::from).collect(),
    }
}

impl From<Value> for wit::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
            Value::Null => Self::Null,
        }
    }
}

impl From<wit::Value> for Value {
    fn from(value: wit::Value) -> Self {
        match value {
            wit::Value::Integer(number) => Self::Integer(number),
            wit::Value::Real(number) => Self::Real(number),
            wit::Value::Text(text) => Self::Text(text),
            wit::Value::Blob(bytes) => Self::Blob(bytes),
            wit::Value::Null => Self::Null,
        }
    }
}

/// The room's error as the guest's.
fn convert_error(error: Error) -> wit::Error {
    match Refusal::from(error) {
        Refusal::NoSuchDatabase => wit::Error::NoSuchDatabase,
        Refusal::AccessDenied => wit::Error::AccessDenied,
        Refusal::InvalidConnection => wit::Error::InvalidConnection,
        Refusal::DatabaseFull => wit::Error::DatabaseFull,
        Refusal::Io(words) => wit::Error::Io(words),
    }
}
