//! The face `fermyon:spin/sqlite@2.0.0`, which the SDKs before Spin 4 import. Only translates: what a
//! guest may do is decided in the room.

use super::super::backend::{Error, Row, Value};
use super::{Connection, Refusal, View};
use crate::capability::bindings::sqlite::fermyon_spin as wit;
use wasmtime::component::Resource;

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

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

    fn drop(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(handle)
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
