//! From linked bytes to components that are ready to be instantiated: the size of the pool, the cache, the
//! compiler. Comes in: a plan; goes out: what is served. Never binds and never serves.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;

use super::plan::{Plan, Planned};
use super::{InputError, Ready, Served, grants, link};
use crate::runtime::cache::Cache;
use crate::runtime::compose::Composed;
use crate::runtime::engine::PoolSize;
use crate::runtime::needs::Needs;
use crate::runtime::pool::Loaded;
use crate::runtime::state::State;

pub(super) fn link_all(plan: &Plan) -> Result<Vec<Vec<Composed>>, InputError> {
    let mut apps = Vec::new();
    for planned in &plan.apps {
        let linked: Result<Vec<_>, _> = planned
            .app
            .components
            .iter()
            .map(|component| link::link(component, plan.files))
            .collect();
        apps.push(linked?);
    }
    Ok(apps)
}

pub(super) fn pool_size(plan: &Plan, linked: &[Vec<Composed>]) -> anyhow::Result<PoolSize> {
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
    })
}

pub(super) fn open_cache(folder: Option<&Path>) -> Cache {
    let Some(folder) = folder else {
        return Cache::none();
    };
    Cache::open(folder).unwrap_or_else(|reason| {
        tracing::warn!(%reason, "no cache for compiled components: every start compiles");
        Cache::none()
    })
}

/// Compiles the components of a plan.
pub(super) struct Compile<'a> {
    pub(super) engine: &'a wasmtime::Engine,
    pub(super) linker: &'a wasmtime::component::Linker<State>,
    pub(super) cache: &'a Cache,
}

impl Compile<'_> {
    pub(super) fn app(
        &self,
        planned: &Planned,
        grants: &grants::Grants,
        composed: Vec<Composed>,
        listeners: Vec<TcpListener>,
    ) -> anyhow::Result<Served> {
        let address = listeners
            .first()
            .context("an app has a listener")?
            .local_addr()?;
        let mut components = Vec::new();
        for (component, composed) in planned.app.components.iter().zip(composed) {
            let refused = |source| InputError::Component {
                component: component.name.clone(),
                source,
            };
            let notice = Notice::after(NOTICE_AFTER, &component.name);
            let loaded = self
                .cache
                .load(self.engine, &component.name, &composed.bytes);
            drop(notice);
            let (code, origin) = loaded.map_err(refused)?;
            let (guest, hosts) = grants.guest(component).map_err(InputError::from)?;
            let loaded = Loaded::new(self.linker, &code, guest).map_err(refused)?;
            let inheriting = link::inheriting(&component.dependencies);
            components.push(Ready {
                current: watch::Sender::new(Arc::new(loaded)),
                composed,
                origin,
                hosts,
                inheriting,
            });
        }
        let routes = planned.app.routes.clone();
        Ok(Served {
            name: planned.app.name.clone(),
            address,
            listeners,
            components,
            routes,
        })
    }
}

/// A compile that takes longer than this is announced, so that nobody thinks the host hangs.
const NOTICE_AFTER: Duration = Duration::from_secs(1);

/// Says that a long compile is going on, unless it is dropped before.
struct Notice {
    _done: std::sync::mpsc::Sender<()>,
}

impl Notice {
    fn after(patience: Duration, component: &str) -> Self {
        let (done, waiting) = std::sync::mpsc::channel();
        let component = component.to_owned();
        std::thread::spawn(move || {
            if waiting.recv_timeout(patience) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                tracing::info!(
                    component,
                    "compiling takes a while the first time; the next start takes it from the cache"
                );
            }
        });
        Self { _done: done }
    }
}
