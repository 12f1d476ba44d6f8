//! Bodies and answers between `wasi:http` and the pure modules. In come a request's body, and later an
//! [`Answer`]; out go bytes and a response. It never reads a body beyond the limit.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use wasip3::http::types::{ErrorCode, Response};
use wasip3::http_compat::{IncomingRequestBody, http_into_wasi_response};

use crate::answer::Answer;
use crate::problem::{BODY_LIMIT, Problem};

/// The whole body.
pub(super) async fn read(body: IncomingRequestBody) -> Result<Vec<u8>, Problem> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large()),
        Err(error) => Err(Problem::invalid(vec![format!(
            "body is incomplete: {error}"
        )])),
    }
}

/// The response that carries `answer`.
pub(super) fn respond(answer: Answer) -> Result<Response, ErrorCode> {
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    if answer.status != 204 {
        response = response.header(http::header::CONTENT_LENGTH, answer.body.len());
    }
    let internal = |error: http::Error| ErrorCode::InternalError(Some(error.to_string()));
    http_into_wasi_response(response.body(answer.body).map_err(internal)?)
}
