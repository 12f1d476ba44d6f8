//! Instances that serve requests: reuses them where the component's WASI allows it, ends those that
//! run over their deadline. Comes in: a request; goes out: a response, or why there is none. The only
//! file that names Wasmtime's wasi-http handler. One pool belongs to one thread; never blocks it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::Sleep;
use wasmtime::component::{Component, GuestTaskId, Linker};
use wasmtime::{Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi_http::handler::{
    ExpirationError, HandlerState, Instance, InstantiationError, ProxyHandler, ProxyPre,
    ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{WasiBody, WasiHttpCtx, WasiHttpView as _};

use super::state::{MemoryAccount, State};
use crate::capability::{Grants, http, keyvalue, sqlite, variables};
use crate::telemetry::{Lines, Stream};

/// How one component's instances are used and bounded.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a request may take until its response begins, and after that how long the response may
    /// take until it ends.
    pub request_timeout: Duration,
    /// How much memory one instance may have, in bytes, over all its linear memories and tables.
    pub memory: usize,
    /// How many requests one instance serves before it is dropped. WASI 0.2: always 1.
    pub max_reuse: usize,
    /// How many requests one instance serves at once. WASI 0.2: always 1.
    pub max_concurrent: usize,
    /// How long an instance without work is kept.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    /// Reuse and concurrency are those of `wasmtime serve`.
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            memory: 256 << 20,
            max_reuse: 128,
            max_concurrent: 16,
            idle_timeout: Duration::from_secs(1),
        }
    }
}

/// A component as its manifest describes it: what each of its instances gets.
pub struct Guest {
    /// The component's name in its manifest.
    pub name: String,
    /// The name in front of its lines.
    pub label: Arc<str>,
    /// Where its lines go.
    pub lines: Lines,
    /// Its environment variables.
    pub environment: Vec<(String, String)>,
    /// Its bounds.
    pub limits: Limits,
    /// The databases, and which of them it may open.
    pub sqlite: (sqlite::Shared, Arc<Grants>),
    /// The key-value stores, and which of them it may open.
    pub keyvalue: (keyvalue::Shared, Arc<Grants>),
    /// Its variables.
    pub variables: Arc<variables::Resolved>,
    /// Its way out.
    pub http: http::Shared,
}

/// A guest that is compiled, checked against the Linker and ready to be instantiated on any thread.
pub struct Loaded {
    guest: Guest,
    pre: ProxyPre<State>,
}

impl Loaded {
    /// Checks that the Linker has what the component imports, with the same types, and that the
    /// component exports an HTTP handler of WASI 0.3 or 0.2.
    pub fn new(
        linker: &Linker<State>,
        component: &Component,
        guest: Guest,
    ) -> wasmtime::Result<Self> {
        let instance = linker.instantiate_pre(component)?;
        let pre = match wasmtime_wasi_http::p3::bindings::ServicePre::new(instance.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(_) => ProxyPre::P2(wasmtime_wasi_http::p2::bindings::ProxyPre::new(instance)?),
        };
        Ok(Self { guest, pre })
    }

    /// The guest as it was described.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// The version of WASI that the guest's handler is of.
    pub fn wasi(&self) -> &'static str {
        match self.pre {
            ProxyPre::P2(_) => "0.2",
            ProxyPre::P3(_) => "0.3",
        }
    }
}

/// Why a request has no response from the guest.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The guest trapped, or broke the rules of its interface.
    #[error("the guest failed: {0}")]
    Failed(wasmtime::Error),
    /// The guest did not begin its response in time.
    #[error("the guest did not answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// There are as many requests or instances as there may be.
    #[error("the host is full: {0}")]
    Full(String),
}

/// How many instances may live at once on one thread, all components together.
pub const INSTANCES_PER_THREAD: u32 = 512;

/// The instances of one component on one thread.
#[derive(Clone)]
pub struct Pool {
    handler: ProxyHandler<Maker>,
    /// A turn for each request that the instances of one thread can have under way.
    turns: Arc<Semaphore>,
}

impl Pool {
    /// A pool without instances: they are made as requests come. `ending` is set before the thread's
    /// runtime goes, which takes along the instances that are left.
    pub fn new(loaded: Arc<Loaded>, client: http::Client, ending: Arc<AtomicBool>) -> Self {
        let instances = usize::try_from(INSTANCES_PER_THREAD).unwrap_or(usize::MAX);
        let requests = instances
            .saturating_mul(loaded.max_concurrent())
            .min(Semaphore::MAX_PERMITS);
        let maker = Maker {
            loaded,
            client,
            ending,
        };
        Self {
            handler: ProxyHandler::new(maker),
            turns: Arc::new(Semaphore::new(requests)),
        }
    }

    /// The guest this pool serves.
    pub fn guest(&self) -> &Guest {
        &self.handler.state().loaded.guest
    }

