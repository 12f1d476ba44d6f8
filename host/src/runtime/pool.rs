//! Instances that serve requests: reuses them where the component's WASI allows it, ends those that
//! run over their deadline. Comes in: a request; goes out: a response, or why there is none. With its
//! folder the only place that names Wasmtime's wasi-http handler. One pool belongs to one thread; never
//! blocks it.

mod answer;
mod chain;
mod desk;
mod guest;
mod maker;
mod slot;
mod thread;
mod ticket;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use wasmtime::WasmBacktrace;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError, ProxyHandler};

use super::state::State;
use crate::capability::bindings::queue::{HostQueuePre, types};
pub use crate::capability::http::allow::Within;
pub use crate::capability::http::{Asking, Inside};
use crate::telemetry::RequestId;
use answer::Watched;
use desk::Desk;
pub use guest::{Guest, Limits, Loaded};
use maker::{Company, Crowded, Maker};
pub use slot::Slot;
pub use thread::Thread;
use ticket::Ticket;

/// Why a request has no response from the guest.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The guest trapped, or broke the rules of its interface.
    #[error("the guest failed: {0}")]
    Failed(String),
    /// The guest did not begin its response in time.
    #[error("the guest did not answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// There are as many requests or instances as there may be.
    #[error("the host is full: {0}")]
    Full(String),
}

/// The instances of one component on one thread.
pub struct Pool {
    shared: ProxyHandler<Maker>,
    /// Instances that serve one request each.
    alone: ProxyHandler<Maker>,
    /// Makes instances that work on jobs.
    working: Arc<Maker>,
    /// Those that may take another job.
    desks: Mutex<Vec<Desk>>,
}

impl Pool {
    /// A pool without instances: they are made as requests come. `inside` answers what they ask of their
    /// own app.
    pub fn new(loaded: Arc<Loaded>, inside: Arc<dyn Inside>, thread: Arc<Thread>) -> Self {
        let client = loaded.guest.http.client();
        let maker = |company| Maker {
            loaded: Arc::clone(&loaded),
            client: client.clone(),
            inside: Arc::clone(&inside),
            thread: Arc::clone(&thread),
            company,
        };
        Self {
            shared: ProxyHandler::new(maker(Company::Shared)),
            alone: ProxyHandler::new(maker(Company::Alone)),
            working: Arc::new(maker(Company::Shared)),
            desks: Mutex::default(),
        }
    }

    /// The guest this pool serves.
    pub fn guest(&self) -> &Guest {
        self.loaded().guest()
    }

    fn loaded(&self) -> &Loaded {
        &self.shared.state().loaded
    }

    /// Lets the guest answer one request, which the log knows as `id`, after `complete` has put in what the host
    /// tells the guest, which is the same for each attempt and need not be kept. The deadline covers the wait
    /// for an instance as well.
    ///
    /// An instance serves several requests: one that traps takes all of them along, one that computes holds
    /// all of them up. Those that suffer from another request so are tried once more, each in an instance of
    /// its own, if HTTP allows it: the method is idempotent (RFC 9110, 9.2.2) and there is no body.
    pub async fn handle(
        &self,
        request: ::http::Request<WasiBody>,
        id: RequestId,
        complete: impl Fn(&mut ::http::request::Parts),
    ) -> Result<::http::Response<WasiBody>, HandleError> {
        let answer = self.answer(request, id, complete).await;
        match &answer {
            Err(HandleError::Deadline(_)) => drop(self.guest().metrics.deadlines.inc()),
            Err(HandleError::Full(_)) => drop(self.guest().metrics.full.inc()),
            Ok(_) | Err(HandleError::Failed(_)) => {}
        }
        answer
    }

    /// Lets the guest work on a job, for as long as one attempt may take. Never fails: what goes wrong is an
    /// outcome. Needs the runtime of the pool's thread.
    pub async fn work(&self, job: types::Job, time: Duration) -> types::Outcome {
        let Some(worker) = &self.loaded().worker else {
            return desk::again("the component has no worker".to_owned());
        };
        let outcome = self.desk(Box::new(job), Instant::now() + time, worker);
        let gone = || desk::again("the instance is gone with its thread".to_owned());
        match outcome {
            Some(outcome) => outcome.await.unwrap_or_else(|_| gone()),
            None => gone(),
        }
    }

