//! What the admin listener answers. Comes in: a request's path and token; goes out: a few lines of text, or what
//! the queues answer.
//! `/healthz` needs no token where there is one for the rest: it tells only that the process lives.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;

use super::token::Token;
use super::{Queues, Stage, queues};
use crate::metrics::Metrics;

/// What `/readyz` looks at.
pub struct Checks {
    /// How far the host is.
    pub stage: Arc<Stage>,
    /// The folder of all databases and stores.
    pub state_dir: PathBuf,
}

impl Checks {
    /// Why no requests should be sent here, if so.
    fn obstacle(&self) -> Option<&'static str> {
        if !self.stage.is_ready() {
            Some("the host does not take requests: it starts or stops")
        } else if !self.state_dir.is_dir() {
            Some("the state folder is gone")
        } else {
            None
        }
    }
}

/// What answers.
pub(super) struct Desk {
    pub(super) token: Option<Token>,
    pub(super) checks: Checks,
    pub(super) metrics: Arc<Metrics>,
    pub(super) queues: Arc<Queues>,
}

impl Desk {
    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes, Error: Display>,
    {
        let token = self.token.as_ref();
        let path = request.uri().path();
        let opens = token.is_none_or(|token| token.opens(request.headers().get(AUTHORIZATION)));
        if !opens && path != HEALTH {
            let mut response = text(StatusCode::UNAUTHORIZED, "a token is needed".to_owned());
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            return response;
        }
        if queues::is_ours(path) {
            return match token {
                Some(_) => self.queues.answer(request).await,
                None => queues::without_token(),
            };
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "GET it".to_owned());
            let methods = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, methods);
            return response;
        }
        match path {
            HEALTH => text(StatusCode::OK, "alive".to_owned()),
            "/readyz" => match self.checks.obstacle() {
                None => text(StatusCode::OK, "ready".to_owned()),
                Some(obstacle) => text(StatusCode::SERVICE_UNAVAILABLE, obstacle.to_owned()),
            },
            "/metrics" => {
                self.metrics.look().await;
                let mut response = text(StatusCode::OK, self.metrics.text());
                let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, format);
                response
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "there is /healthz, /readyz, /metrics and /queues".to_owned(),
            ),
        }
    }
}

const HEALTH: &str = "/healthz";

fn text(status: StatusCode, mut text: String) -> Response<Full<Bytes>> {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
