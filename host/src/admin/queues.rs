//! The queues of the apps that run, for whoever knows the token. Comes in: a request below `/queues`; goes out: JSON,
//! and changes a portion at a time. Never shows what a job carries unless it was asked for, never changes anything
//! unless it was told that it is no trial, and never keeps an engine open.

use std::fmt::Display;
use std::pin::pin;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::queue::operator::{Of, Refused};
use crate::queue::wire::{AppQueues, Made, Order, Overview, Page, Query, Refusal, Shown, Verb};
use crate::queue::{Backend, JobId, QueueName};

/// Below this are the queues.
const ROOT: &str = "/queues";

/// How long the body of a request may be, in bytes.
const LONGEST: usize = 64 << 10;
/// How much of a longer one is read and dropped: who still sends does not hear the answer.
const DROPPED: usize = 1 << 20;

/// The apps that have queues; none before they are opened.
#[derive(Default)]
pub struct Queues(OnceLock<Vec<App>>);

/// An app that has queues.
pub struct App {
    /// Its name.
    pub name: String,
    /// What keeps its jobs. Whoever asks last must not be who closes the file.
    pub engine: Weak<dyn Backend>,
    /// Its queues.
    pub queues: Vec<QueueName>,
}

impl Queues {
    /// From now on they are answered for.
    pub fn open(&self, apps: Vec<App>) {
        // A host starts once.
        let _ = self.0.set(apps);
    }
}

/// Why a request was not answered.
#[derive(Debug)]
struct Failed {
    status: StatusCode,
    words: String,
    header: Option<(http::HeaderName, &'static str)>,
}

impl Failed {
    fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self {
            status,
            words: words.into(),
            header: None,
        }
    }

    fn input(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, words)
    }

    fn response(self) -> Response<Full<Bytes>> {
        let mut response = json(self.status, &Refusal { error: self.words });
        if let Some((name, value)) = self.header {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown { .. } => Self::input(refused.to_string()),
            Refused::Engine(error) => error.into(),
        }
    }
}

impl From<crate::queue::Error> for Failed {
    fn from(error: crate::queue::Error) -> Self {
        let mut words = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            words.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, words)
    }
}

/// What a path leads to.
enum Place<'a> {
    All,
    Jobs(&'a str),
    Change(&'a str, Verb),
    Job(&'a str, &'a str),
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix(ROOT)?;
        if rest.is_empty() {
            return Some(Self::All);
        }
        let mut parts = rest.strip_prefix('/')?.split('/');
        match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
            (app, "jobs", None, None) => Some(Self::Jobs(app)),
            (app, "jobs", Some(last), None) => match Verb::named(last) {
                Some(verb) => Some(Self::Change(app, verb)),
                None => Some(Self::Job(app, last)),
            },
            _ => None,
        }
    }

    fn check(&self, method: &Method) -> Result<(), Failed> {
        let (fits, words, allow) = match self {
            Self::Change(..) => (*method == Method::POST, "POST it", "POST"),
            _ => (
                matches!(*method, Method::GET | Method::HEAD),
                "GET it",
                "GET, HEAD",
            ),
        };
        if fits {
            return Ok(());
        }
        let mut failed = Failed::new(StatusCode::METHOD_NOT_ALLOWED, words);
        failed.header = Some((ALLOW, allow));
        Err(failed)
    }
}

