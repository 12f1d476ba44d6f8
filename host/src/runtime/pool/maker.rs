//! Makes instances, says what each may still take on and when its time is up. Comes in: a loaded guest;
//! goes out: a Store with what the guest is granted. Never lets an instance outlive its requests'
//! deadlines: what the instance itself cannot be told is kept from outside.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpView as _};

use super::super::state::{MemoryAccount, State};
use super::chain::Chain;
use super::guest::{Guest, Loaded};
use super::thread::Thread;
use super::ticket::{STUCK_TIME, Ticket, Tickets};
use crate::capability::http;
use crate::metrics::Present;
use crate::telemetry::{RequestId, Stream};

/// Whether an instance is for one request or for as many as its guest allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// One request, and no other before, beside or after it.
    Alone,
    /// As many as the limits say.
    Shared,
}

/// How many ticks of the Engine's clock from now a guest is looked at: the next one.
const NEXT_TICK: u64 = 1;

/// The component has as many instances as it may have.
#[derive(Debug, thiserror::Error)]
#[error("the component has all of its {0} instances in use")]
pub(super) struct Crowded(usize);

/// Makes instances of one guest on one thread.
pub(super) struct Maker {
    pub(super) loaded: Arc<Loaded>,
    pub(super) client: http::Client,
    pub(super) inside: Arc<dyn http::Inside>,
    pub(super) thread: Arc<Thread>,
    pub(super) company: Company,
}

impl Maker {
    /// A Store with what the guest is granted.
    pub(super) fn store(
        &self,
        place: OwnedSemaphorePermit,
        tickets: Tickets,
    ) -> wasmtime::Result<Store<State>> {
        let guest = &self.loaded.guest;
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(guest.lines.stream(Stream::Stdout))
            .stderr(guest.lines.stream(Stream::Stderr))
            // The default of the builder is open to names; nothing is granted by default here.
            .allow_ip_name_lookup(false)
            .allow_tcp(false)
            .allow_udp(false);
        for (name, value) in &guest.environment {
            wasi.env(name, value);
        }
        if let Some(files) = &guest.files {
            wasi.preopened_dir(files.path(), "/", FsPerms::ReadOnly)?;
        }
        let mut table = wasmtime::component::ResourceTable::new();
        table.set_max_capacity(guest.limits.handles);
        let chain = Chain {
            component: guest.name.clone(),
            tickets: tickets.clone(),
            inside: Arc::clone(&self.inside),
        };
        let state = State {
            wasi: wasi.build(),
            wasi_http: WasiHttpCtx::new(),
            table,
            http: guest.http.ctx(&self.client, Arc::new(chain)),
            sqlite: guest.sqlite.0.ctx(&guest.sqlite.1),
            keyvalue: guest.keyvalue.0.ctx(&guest.keyvalue.1),
            queue: guest.queue.0.ctx(&guest.queue.1),
            variables: Arc::clone(&guest.variables),
            memory: MemoryAccount::new(guest.limits.memory, guest.metrics.memory.clone()),
            _place: place,
            _held: self.thread.hold(),
            _present: Present::new(&guest.metrics.instances),
        };
        let mut store = Store::new(self.loaded.engine(), state);
        store.limiter(|state| &mut state.memory);
        // The component model keeps handles of its own, for what the guest makes without asking the host.
        store.set_max_component_handles(guest.limits.handles);
        // What one call may hand to the host is no more than the guest can have.
        let fuel = store.hostcall_fuel().min(guest.limits.memory);
        store.set_hostcall_fuel(fuel);
        // A guest that computes gives its thread away; the deadline is kept outside.
        store.set_epoch_deadline(NEXT_TICK);
        let thread = Arc::clone(&self.thread);
        store.epoch_deadline_callback(move |_| {
            Ok(match thread.computes_since() {
                None => UpdateDeadline::Continue(NEXT_TICK),
                Some(since) => {
                    let computes = tickets.computes(since);
                    let turn = turn(Arc::clone(&thread), tickets.clone(), computes);
                    UpdateDeadline::YieldCustom(NEXT_TICK, Box::pin(turn))
                }
            })
        });
        Ok(store)
    }

    /// Whether a request never shares its instance with another.
    pub(super) fn is_alone(&self) -> bool {
        self.capacity().0 <= 1
    }

    /// How many requests one instance takes, one after another and at once.
    pub(super) fn capacity(&self) -> (usize, usize) {
        let limits = &self.loaded.guest.limits;
        match self.company {
            Company::Alone => (1, 1),
            Company::Shared if self.loaded.is_serial() => (limits.max_serial_reuse, 1),
            Company::Shared => (limits.max_reuse, limits.max_concurrent),
        }
    }
}