    /// Lets the guest answer one request. The deadline covers the wait for an instance as well.
    pub async fn handle(
        &self,
        request: ::http::Request<WasiBody>,
    ) -> Result<::http::Response<WasiBody>, HandleError> {
        let Ok(_turn) = self.turns.try_acquire() else {
            return Err(HandleError::Full(
                "too many requests are under way".to_owned(),
            ));
        };
        let deadline = self.guest().limits.request_timeout;
        let started = Instant::now();
        let answer = tokio::time::timeout(deadline, self.handler.handle((), request)).await;
        let Ok(answer) = answer else {
            return Err(HandleError::Deadline(deadline));
        };
        answer.map_err(|error| {
            // An instance that is ended from outside, because it never yields, drops its requests
            // without a word: the clock tells these from the ones that a trap took along.
            if error.is::<ExpirationError>() || started.elapsed() >= deadline {
                return HandleError::Deadline(deadline);
            }
            match error.downcast::<InstantiationError<()>>() {
                Ok(none) if none.error.is::<wasmtime::PoolConcurrencyLimitError>() => {
                    HandleError::Full(none.error.to_string())
                }
                Ok(none) => HandleError::Failed(wasmtime::Error::msg(format!("{:#}", none.error))),
                Err(error) => HandleError::Failed(error),
            }
        })
    }
}

/// Makes instances.
struct Maker {
    loaded: Arc<Loaded>,
    client: http::Client,
    ending: Arc<AtomicBool>,
}

impl Maker {
    fn store(&self) -> Store<State> {
        let guest = &self.loaded.guest;
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(guest.lines.stream(&guest.label, Stream::Stdout))
            .stderr(guest.lines.stream(&guest.label, Stream::Stderr))
            // The default of the builder is open to names; nothing is granted by default here.
            .allow_ip_name_lookup(false)
            .allow_tcp(false)
            .allow_udp(false);
        for (name, value) in &guest.environment {
            wasi.env(name, value);
        }
        let state = State {
            wasi: wasi.build(),
            wasi_http: WasiHttpCtx::new(),
            table: wasmtime::component::ResourceTable::new(),
            http: guest.http.ctx(&self.client),
            sqlite: guest.sqlite.0.ctx(&guest.sqlite.1),
            keyvalue: guest.keyvalue.0.ctx(&guest.keyvalue.1),
            variables: Arc::clone(&guest.variables),
            memory: MemoryAccount::new(guest.limits.memory),
        };
        let mut store = Store::new(self.loaded.engine(), state);
        store.limiter(|state| &mut state.memory);
        // A guest that computes gives its thread away at every tick; the deadline is kept outside.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        store
    }
}

impl Loaded {
    /// Whether an instance serves one request and is dropped, as guests of WASI 0.2 expect.
    fn is_serial(&self) -> bool {
        matches!(self.pre, ProxyPre::P2(_))
    }

    fn max_concurrent(&self) -> usize {
        if self.is_serial() {
            1
        } else {
            self.guest.limits.max_concurrent
        }
    }

    fn engine(&self) -> &wasmtime::Engine {
        match &self.pre {
            ProxyPre::P2(pre) => pre.engine(),
            ProxyPre::P3(pre) => pre.engine(),
        }
    }
}

impl HandlerState for Maker {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let mut store = self.store();
        let limits = &self.loaded.guest.limits;
        // A start function can loop as well as a handler can.
        let instantiated = self.loaded.pre.instantiate_async(&mut store);
        let proxy = tokio::time::timeout(limits.request_timeout, instantiated)
            .await
            .map_err(|_| {
                wasmtime::Error::msg("the instance was not ready within the request's deadline")
            })??;
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration {
                idle: limits.idle_timeout,
                request: limits.request_timeout,
                sleep: None,
            },
            state: Worker {
                name: self.loaded.guest.name.clone(),
                ending: Arc::clone(&self.ending),
                max_reuse: if self.loaded.is_serial() {
                    1
                } else {
                    limits.max_reuse
                },
                max_concurrent: self.loaded.max_concurrent(),
                request_timeout: limits.request_timeout,
            },
        })
    }
}

/// What one instance may still take on.
struct Worker {
    name: String,
    ending: Arc<AtomicBool>,
    max_reuse: usize,
    max_concurrent: usize,
    request_timeout: Duration,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.max_reuse {
            ShouldAccept::Never
        } else if concurrent >= self.max_concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(tokio::time::sleep(self.request_timeout))
    }

    fn drop(&self, store: Store<State>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result
            && !self.ending.load(Ordering::Relaxed)
        {
            tracing::error!(
                component = self.name,
                error = format!("{error:#}"),
                "an instance was ended"
            );
        }
        drop(store);
    }
}

/// Ends an instance that is idle for long, or whose latest request is over its deadline: the second
/// line of defence behind the deadline of each request, for guests that never yield.
struct Expiration {
    idle: Duration,
    request: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let allowed = match status {
            WorkerStatus::Idle => self.idle,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request,
        };
        let Some(end) = since.checked_add(allowed).map(tokio::time::Instant::from) else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if sleep.deadline() != end {
            sleep.as_mut().reset(end);
        }
        sleep.as_mut().poll(cx)
    }
}
