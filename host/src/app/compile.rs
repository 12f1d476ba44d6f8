//! From linked bytes to components that are ready to be instantiated: the size of the pool, the cache, the
//! compiler. Comes in: a plan and its linked components; goes out: compiled ones. Never binds and never
//! serves.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::plan::{Plan, Planned};
use super::{InputError, Ready, grants, link};
use crate::runtime::cache::{self, Cache, Origin};
use crate::runtime::compose::Composed;
use crate::runtime::engine::{self, PoolSize};
use crate::runtime::linker;
use crate::runtime::needs::Needs;
use crate::runtime::pool::{Guest, Loaded};
use crate::runtime::reset::Reset;
use crate::runtime::state::State;

pub(super) fn link_all(plan: &Plan) -> Result<Vec<Vec<Composed>>, InputError> {
    let mut apps = Vec::new();
    for planned in &plan.apps {
        let linked: Result<Vec<_>, _> = planned
            .app
            .components
            .iter()
            .map(|component| link::serving(component, plan.files))
            .collect();
        apps.push(linked?);
    }
    Ok(apps)
}

/// The Engine for a plan's components. One whose components are replaced while it runs takes no
/// measure of those it begins with: the next may be larger.
pub(super) fn engine(plan: &Plan, linked: &[Vec<Composed>], watch: bool) -> anyhow::Result<Engine> {
    Ok(if watch {
        engine::one_by_one()?
    } else {
        engine::engine(&pool_size(plan, linked)?)?
    })
}

fn pool_size(plan: &Plan, linked: &[Vec<Composed>]) -> anyhow::Result<PoolSize> {
    let mut needs = Needs::default();
    for composed in linked.iter().flatten() {
        needs = needs.max(Needs::of(&composed.bytes)?);
    }
    let memory = plan
        .apps
        .iter()
        .flat_map(|planned| &planned.app.components)
        .map(|component| grants::limits(&plan.host.limits, component).memory)
        .max()
        .unwrap_or_default();
    Ok(PoolSize {
        needs,
        instances: plan.host.bounds.instances,
        memory,
        reset: Reset::choose(plan.host.memory_reset),
    })
}

fn open_cache(folder: Option<&Path>) -> Cache {
    let Some(folder) = folder else {
        return Cache::none();
    };
    Cache::open(folder).unwrap_or_else(|reason| {
        tracing::warn!(%reason, "no cache for compiled components: every start compiles");
        Cache::none()
    })
}

/// What is served of each app of a plan, in its order.
pub(super) fn ready(
    plan: &Plan,
    grants: &[grants::Grants],
    linked: Vec<Vec<Composed>>,
    compiler: &Compiler,
) -> Result<Vec<Vec<Ready>>, InputError> {
    let mut granted = Vec::new();
    for ((planned, grants), linked) in plan.apps.iter().zip(grants).zip(linked) {
        for (component, composed) in planned.app.components.iter().zip(linked) {
            granted.push((component, grants.guest(component)?, composed));
        }
    }
    let jobs = granted.iter().map(|(component, _, composed)| Job {
        name: &component.name,
        bytes: &composed.bytes,
    });
    let jobs: Vec<_> = jobs.collect();
    let compiled = compiler.all(&jobs)?;
    let mut ready = Vec::new();
    for ((component, (guest, hosts), composed), (code, origin)) in granted.into_iter().zip(compiled)
    {
        let loaded = compiler.loaded(&code, guest)?;
        ready.push(Ready {
            current: watch::Sender::new(Arc::new(loaded)),
            linked: composed.linked,
            refused: composed.refused,
            origin,
            hosts,
            inheriting: link::inheriting(&component.dependencies),
        });
    }
    let mut ready = ready.into_iter();
    let app = |planned: &Planned| ready.by_ref().take(planned.app.components.len()).collect();
    Ok(plan.apps.iter().map(app).collect())
}

/// What turns linked bytes into components, at the start and whenever one takes the place of another.
pub(super) struct Compiler {
    engine: Engine,
    linker: Linker<State>,
    cache: Cache,
}

/// A component to compile.
pub(super) struct Job<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: &'a [u8],
}

impl Compiler {
    /// What compiled components are kept in may be missing: then each start compiles.
    pub(super) fn new(engine: Engine, cache: Option<&Path>) -> anyhow::Result<Self> {
        Self::with(engine, open_cache(cache))
    }

