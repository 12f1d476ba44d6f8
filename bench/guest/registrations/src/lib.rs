//! A WASI 0.2 guest for measuring: an app as it was written for Spin 2 and 3. Comes in: `GET /registrations`;
//! goes out: the rows of the table `registrations` as JSON. `POST /registrations` makes the table and its one
//! row. It opens the database anew for each request, as such apps do, and keeps nothing.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]
#![allow(unsafe_code, reason = "generated bindings lift and lower raw memory")]

use fermyon::spin::sqlite::{Connection, Error, RowResult, Value};
use wasip2::http::types::{
    Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

wit_bindgen::generate!({
    path: ["../../../wit/deps/fermyon-spin", "wit"],
    world: "bench:registrations/guest",
    generate_all,
});

struct Registrations;

wasip2::http::proxy::export!(Registrations);

const CREATE: &str = "CREATE TABLE IF NOT EXISTS registrations \
     (url VARCHAR(1024) PRIMARY KEY, event VARCHAR(50) NOT NULL)";
const INSERT: &str = "INSERT OR IGNORE INTO registrations VALUES (?, ?)";
const SELECT: &str = "SELECT url, event FROM registrations";

impl wasip2::exports::http::incoming_handler::Guest for Registrations {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let done = match request.method() {
            Method::Post => make(),
            _ => list(),
        };
        let (status, text) = match done {
            Ok(text) => (200, text),
            Err(error) => (500, format!("{error:?}")),
        };
        let fields = Fields::new();
        let _ = fields.set("content-type", &[b"application/json".to_vec()]);
        let response = OutgoingResponse::new(fields);
        let _ = response.set_status_code(status);
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if let Ok(stream) = body.write() {
            let _ = stream.blocking_write_and_flush(text.as_bytes());
        }
        let _ = OutgoingBody::finish(body, None);
    }
}

fn make() -> Result<String, Error> {
    let database = Connection::open("default")?;
    database.execute(CREATE, &[])?;
    let row = ["http://localhost:3002/target", "*"].map(|text| Value::Text(text.to_owned()));
    database.execute(INSERT, &row)?;
    Ok("[]".to_owned())
}

fn list() -> Result<String, Error> {
    let database = Connection::open("default")?;
    let found = database.execute(SELECT, &[])?;
    let rows: Vec<_> = found.rows.iter().map(registration).collect();
    Ok(serde_json::Value::Array(rows).to_string())
}

fn registration(row: &RowResult) -> serde_json::Value {
    let text = |at: usize| match row.values.get(at) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    serde_json::json!({ "url": text(0), "event": text(1) })
}