    /// Gives a job to an instance that has a place for it, or to a new one.
    fn desk(
        &self,
        mut job: Box<types::Job>,
        deadline: Instant,
        worker: &HostQueuePre<State>,
    ) -> Option<oneshot::Receiver<types::Outcome>> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.retain(|desk| !desk.is_closed());
        for desk in desks.iter() {
            match desk.take(job, deadline) {
                Ok(outcome) => return Some(outcome),
                Err(back) => job = back,
            }
        }
        let desk = Desk::open(Arc::clone(&self.working), worker.clone());
        let outcome = desk.take(job, deadline).ok();
        desks.push(desk);
        outcome
    }

    async fn answer(
        &self,
        request: ::http::Request<WasiBody>,
        id: RequestId,
        complete: impl Fn(&mut ::http::request::Parts),
    ) -> Result<::http::Response<WasiBody>, HandleError> {
        self.shared.state().thread.gives_way();
        let completed = |request: ::http::Request<WasiBody>| {
            let (mut parts, body) = request.into_parts();
            complete(&mut parts);
            ::http::Request::from_parts(parts, body)
        };
        let Ok(turn) = Arc::clone(&self.loaded().turns).try_acquire_owned() else {
            let limit = self.guest().limits.max_requests;
            return Err(HandleError::Full(format!(
                "{limit} requests to the component are under way"
            )));
        };
        let turn = Arc::new(turn);
        let deadline = Instant::now() + self.guest().limits.request_timeout;
        let depth = chain::depth(&request);
        // Who is alone in its instance suffers from nobody.
        let again = match self.shared.state().is_alone() {
            true => None,
            false => repeatable(&request),
        };
        let ticket = Ticket::new(id, depth);
        let first = self.attempt(&self.shared, completed(request), &ticket, deadline, &turn);
        let Some(request) = again else {
            return first.await;
        };
        let suffers = tokio::select! {
            biased;
            answer = first => match answer {
                Err(HandleError::Failed(_)) if ticket.fell_in_company() => "the instance fell",
                answer => return answer,
            },
            () = ticket.stuck() => "the instance computes",
        };
        tracing::debug!(
            component = self.guest().name,
            request = %id,
            reason = suffers,
            "a request is tried once more, in an instance of its own"
        );
        let ticket = Ticket::new(id, depth);
        self.attempt(&self.alone, completed(request), &ticket, deadline, &turn)
            .await
    }

    async fn attempt(
        &self,
        instances: &ProxyHandler<Maker>,
        request: ::http::Request<WasiBody>,
        ticket: &Arc<Ticket>,
        deadline: Instant,
        turn: &Arc<OwnedSemaphorePermit>,
    ) -> Result<::http::Response<WasiBody>, HandleError> {
        let limits = &self.guest().limits;
        let answer = instances.handle(Arc::clone(ticket), request);
        let response = match tokio::time::timeout_at(deadline, answer).await {
            Err(_) => return Err(HandleError::Deadline(limits.request_timeout)),
            // An instance that is ended from outside, because it never yields, drops its requests
            // without a word: the clock tells these from the ones that a trap took along.
            Ok(Err(_)) if Instant::now() >= deadline => {
                return Err(HandleError::Deadline(limits.request_timeout));
            }
            Ok(Err(error)) => return Err(self.failure(error, ticket)),
            Ok(Ok(response)) => response,
        };
        ticket.answered();
        let end = Instant::now() + limits.response_timeout;
        let (parts, body) = response.into_parts();
        let body = Watched::new(body, Arc::clone(ticket), end, Arc::clone(turn));
        let body = body.settle().await.map_err(|error| match ticket.fell() {
            Some(reason) => HandleError::Failed(reason.to_owned()),
            None => HandleError::Failed(error.to_string()),
        })?;
        ticket.settled();
        Ok(::http::Response::from_parts(parts, body))
    }

    fn failure(&self, error: wasmtime::Error, ticket: &Ticket) -> HandleError {
        if error.is::<ExpirationError>() {
            return HandleError::Deadline(self.guest().limits.request_timeout);
        }
        match error.downcast::<InstantiationError<Arc<Ticket>>>() {
            Ok(none)
                if none.error.is::<wasmtime::PoolConcurrencyLimitError>()
                    || none.error.is::<Crowded>() =>
            {
                HandleError::Full(none.error.to_string())
            }
            Ok(none) => HandleError::Failed(format!("{:#}", none.error)),
            Err(error) => {
                if let Some(reason) = ticket.fell() {
                    return HandleError::Failed(reason.to_owned());
                }
                // A handler of WASI 0.2 that traps does not take its instance's worker along.
                if error.is::<WasmBacktrace>() {
                    maker::report(self.guest(), &[ticket.id()], &error);
                }
                HandleError::Failed(error.root_cause().to_string())
            }
        }
    }
}

/// The request once more, if HTTP allows that it is sent twice without being asked for.
fn repeatable(request: &::http::Request<WasiBody>) -> Option<::http::Request<WasiBody>> {
    use http_body::Body as _;
    use http_body_util::BodyExt as _;
    if !request.method().is_idempotent() || !request.body().is_end_stream() {
        return None;
    }
    let mut again = ::http::Request::new(
        http_body_util::Empty::new()
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.version_mut() = request.version();
    again.headers_mut().clone_from(request.headers());
    again.extensions_mut().clone_from(request.extensions());
    Some(again)
}
