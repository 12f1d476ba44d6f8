//! The component's face: the export of `wasi:http` and the way of a request through the rest. In
//! comes a request; out goes a response, always: what went wrong is a problem with a status. It never
//! decides what the pure modules can decide.

use wasip3::http::types::{self, ErrorCode, Response};
use wasip3::http_compat::{Request, http_from_wasi_request};

use crate::answer::Answer;
use crate::api::{self, Route};
use crate::guard;
use crate::openapi;
use crate::problem::Problem;
use database::Database;
use surroundings::{trace, variable};

mod database;
mod enrol;
mod exchange;
mod fire;
mod outbound;
#[cfg(feature = "queue")]
mod queued;
mod rotate;
mod send;
mod surroundings;

mod bindings {
    // Generated: it lifts and lowers by the canonical ABI, which is raw pointers.
    #![allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
    #![allow(missing_docs, clippy::all)]
    #[cfg(feature = "queue")]
    use super::Producer;
    #[cfg(feature = "queue")]
    wit_bindgen::generate!({
        path: "../wit",
        world: "signet:worlds/producer",
        generate_all,
    });
    #[cfg(feature = "queue")]
    export!(Producer);
    #[cfg(not(feature = "queue"))]
    wit_bindgen::generate!({
        path: "../wit",
        world: "signet:worlds/portable-producer",
        generate_all,
    });
}

struct Producer;

wasip3::http::service::export!(Producer);

impl wasip3::exports::http::handler::Guest for Producer {
    async fn handle(request: types::Request) -> Result<Response, ErrorCode> {
        let request = http_from_wasi_request(request)?;
        exchange::respond(serve(request).await.unwrap_or_else(Answer::from))
    }
}

async fn serve(request: Request) -> Result<Answer, Problem> {
    let token = variable("admin_token").await?;
    let presented = request.headers().get_all("authorization").iter();
    guard::admit(&token, presented.map(http::HeaderValue::as_bytes))?;
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    match api::route(request.method().as_str(), target)? {
        Route::Register => enrol::register(&exchange::read(request.into_body()).await?).await,
        Route::Fire => {
            let trace = trace(request.headers());
            fire::fire(&trace, &exchange::read(request.into_body()).await?).await
        }
        Route::List => {
            let registrations = Database::open().await?.list().await?;
            Ok(Answer::json(200, "application/json", &registrations))
        }
        Route::Clear => {
            let removed = Database::open().await?.clear().await?;
            #[cfg(feature = "queue")]
            queued::give_up(&removed).await?;
            drop(removed);
            Ok(Answer::empty(204))
        }
        Route::Show(id) => match Database::open().await?.show(id).await? {
            Some(registration) => Ok(Answer::json(200, "application/json", &registration)),
            None => Err(Problem::no_such_registration()),
        },
        Route::Remove(id) => {
            if !Database::open().await?.remove(id.clone()).await? {
                return Err(Problem::no_such_registration());
            }
            #[cfg(feature = "queue")]
            queued::give_up(&[id]).await?;
            Ok(Answer::empty(204))
        }
        Route::Document => Ok(Answer::json(200, "application/json", &openapi::document())),
        Route::Rotate(id) => rotate::rotate(id).await,
        Route::Reseal => rotate::reseal().await,
        #[cfg(feature = "queue")]
        Route::Queued(asked) => queued::serve(asked, request).await,
        #[cfg(not(feature = "queue"))]
        Route::Queued(_) => Err(Problem::no_queue()),
    }
}
