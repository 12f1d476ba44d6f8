//! The queues of a host that runs, through its admin listener. Comes in: its address and the token; goes out: what it
//! answers, and where it does not, one line with the cure. Never prints the token.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use super::super::Failure;
use super::Queues;
use super::place::choose;
use crate::app::TOKEN_VARIABLE;
use crate::queue::operator::Selection;
use crate::queue::wire::{self, MOST, Made, Order, Overview, Page, Query, Refusal, Verb};
use crate::queue::{Change, Changed, Job, JobId, QueueStatus, Shown};

/// How long to wait for an answer: longer than the listener takes for one.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an answer may be, in bytes: a job's body, written as base64, and some.
const LONGEST: usize = 256 << 20;

/// An app's queues at the host that works on them.
pub(super) struct Host {
    listener: Listener,
    app: String,
}

/// Who is asked.
struct Listener {
    /// The address as it was given.
    given: String,
    /// The same without a slash at its end.
    base: String,
    token: HeaderValue,
    client: Client<HttpConnector, Full<Bytes>>,
    runtime: tokio::runtime::Runtime,
}

impl Host {
    pub(super) fn open(
        url: &str,
        token_file: Option<&Path>,
        app: Option<&str>,
    ) -> Result<Self, Failure> {
        let base = base(url)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime")?;
        let listener = Listener {
            given: url.to_owned(),
            base,
            token: token(token_file)?,
            client: Client::builder(TokioExecutor::new()).build_http(),
            runtime,
        };
        let overview: Overview = listener.get("/queues")?;
        let apps: Vec<_> = overview.apps.into_iter().map(|app| app.app).collect();
        let none = format!("at {url} has a queue: ask the host whose app has one");
        let app = choose(app, &apps, &none)?;
        Ok(Self { listener, app })
    }

    /// Where its jobs are.
    fn jobs(&self) -> String {
        let app = utf8_percent_encode(&self.app, NON_ALPHANUMERIC);
        format!("/queues/{app}/jobs")
    }

    fn order(
        &self,
        which: &Selection,
        change: &Change,
        after: Option<JobId>,
        dry_run: bool,
    ) -> Result<Changed, Failure> {
        let order = Order::new(which, change, after, dry_run);
        let path = format!("{}/{}", self.jobs(), Verb::of(change).word());
        let made: Made = self.listener.post(&path, &order)?;
        Ok(made.into())
    }
}

impl Queues for Host {
    fn stats(&self) -> Result<Vec<QueueStatus>, Failure> {
        let overview: Overview = self.listener.get("/queues")?;
        let mut apps = overview.apps.into_iter();
        let own = apps.find(|app| app.app == self.app);
        let queues = own.map(|app| app.queues).unwrap_or_default();
        Ok(queues.into_iter().map(Into::into).collect())
    }

    fn list(
        &self,
        which: &Selection,
        mut after: Option<JobId>,
        most: usize,
    ) -> Result<Vec<Job>, Failure> {
        let mut jobs = Vec::new();
        while jobs.len() < most {
            let query = Query {
                which: which.clone(),
                after,
                limit: (most - jobs.len()).min(MOST),
            };
            let path = format!("{}?{}", self.jobs(), query.text());
            let page: Page = self.listener.get(&path)?;
            jobs.extend(page.jobs.into_iter().map(Job::from));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(jobs)
    }

    fn show(&self, job: JobId, body: bool) -> Result<Option<Shown>, Failure> {
        let path = format!("{}/{job}?body={body}", self.jobs());
        let shown: Option<wire::Shown> = self.listener.find(&path)?;
        Ok(shown.map(Shown::from))
    }

    fn count(&self, which: &Selection, change: &Change) -> Result<u64, Failure> {
        Ok(self.order(which, change, None, true)?.count)
    }

    fn change(
        &self,
        which: &Selection,
        change: &Change,
        after: Option<JobId>,
    ) -> Result<Changed, Failure> {
        self.order(which, change, after, false)
    }
}

impl Listener {
    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let (status, body) = self.ask(Method::GET, path, Bytes::new())?;
        self.read(status, &body)
    }

    /// The same of something that may not be there.
    fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Failure> {
        let (status, body) = self.ask(Method::GET, path, Bytes::new())?;
        if status == StatusCode::NOT_FOUND && serde_json::from_slice::<Refusal>(&body).is_ok() {
            return Ok(None);
        }
        self.read(status, &body).map(Some)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, value: &impl Serialize) -> Result<T, Failure> {
        let body = serde_json::to_vec(value).map_err(anyhow::Error::from)?;
        let (status, body) = self.ask(Method::POST, path, body.into())?;
        self.read(status, &body)
    }

    fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, self.token.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(anyhow::Error::from)?;
        let given = &self.given;
        let exchange = async {
            let response = self.client.request(request).await;
            let response = response.with_context(|| {
                format!(
                    "nobody answers at {given}: start the host with --admin, or name the address that it says there"
                )
            })?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| {
                anyhow!("the answer of {given} did not come to its end: {error}")
            })?;
            Ok((status, body.to_bytes()))
        };
        let answered = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, exchange).await });
        answered.map_err(|_| {
            let seconds = PATIENCE.as_secs();
            Failure::Running(anyhow!(
                "{given} has not answered for {seconds} s: look at the host's log"
            ))
        })?
    }

    fn read<T: DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<T, Failure> {
        let given = &self.given;
        let not_ours = || {
            Failure::Input(anyhow!(
                "at {given} nobody knows of queues: name the address of the admin listener, which the host says \
                 when it starts, and not that of an app"
            ))
        };
        if status.is_success() {
            return serde_json::from_slice(body).map_err(|_| not_ours());
        }
        let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
        let words = refusal.map(|refusal| refusal.error);
        match (status, words) {
            (StatusCode::UNAUTHORIZED, _) => Err(Failure::Input(anyhow!(
                "the host at {given} has another token: give its own with --token-file or {TOKEN_VARIABLE}"
            ))),
            (StatusCode::SERVICE_UNAVAILABLE, Some(words)) => {
                Err(Failure::Running(anyhow!("{words}")))
            }
            (status, Some(words)) if status.is_client_error() => {
                Err(Failure::Input(anyhow!("{words}")))
            }
            (_, Some(words)) => Err(Failure::Running(anyhow!(
                "the host at {given} could not do it: {words}"
            ))),
            (status, None) if status.is_server_error() => Err(Failure::Running(anyhow!(
                "{given} answers {status}: look at the host's log"
            ))),
            (_, None) => Err(not_ours()),
        }
    }
}

/// The address that paths are put behind. What `run --admin` takes is one as well.
fn base(given: &str) -> Result<String, Failure> {
    let wrong = |words: &str| Failure::Input(anyhow!("--admin {given}: {words}"));
    let full = match given.contains("://") {
        true => given.to_owned(),
        false => format!("http://{given}"),
    };
    let url = Url::parse(&full).map_err(|error| {
        wrong(&format!(
            "is no address ({error}): write it like http://127.0.0.1:9090"
        ))
    })?;
    if url.scheme() != "http" {
        return Err(wrong(
            "the admin listener speaks http and nothing else: begin with http://",
        ));
    }
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !is_plain || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(
            "is more than an address: write it like http://127.0.0.1:9090",
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The header that presents the token.
fn token(file: Option<&Path>) -> Result<HeaderValue, Failure> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("the token's file {} cannot be read", file.display()))
            .map_err(Failure::Input)?,
        None => std::env::var(TOKEN_VARIABLE).map_err(|_| {
            Failure::Input(anyhow!(
                "the admin listener shows queues with its token only: name its file with --token-file, or set {TOKEN_VARIABLE}"
            ))
        })?,
    };
    let text = Zeroizing::new(text);
    let header = Zeroizing::new(format!("Bearer {}", text.trim()));
    let mut header = HeaderValue::from_str(&header).map_err(|_| {
        Failure::Input(anyhow!(
            "the token has characters that no token has: take it from the file that the host's token_file names"
        ))
    })?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_run_takes_it_and_as_a_url() {
        for given in [
            "127.0.0.1:9090",
            "http://127.0.0.1:9090",
            "http://127.0.0.1:9090/",
        ] {
            assert_eq!(base(given).unwrap(), "http://127.0.0.1:9090");
        }
        assert_eq!(base("[::1]:9").unwrap(), "http://[::1]:9");
        for (given, words) in [
            ("https://127.0.0.1:9090", "begin with http://"),
            ("http://127.0.0.1:9090/queues", "more than an address"),
            ("http://me@127.0.0.1:9090", "more than an address"),
            ("http://", "is no address"),
            ("", "is no address"),
        ] {
            match base(given).unwrap_err() {
                Failure::Input(error) => {
                    assert!(error.to_string().contains(words), "{given}: {error}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
