//! The composition root: a plan becomes an app, an app is started, runs and is drained. Owns the order
//! in which things are opened and closed; comes in: a [`plan::Plan`]; goes out: [`Running`]. All state
//! of the host hangs here, so that two apps live in one process.

mod admin;
pub mod ahead;
pub mod backup;
pub mod banner;
pub mod build;
mod compile;
mod depth;
pub mod effective;
mod files;
pub mod first;
pub mod grants;
pub mod link;
pub mod plan;
mod secrets;
mod serve;
pub mod state;
mod watch;
mod work;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync;

use crate::admin::Stage;
use crate::capability::http;
use crate::manifest::TlsFiles;
use crate::metrics::Metrics;
use crate::runtime::cache::Origin;
use crate::runtime::compose::{LinkedImport, Refused};
use crate::runtime::pool::Loaded;
use crate::runtime::ticker::Ticker;
use crate::server::{self, bind, descriptors};
use crate::telemetry::Lines;
pub use admin::TOKEN_VARIABLE;
use compile::{Compiler, link_all};
use first::First;
use plan::Plan;
use serve::{Served, serve_thread};
use state::StateDir;
pub use watch::Watch;
use watch::{Looks, Reload};

/// What the command line and the environment add to a plan.
#[derive(Debug, Default)]
pub struct Options {
    /// Values for variables, before all others.
    pub variables: Vec<(String, String)>,
    /// The environment, where `SPIN_VARIABLE_NAME` is looked up.
    pub environment: Vec<(String, String)>,
    /// Environment variables of all components, before those of the manifest.
    pub guest_environment: Vec<(String, String)>,
    /// What to put into the storage of each app.
    pub first: First,
    /// In place of the manifest's folder for state.
    pub state_dir: Option<PathBuf>,
    /// The folder for compiled components; none compiles at each start.
    pub cache_dir: Option<PathBuf>,
    /// How many threads serve.
    pub threads: Option<NonZeroUsize>,
    /// Where to answer whoever runs the host, in place of what the plan says.
    pub admin: Option<SocketAddr>,
    /// Who knows the addresses of names that components call; none is the system.
    pub resolver: Option<Arc<dyn http::Resolve>>,
    /// What is read again when a file changes; none serves what there is at the start.
    pub watch: Option<Watch>,
}

/// Why an app did not open because of what was given, as opposed to what went wrong.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A component or a dependency does not fit.
    #[error(transparent)]
    Link(#[from] link::LinkError),
    /// Variables without a value, hosts that cannot be read.
    #[error(transparent)]
    Grants(#[from] grants::GrantError),
    /// An address that this machine does not have.
    #[error(transparent)]
    Address(bind::BindError),
    /// A certificate that cannot be served.
    #[error(transparent)]
    Tls(#[from] server::TlsError),
    /// The admin listener.
    #[error(transparent)]
    Admin(#[from] admin::AskedError),
    /// A component that serves nothing.
    #[error(
        "{component} exports no handler of HTTP requests, {exports}; the host calls {wanted}: build it against one of them, or make it a dependency of a component that is"
    )]
    NoHandler {
        /// The component.
        component: String,
        /// What it exports instead, in words.
        exports: String,
        /// What it might export.
        wanted: &'static str,
    },
    /// A component with queues and nobody to work on them, or the other way round.
    #[error(transparent)]
    Worker(#[from] link::WorkerError),
    /// A component that has something in common with the host, of another type.
    #[error(
        "{component} does not fit this host: build it against the interfaces as they were published"
    )]
    Unlike {
        /// The component.
        component: String,
        /// What Wasmtime says of it.
        source: wasmtime::Error,
    },
    /// A component that the host cannot run.
    #[error("{component} cannot run on this host")]
    Component {
        /// The component.
        component: String,
        /// What Wasmtime says of it.
        source: wasmtime::Error,
    },
}