impl HandlerState for Maker {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let limits = &self.loaded.guest.limits;
        let place = Arc::clone(&self.loaded.places)
            .try_acquire_owned()
            .map_err(|_| Crowded(limits.max_instances))?;
        let tickets = Tickets::default();
        let mut store = self.store(place, tickets.clone())?;
        // A start function can loop as well as a handler can.
        let instantiated = self.loaded.pre.instantiate_async(&mut store);
        let proxy = tokio::time::timeout(limits.request_timeout, instantiated)
            .await
            .map_err(|_| {
                wasmtime::Error::msg("the instance was not ready within the request's deadline")
            })??;
        let (max_reuse, max_concurrent) = self.capacity();
        let serial = self.loaded.is_serial();
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration {
                idle: limits.idle_timeout,
                request: limits.request_timeout,
                response: limits.response_timeout,
                serial: serial.then(|| tickets.clone()),
                sleep: None,
                thread: Arc::clone(&self.thread),
            },
            state: Worker {
                loaded: Arc::clone(&self.loaded),
                thread: Arc::clone(&self.thread),
                tickets,
                max_reuse,
                max_concurrent,
                request_timeout: limits.request_timeout,
                serial,
            },
        })
    }
}

/// Waits until an instance that computes may go on. Those whose requests stand in line with it
/// are told when that takes long.
async fn turn(thread: Arc<Thread>, tickets: Tickets, computes: Duration) {
    let patience = STUCK_TIME.saturating_sub(computes);
    let mut turn = std::pin::pin!(thread.turn());
    if tokio::time::timeout(patience, turn.as_mut()).await.is_err() {
        tickets.stick();
        turn.await;
    }
}

/// Counts an instance that fell, and says in the log why, and which requests were with it.
pub(super) fn report(guest: &Guest, requests: &[RequestId], error: &wasmtime::Error) {
    guest.metrics.traps.inc();
    let requests: Vec<_> = requests.iter().map(RequestId::as_str).collect();
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    tracing::error!(
        component = guest.name,
        requests = requests.join(" "),
        error = %error.root_cause(),
        backtrace = backtrace.map(tracing::field::display),
        "an instance was ended"
    );
}

/// What one instance may still take on.
pub(super) struct Worker {
    loaded: Arc<Loaded>,
    thread: Arc<Thread>,
    tickets: Tickets,
    max_reuse: usize,
    max_concurrent: usize,
    request_timeout: Duration,
    serial: bool,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = Arc<Ticket>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        // Asked whenever the instance has looked at all its requests.
        self.tickets.turned();
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
        ticket: Arc<Ticket>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        self.tickets.add(&ticket);
        let (timeout, serial) = (self.request_timeout, self.serial);
        Box::pin(async move {
            tokio::time::sleep(timeout).await;
            // A handler of WASI 0.2 runs until its response has ended, which has a time of its own.
            if serial && ticket.answered_at().is_some() {
                std::future::pending::<()>().await;
            }
        })
    }

    fn drop(&self, store: Store<State>, result: Result<(), wasmtime::Error>) {
        self.thread.gives_way();
        if let Err(error) = result
            && !self.thread.is_ending()
        {
            // Before the Store goes: a body that ends with it must know why it ended.
            let requests = self.tickets.fall(&error.root_cause().to_string());
            report(self.loaded.guest(), &requests, &error);
        }
        drop(store);
    }
}

/// Ends an instance that is idle for long, or whose latest request is over its deadline: the second
/// line of defence behind the deadline of each request, for guests that never yield.
pub(super) struct Expiration {
    idle: Duration,
    request: Duration,
    response: Duration,
    /// The requests of an instance that counts as busy until its response has ended.
    serial: Option<Tickets>,
    sleep: Option<Pin<Box<Sleep>>>,
    thread: Arc<Thread>,
}

impl Expiration {
    /// When the instance's time is up, in this status since then.
    fn end(&self, status: WorkerStatus, since: Instant) -> Option<Instant> {
        match status {
            WorkerStatus::Idle => since.checked_add(self.idle),
            WorkerStatus::PostReturn => since.checked_add(self.response),
            WorkerStatus::Requests => {
                let answered_at = self.serial.as_ref().and_then(Tickets::latest_answered_at);
                match answered_at {
                    Some(answered_at) => answered_at.checked_add(self.response),
                    None => since.checked_add(self.request),
                }
            }
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        // Asked whenever the instance has done all that it can do now.
        self.thread.gives_way();
        let Some(end) = self.end(status, since).map(tokio::time::Instant::from) else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        // Only ever moved forward while it runs: the end moves with each request, and most of those are
        // done long before it. What rings too early is set anew.
        if sleep.deadline() > end {
            sleep.as_mut().reset(end);
        }
        loop {
            std::task::ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= end {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(end);
        }
    }
}