/// Whether a path is one that is answered here.
pub(super) fn is_ours(path: &str) -> bool {
    path.strip_prefix(ROOT)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is said where there is no token: jobs carry what is nobody else's on this machine either.
pub(super) fn without_token() -> Response<Full<Bytes>> {
    let words = "the queues are shown and changed with a token only, and this host has none: set \
                 SIGNET_ADMIN_TOKEN or `token_file` under [admin] in signet.toml, and start it again";
    Failed::new(StatusCode::FORBIDDEN, words).response()
}

impl Queues {
    /// Answers whoever presented the token.
    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes, Error: Display>,
    {
        match self.answered(request).await {
            Ok(response) => response,
            Err(failed) => failed.response(),
        }
    }

    async fn answered<B>(&self, request: Request<B>) -> Result<Response<Full<Bytes>>, Failed>
    where
        B: Body<Data = Bytes, Error: Display>,
    {
        let (parts, body) = request.into_parts();
        let place = Place::of(parts.uri.path()).ok_or_else(|| {
            let words = "there is /queues, /queues/APP/jobs, /queues/APP/jobs/JOB and \
                         /queues/APP/jobs/retry, dead and purge";
            Failed::new(StatusCode::NOT_FOUND, words)
        })?;
        place.check(&parts.method)?;
        let query = parts.uri.query().unwrap_or("");
        match place {
            Place::All => {
                nothing(query)?;
                let mut apps = Vec::new();
                for app in self.apps()? {
                    let stats = app.engine()?.stats().await?;
                    apps.push(AppQueues {
                        app: app.name.clone(),
                        queues: stats.into_iter().map(Into::into).collect(),
                    });
                }
                Ok(json(StatusCode::OK, &Overview { apps }))
            }
            Place::Jobs(app) => {
                let app = self.app(app)?;
                let query = Query::read(query).map_err(Failed::input)?;
                let engine = app.engine()?;
                let of = app.of(&*engine);
                let jobs = query.which.list(of, query.after, query.limit).await?;
                let next = jobs.last().filter(|_| jobs.len() == query.limit);
                let page = Page {
                    next: next.map(|last| last.id),
                    jobs: jobs.iter().map(Into::into).collect(),
                };
                Ok(json(StatusCode::OK, &page))
            }
            Place::Job(app, job) => {
                let app = self.app(app)?;
                let body = match query {
                    "" | "body=false" => false,
                    "body=true" => true,
                    _ => return Err(Failed::input("there is `body=true` to ask for and no more")),
                };
                let job: JobId = job.parse().map_err(|error| {
                    Failed::new(StatusCode::NOT_FOUND, format!("`{job}`: {error}"))
                })?;
                let shown = app.engine()?.show(job).await?.ok_or_else(|| {
                    let words = format!("job {job} is not there: it may be past its retention");
                    Failed::new(StatusCode::NOT_FOUND, words)
                })?;
                Ok(json(StatusCode::OK, &Shown::of(&shown, body)))
            }
            Place::Change(app, verb) => {
                let app = self.app(app)?;
                nothing(query)?;
                let order = order(&read(body).await?)?;
                let change = order.change(verb).map_err(Failed::input)?;
                let which = order.which();
                let engine = app.engine()?;
                let of = app.of(&*engine);
                let made = match order.dry_run {
                    true => Made {
                        dry_run: true,
                        count: which.count(of, &change).await?,
                        next: None,
                    },
                    false => {
                        let changed = which.change(of, &change, order.after).await?;
                        let (verb, count) = (verb.word(), changed.count);
                        tracing::info!(app = app.name, count, "jobs were changed by hand: {verb}");
                        Made {
                            dry_run: false,
                            count,
                            next: changed.next,
                        }
                    }
                };
                Ok(json(StatusCode::OK, &made))
            }
        }
    }

    fn apps(&self) -> Result<&[App], Failed> {
        match self.0.get() {
            Some(apps) => Ok(apps),
            None => Err(later("the host starts: ask again in a moment")),
        }
    }

    fn app(&self, part: &str) -> Result<&App, Failed> {
        let apps = self.apps()?;
        let name = percent_decode_str(part).decode_utf8_lossy();
        apps.iter().find(|app| app.name == name).ok_or_else(|| {
            let names: Vec<_> = apps.iter().map(|app| &*app.name).collect();
            let names = match names.is_empty() {
                true => "no app of this host has one".to_owned(),
                false => format!("name one of {}", names.join(", ")),
            };
            let words = format!("app `{name}` has no queue: {names}");
            Failed::new(StatusCode::NOT_FOUND, words)
        })
    }
}

impl App {
    fn of<'a>(&'a self, engine: &'a dyn Backend) -> Of<'a> {
        Of {
            engine,
            configured: &self.queues,
        }
    }

    fn engine(&self) -> Result<Arc<dyn Backend>, Failed> {
        self.engine
            .upgrade()
            .ok_or_else(|| later("the host stops: ask the one that comes after it"))
    }
}

fn later(words: &str) -> Failed {
    let mut failed = Failed::new(StatusCode::SERVICE_UNAVAILABLE, words);
    failed.header = Some((RETRY_AFTER, "1"));
    failed
}

/// Nothing is asked for where there is nothing to ask for.
fn nothing(query: &str) -> Result<(), Failed> {
    match query.is_empty() {
        true => Ok(()),
        false => Err(Failed::input(
            "nothing can stand behind a question mark here: leave it out, what is to be changed goes into the body",
        )),
    }
}

fn order(body: &[u8]) -> Result<Order, Failed> {
    Order::read(body)
        .map_err(|error| Failed::input(format!("the body is no order in JSON: {error}")))
}

/// The body, if it is not too long.
async fn read<B>(body: B) -> Result<Vec<u8>, Failed>
where
    B: Body<Data = Bytes, Error: Display>,
{
    let mut body = pin!(body);
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Failed::input(format!("the body did not come to its end: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length += data.len();
        if length <= LONGEST {
            kept.extend_from_slice(&data);
        } else if length > DROPPED {
            break;
        }
    }
    match length <= LONGEST {
        true => Ok(kept),
        false => Err(Failed::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is longer than 64 KiB: name fewer jobs at once, or what they have in common",
        )),
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    // Words, numbers and lists of them: there is nothing that JSON does not have.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

#[cfg(test)]
#[path = "tests/queues.rs"]
mod tests;