/// Loaded components, bound addresses, open databases: everything but the threads.
pub struct App {
    served: Vec<Served>,
    engine: wasmtime::Engine,
    threads: usize,
    drain: Duration,
    limits: server::Limits,
    reload: Option<Reload>,
    compiled: usize,
    state: StateDir,
    metrics: Arc<Metrics>,
    stage: Arc<Stage>,
    admin: Option<admin::Opened>,
}

/// One component, ready to be instantiated.
struct Ready {
    /// What is served, on all threads; what is sent takes the place of what was.
    current: sync::watch::Sender<Arc<Loaded>>,
    linked: Vec<LinkedImport>,
    refused: Vec<Refused>,
    origin: Origin,
    /// What it may call, with variables filled in.
    hosts: Vec<String>,
    /// Its dependencies that get something of what it is granted, and what.
    inheriting: Vec<(String, String)>,
}

impl Ready {
    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.current.borrow())
    }
}

impl App {
    /// Binds, links, compiles or loads, opens databases. Nothing is served yet.
    pub fn open(mut plan: Plan, options: Options, lines: Lines) -> anyhow::Result<Self> {
        let threads = options
            .threads
            .or_else(|| std::thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get);
        if let Some(state_dir) = &options.state_dir {
            plan.host.state_dir.clone_from(state_dir);
        }
        let state = StateDir::open(&plan.host.state_dir)?;
        for warning in plan.apps.iter().flat_map(|planned| &planned.app.warnings) {
            tracing::warn!("{warning}");
        }
        let (metrics, stage) = (Arc::new(Metrics::default()), Arc::new(Stage::default()));
        let admin = admin::open(&plan, &options, &stage, &metrics)?;
        let mut bound = Vec::new();
        for planned in &plan.apps {
            let load = |files: &TlsFiles| server::Tls::load(&files.cert, &files.key);
            let tls = planned.tls.as_ref().map(load).transpose();
            let tls = tls.map_err(InputError::from)?;
            bound.push((listeners(planned.listen, threads)?, tls));
        }
        // Before the files are read: what changes from here on is seen.
        let watched = options
            .watch
            .clone()
            .map(|watch| (Looks::at(&watch, &plan), watch));
        let linked = link_all(&plan)?;
        let tls = http::TlsRoots::default();
        let mut grants = Vec::new();
        for planned in &plan.apps {
            grants.push(grants::Grants::open(
                &plan, planned, &options, &tls, &lines, &metrics,
            )?);
        }
        let engine = compile::engine(&plan, &linked, watched.is_some())?;
        let compiler = Compiler::new(engine, options.cache_dir.as_deref())?;
        let mut served = Vec::new();
        let ready = compile::ready(&plan, &grants, linked, &compiler)?;
        let apps = plan.apps.iter().zip(&grants).zip(bound).zip(ready);
        for (((planned, grants), (listeners, tls)), components) in apps {
            let queues = grants.queues().clone();
            served.push(Served::new(planned, listeners, tls, components, queues)?);
        }
        let origins = || {
            served
                .iter()
                .flat_map(|app| &app.components)
                .map(|ready| ready.origin)
        };
        let compiled = origins().filter(|origin| *origin != Origin::Cached).count();
        tracing::info!(
            compiled,
            cached = origins().count() - compiled,
            "components are ready"
        );
        let (drain, limits) = (plan.host.bounds.drain, plan.host.bounds.server);
        Ok(Self {
            served,
            engine: compiler.engine().clone(),
            threads,
            drain,
            limits,
            reload: watched.map(|(looks, watch)| Reload::new(watch, looks, plan, grants, compiler)),
            compiled,
            state,
            metrics,
            stage,
            admin,
        })
    }

    /// Where the admin listener is, if there is one. It answers from the beginning.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// How many components had to be compiled; the others came from the cache.
    pub fn compiled(&self) -> usize {
        self.compiled
    }

