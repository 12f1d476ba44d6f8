//! What the producer does at `POST /fire`, natively: make the two tags of a payload for each consumer, send all of
//! them at once, wait for all answers. Its registrations are in memory, which the producer's are not.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use super::verify::tag;
use super::{Arguments, status};

/// Whom to call, and with what.
pub(super) struct Fire {
    client: Client<HttpConnector, Full<Bytes>>,
    urls: Vec<String>,
    secret: String,
}

const ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const PAYLOAD: &[u8] = br#"{"event":"sample.sent","data":{"amount":1}}"#;

impl Fire {
    pub(super) fn new(arguments: &Arguments) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut client = Client::builder(TokioExecutor::new());
        let path = if arguments.unpooled {
            client.pool_max_idle_per_host(0);
            "close"
        } else {
            "target"
        };
        let urls = arguments.sink.into_iter().flat_map(|sink| {
            (0..arguments.consumers).map(move |number| format!("http://{sink}/{path}/{number}"))
        });
        Self {
            client: client.build(connector),
            urls: urls.collect(),
            secret: arguments.secret.clone(),
        }
    }

    pub(super) async fn answer(&self) -> Response<Full<Bytes>> {
        let key = self.secret.as_bytes();
        let now = SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .as_secs();
        let mut calls = JoinSet::new();
        for url in &self.urls {
            let mut content = format!("{ID}.{now}.").into_bytes();
            content.extend_from_slice(PAYLOAD);
            let request = Request::post(url)
                .header("content-type", "application/json")
                .header("x-signature", tag(key, PAYLOAD))
                .header("webhook-id", ID)
                .header("webhook-timestamp", now)
                .header("webhook-signature", format!("v1,{}", tag(key, &content)))
                .body(Full::new(Bytes::from_static(PAYLOAD)));
            let Ok(request) = request else {
                return status(StatusCode::INTERNAL_SERVER_ERROR);
            };
            let call = self.client.request(request);
            calls.spawn(async move {
                let response = call.await.ok()?;
                let good = response.status().is_success();
                response.into_body().collect().await.ok()?;
                good.then_some(())
            });
        }
        let delivered = calls.join_all().await.into_iter().flatten().count();
        if delivered < self.urls.len() {
            return status(StatusCode::BAD_GATEWAY);
        }
        let text = format!("{{\"delivered\":{delivered}}}");
        Response::new(Full::new(Bytes::from(text)))
    }
}