    pub(super) fn with(engine: Engine, cache: Cache) -> anyhow::Result<Self> {
        Ok(Self {
            linker: linker::linker(&engine)?,
            engine,
            cache,
        })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// All of them, in their order: one on each core, and what is there twice once. A large component
    /// alone keeps all cores busy only for a part of the time.
    pub(super) fn all(&self, jobs: &[Job<'_>]) -> Result<Vec<(Component, Origin)>, InputError> {
        let first = |job: &Job<'_>| jobs.iter().position(|other| other.bytes == job.bytes);
        let firsts: Vec<_> = jobs.iter().map(first).collect();
        let distinct = |index: &usize| firsts[*index] == Some(*index);
        let distinct: Vec<usize> = (0..jobs.len()).filter(distinct).collect();
        let done: Vec<OnceLock<_>> = jobs.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let lanes = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        std::thread::scope(|scope| {
            for _ in 0..lanes.min(distinct.len()) {
                scope.spawn(|| {
                    while let Some(&index) = distinct.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let _ = done[index].set(self.one(&jobs[index]));
                    }
                });
            }
        });
        let mut components = Vec::new();
        let mut failed = None;
        for (slot, first) in done.into_iter().zip(firsts) {
            match slot.into_inner() {
                Some(Ok(ready)) => components.push(ready),
                Some(Err(error)) => failed = failed.or(Some(error)),
                None => {
                    if let Some(ready) = first.and_then(|first| components.get(first)).cloned() {
                        components.push(ready);
                    }
                }
            }
        }
        self.cache.prune(cache::BOUND);
        failed.map_or(Ok(components), Err)
    }

    /// One component, from the cache if it is there.
    pub(super) fn one(&self, job: &Job<'_>) -> Result<(Component, Origin), InputError> {
        let notice = Notice::new(job);
        let loaded = self.cache.load(&self.engine, job.name, job.bytes);
        drop(notice);
        loaded.map_err(refused(job.name))
    }

    /// Checks that the host has what a component imports.
    pub(super) fn loaded(&self, code: &Component, guest: Guest) -> Result<Loaded, InputError> {
        let unlike = unlike(&guest.name);
        Loaded::new(&self.linker, code, guest).map_err(unlike)
    }

    /// The same check without anything that the component is granted.
    pub(super) fn check(&self, name: &str, code: &Component) -> Result<(), InputError> {
        Loaded::check(&self.linker, code).map_err(unlike(name))
    }

    /// How many bytes the cache keeps for these.
    pub(super) fn kept(&self, bytes: &[u8]) -> Option<u64> {
        self.cache.kept(&self.engine, bytes)
    }
}

fn refused(component: &str) -> impl Fn(wasmtime::Error) -> InputError + use<> {
    let component = component.to_owned();
    move |source| InputError::Component {
        component: component.clone(),
        source,
    }
}

fn unlike(component: &str) -> impl Fn(wasmtime::Error) -> InputError + use<> {
    let component = component.to_owned();
    move |source| InputError::Unlike {
        component: component.clone(),
        source,
    }
}

/// When a compile that goes on is told of: soon, so that nobody thinks the host hangs, then ever more
/// rarely. The last one repeats.
const NOTICES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(10),
    Duration::from_secs(15),
];

/// Says that a long compile is going on, until it is dropped.
struct Notice {
    _done: std::sync::mpsc::Sender<()>,
}

impl Notice {
    fn new(job: &Job<'_>) -> Self {
        let (done, waiting) = std::sync::mpsc::channel();
        let (component, size) = (job.name.to_owned(), mebibytes(job.bytes.len()));
        std::thread::spawn(move || {
            let started = Instant::now();
            let pauses = NOTICES.into_iter().chain(std::iter::repeat(NOTICES[3]));
            for pause in pauses {
                if waiting.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                let seconds = started.elapsed().as_secs();
                tracing::info!(
                    component,
                    size,
                    seconds,
                    "compiling; the next start takes it from the cache"
                );
            }
        });
        Self { _done: done }
    }
}

/// A size as people read it.
pub(super) fn mebibytes(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(constant: u32) -> Vec<u8> {
        let text = format!("(component (core module (func (result i32) i32.const {constant})))");
        wat::parse_str(text).unwrap()
    }

    fn compiler() -> Compiler {
        Compiler::new(engine::one_by_one().unwrap(), None).unwrap()
    }

    #[test]
    fn components_come_in_the_order_in_which_they_were_asked_for() {
        let bytes: Vec<_> = [1, 2, 1, 3, 2].map(component).into();
        let jobs: Vec<_> = bytes.iter().map(|bytes| Job { name: "c", bytes }).collect();
        let compiled = compiler().all(&jobs).unwrap();
        let code: Vec<_> = compiled
            .iter()
            .map(|(component, _)| component.serialize().unwrap())
            .collect();
        assert_eq!(code.len(), bytes.len());
        for (a, b) in [(0, 2), (1, 4)] {
            assert_eq!(code[a], code[b]);
        }
        for (a, b) in [(0, 1), (0, 3), (1, 3)] {
            assert_ne!(code[a], code[b]);
        }
    }

    #[test]
    fn one_that_does_not_compile_is_named() {
        let (good, bad) = (component(1), b"not wasm".to_vec());
        let jobs = [("good", &good), ("bad", &bad), ("good", &good)];
        let jobs = jobs.map(|(name, bytes)| Job { name, bytes });
        let Err(error) = compiler().all(&jobs) else {
            panic!("it was compiled");
        };
        assert_eq!(error.to_string(), "bad cannot run on this host");
    }
}