    /// Starts to serve: one thread for each core, each with its own listeners and its own instances.
    pub fn start(self) -> anyhow::Result<Running> {
        let stop = sync::watch::Sender::new(false);
        descriptors::raise(self.limits.max_connections);
        let ticker = Ticker::start(&self.engine)?;
        let mut served = self.served;
        // Each thread owns its listeners, so that they are closed the moment it stops to accept.
        let mut listeners: Vec<Vec<_>> = (0..self.threads).map(|_| Vec::new()).collect();
        let mut works = Vec::new();
        for app in &mut served {
            let mut threads = Vec::new();
            for (own, listener) in listeners.iter_mut().zip(app.listeners.drain(..)) {
                let (jobs, inbox) = sync::mpsc::unbounded_channel();
                own.push((listener, inbox));
                threads.push(jobs);
            }
            works.push(app.works(threads, &self.metrics));
        }
        let served = Arc::new(served);
        let shared = Arc::new(server::Shared::new(self.limits, Arc::clone(&self.metrics)));
        let mut threads = Vec::new();
        for (index, listeners) in listeners.into_iter().enumerate() {
            let (stop, drain) = (stop.clone(), self.drain);
            let (served, shared) = (Arc::clone(&served), Arc::clone(&shared));
            let (stage, beat) = (Arc::clone(&self.stage), ticker.beat());
            let work = move || {
                // A thread that fails takes the others along: half a host would lose connections.
                let ended = || {
                    stage.draining();
                    stop.send_replace(true);
                };
                serve_thread(
                    &served,
                    listeners,
                    stop.subscribe(),
                    drain,
                    (shared, beat),
                    ended,
                )
            };
            threads.push(
                std::thread::Builder::new()
                    .name(format!("serve-{index}"))
                    .spawn(work)?,
            );
        }
        let working = work::start(works, stop.subscribe(), self.drain)?;
        let watching = self
            .reload
            .map(|reload| reload.start(&served))
            .transpose()?;
        if let Some(admin) = &self.admin {
            admin
                .queues
                .open(served.iter().filter_map(Served::for_admin).collect());
        }
        self.stage.ready();
        Ok(Running {
            served,
            stop,
            threads,
            working,
            _watching: watching,
            _ticker: ticker,
            compiled: self.compiled,
            state: self.state,
            stage: self.stage,
            admin: self.admin,
        })
    }
}

/// An app that is being served.
pub struct Running {
    /// Answers until the last request has ended, and goes before what it asks and the right to the state folder.
    admin: Option<admin::Opened>,
    served: Arc<Vec<Served>>,
    stop: sync::watch::Sender<bool>,
    threads: Vec<JoinHandle<io::Result<()>>>,
    working: Option<JoinHandle<()>>,
    _watching: Option<watch::Watching>,
    _ticker: Ticker,
    compiled: usize,
    state: StateDir,
    stage: Arc<Stage>,
}

impl Running {
    /// The app's name and address, in the order of the plan.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.served
            .iter()
            .map(|app| (app.name.as_str(), app.address))
    }

    /// Where the admin listener is, if there is one.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// How many components had to be compiled at this start.
    pub fn compiled(&self) -> usize {
        self.compiled
    }

    /// Tells all threads to take no new connections and to end when those they have are done.
    pub fn stop(&self) {
        self.stage.draining();
        self.stop.send_replace(true);
    }

    /// Resolves when the host stops, whoever said so.
    pub fn stopping(&self) -> impl Future<Output = ()> + use<> {
        let mut stopped = self.stop.subscribe();
        async move {
            // The sender lives as long as the threads do.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }

    /// Waits for the threads to end.
    pub fn wait(self) -> anyhow::Result<()> {
        for thread in self.threads {
            match thread.join() {
                Ok(ended) => ended.context("a serving thread failed")?,
                Err(_) => {
                    anyhow::bail!("a serving thread panicked: please report this as a defect")
                }
            }
        }
        if self.working.is_some_and(|thread| thread.join().is_err()) {
            anyhow::bail!("the queues' thread panicked: please report this as a defect")
        }
        Ok(())
    }
}

/// Binds, and tells an address that cannot be right from one that is taken.
fn listeners(address: SocketAddr, count: usize) -> anyhow::Result<Vec<TcpListener>> {
    bind::listeners(address, count).map_err(|error| {
        if error.is_wrong_address() {
            InputError::Address(error).into()
        } else {
            error.into()
        }
    })
}
