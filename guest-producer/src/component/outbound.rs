//! Calls to consumers, over `wasi:http`. In come a target, headers, a body and a time limit; out goes
//! a [`Reply`] or a [`Failure`]. It never follows a redirect, never keeps more than the beginning of an
//! answer's body, and never takes longer than the limit, which is one for connecting, head and body.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use wasip3::clocks::monotonic_clock;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, RequestOptions, Response, Scheme};
use wasip3::wit_bindgen::StreamResult;
use wasip3::{wit_future, wit_stream};

use crate::delivery::Failure;
use crate::target::Target;
use crate::verdict::{EXCERPT_LIMIT, Reply};

/// How much of an answer's body is read, so that its connection can be used again; then it is cut.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How much is written at once. All deliveries of an event share one body until then.
const CHUNK: usize = 64 * 1024;

/// One `POST`.
pub(super) struct Call<'a> {
    pub(super) target: &'a Target,
    pub(super) path: &'a str,
    pub(super) headers: Vec<(&'a str, String)>,
    pub(super) body: Rc<[u8]>,
    pub(super) limit: Duration,
}

/// Makes the call.
pub(super) async fn post(call: Call<'_>) -> Result<Reply, Failure> {
    let limit = u64::try_from(call.limit.as_nanos()).unwrap_or(u64::MAX);
    let late = pin!(monotonic_clock::wait_for(limit));
    let (response, late) = match select(pin!(exchange(call, limit)), late).await {
        Either::Left((response, late)) => (response.map_err(failure)?, late),
        Either::Right(_) => return Err(Failure::TimedOut),
    };
    let mut reply = Reply {
        status: response.get_status_code(),
        retry_after: retry_after(&response.get_headers()),
        excerpt: Vec::new(),
    };
    // The consumer has spoken: a body that is slow to come takes nothing back.
    select(pin!(read(response, &mut reply.excerpt)), late).await;
    Ok(reply)
}

fn retry_after(headers: &Fields) -> Option<String> {
    let mut values = headers.get("retry-after");
    let value = values.pop().filter(|_| values.is_empty())?;
    String::from_utf8(value).ok()
}

async fn exchange(call: Call<'_>, limit: u64) -> Result<Response, ErrorCode> {
    let (mut writer, contents) = wit_stream::new();
    let (ended, trailers) = wit_future::new(|| Ok(None));
    let owned = |(name, value): (&str, String)| (name.to_string(), value.into_bytes());
    let mut headers: Vec<_> = call.headers.into_iter().map(owned).collect();
    headers.push((
        "content-length".to_string(),
        call.body.len().to_string().into_bytes(),
    ));
    let invalid = |error| ErrorCode::InternalError(Some(format!("{error:?}")));
    let headers = Fields::from_list(&headers).map_err(invalid)?;
    let (request, _sent) = Request::new(headers, Some(contents), trailers, Some(options(limit)));
    let scheme = if call.target.is_secure() {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_method(&Method::Post).map_err(refused)?;
    request.set_scheme(Some(&scheme)).map_err(refused)?;
    request
        .set_authority(Some(call.target.authority()))
        .map_err(refused)?;
    request
        .set_path_with_query(Some(call.path))
        .map_err(refused)?;

    let body = call.body;
    let writing = pin!(async move {
        for chunk in body.chunks(CHUNK) {
            if !writer.write_all(chunk.to_vec()).await.is_empty() {
                break;
            }
        }
        drop(writer);
        drop(ended);
    });
    // An answer may come before the whole body was taken: then the rest is not needed.
    match select(pin!(client::send(request)), writing).await {
        Either::Left((response, _)) => response,
        Either::Right(((), sending)) => sending.await,
    }
}

fn options(limit: u64) -> RequestOptions {
    let options = RequestOptions::new();
    // A host may support none of them: the timer of `post` holds all the same.
    let _unsupported = options.set_connect_timeout(Some(limit));
    let _unsupported = options.set_first_byte_timeout(Some(limit));
    let _unsupported = options.set_between_bytes_timeout(Some(limit));
    options
}

async fn read(response: Response, excerpt: &mut Vec<u8>) {
    let (_handled, handling) = wit_future::new(|| Ok(()));
    let (mut stream, _trailers) = Response::consume_body(response, handling);
    let mut read = 0;
    let mut buffer = Vec::with_capacity(4096);
    while read < ANSWER_LIMIT {
        let (result, filled) = stream.read(buffer).await;
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
        read += filled.len();
        let room = EXCERPT_LIMIT.saturating_sub(excerpt.len());
        excerpt.extend(filled.iter().take(room));
        buffer = filled;
        buffer.clear();
    }
}

fn failure(error: ErrorCode) -> Failure {
    match error {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Failure::Denied,
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Failure::TimedOut,
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            Failure::Unreachable("host not found".to_string())
        }
        ErrorCode::ConnectionRefused => Failure::Unreachable("connection refused".to_string()),
        ErrorCode::ConnectionTerminated => {
            Failure::Unreachable("connection terminated".to_string())
        }
        ErrorCode::ConnectionLimitReached => {
            Failure::Unreachable("too many connections are open".to_string())
        }
        ErrorCode::InternalError(Some(why)) => Failure::Unreachable(why),
        other => Failure::Unreachable(format!("{other}").replace("ErrorCode::", "")),
    }
}
