//! What one thread of the host does. Comes in: the apps of a plan, ready to be served, and a listener of each;
//! goes out: whether it ended well. A connection, its requests and their instances stay on their thread.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync;

use super::Ready;
use super::depth;
use super::plan::Planned;
use super::work::{self, Inbox, Task, Works};
use crate::admin;
use crate::capability::queue;
use crate::manifest::Route;
use crate::metrics::Metrics;
use crate::runtime::Slot;
use crate::runtime::pool::Thread;
use crate::runtime::ticker::Beat;
use crate::server::router::Router;
use crate::server::{self, Site};

/// One app of the plan, ready to be served.
pub(super) struct Served {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) listeners: Vec<TcpListener>,
    pub(super) tls: Option<server::Tls>,
    pub(super) components: Vec<Ready>,
    pub(super) routes: Vec<Route>,
    /// Its queues.
    pub(super) queues: queue::Shared,
}

/// The work of one thread: a runtime, the listeners and the pools of this thread, until told to stop.
pub(super) fn serve_thread(
    served: &[Served],
    listeners: Vec<(TcpListener, Inbox)>,
    stopped: sync::watch::Receiver<bool>,
    drain: Duration,
    (shared, beat): (Arc<server::Shared>, Beat),
    ended: impl FnOnce(),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let thread = Arc::new(Thread::new(beat));
    let result = runtime.block_on(async {
        let sites = served.iter().zip(listeners);
        let (mut own, mut jobs) = (Vec::new(), tokio::task::JoinSet::new());
        for (app, (listener, inbox)) in sites {
            let site = app.site(listener, &thread);
            jobs.spawn(work::attend(inbox, site.components.clone()));
            own.push(site);
        }
        let result = server::serve(own, stopped, drain, shared).await;
        ended();
        // Whoever works on the queues ends by himself, and needs this thread until then.
        while jobs.join_next().await.is_some() {}
        result
    });
    thread.end();
    // What a guest left running after its response ends here; a statement in the database may finish.
    runtime.shutdown_timeout(BLOCKING_GRACE);
    result
}

/// How long the end of a thread waits for work that blocks.
const BLOCKING_GRACE: Duration = Duration::from_secs(5);

impl Served {
    pub(super) fn new(
        planned: &Planned,
        listeners: Vec<TcpListener>,
        tls: Option<server::Tls>,
        components: Vec<Ready>,
        queues: queue::Shared,
    ) -> anyhow::Result<Self> {
        let first = listeners.first().context("an app has a listener")?;
        Ok(Self {
            name: planned.app.name.clone(),
            address: first.local_addr()?,
            listeners,
            tls,
            components,
            routes: planned.app.routes.clone(),
            queues,
        })
    }

    /// Its queues, and the threads that have their jobs done.
    pub(super) fn works(
        &self,
        threads: Vec<sync::mpsc::UnboundedSender<Task>>,
        metrics: &Metrics,
    ) -> Works {
        let queues = self.queues.setup().policies.queues();
        let counts = queues.map(|(queue, _)| {
            let counts = metrics.queue(&self.name, &queue.owner, &queue.name);
            (queue.clone(), counts)
        });
        let counts: BTreeMap<_, _> = counts.collect();
        if !counts.is_empty() {
            metrics.ask(depth::source(&self.queues, counts.clone()));
        }
        Works {
            app: self.name.clone(),
            counts,
            shared: self.queues.clone(),
            threads,
        }
    }

    /// Its queues, for the admin listener; none if it has none.
    pub(super) fn for_admin(&self) -> Option<admin::App> {
        let queues = self.queues.setup().policies.queues();
        let queues: Vec<_> = queues.map(|(queue, _)| queue.clone()).collect();
        (!queues.is_empty()).then(|| admin::App {
            name: self.name.clone(),
            engine: Arc::downgrade(self.queues.engine()),
            queues,
        })
    }

    /// What its address begins with.
    pub(super) fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Routes to slots that live on the calling thread, inside its runtime.
    fn site(&self, listener: TcpListener, thread: &Arc<Thread>) -> Site {
        let inside = server::Inside::default();
        let slot = |ready: &Ready| {
            let mut current = ready.current.subscribe();
            let slot = Slot::new(&mut current, Arc::new(inside.clone()), thread);
            tokio::spawn(slot.clone().follow(current));
            (ready.loaded().guest().name.clone(), slot)
        };
        let components: Vec<_> = self.components.iter().map(slot).collect();
        let routes = self.routes.iter().filter_map(|route| {
            let mut named = components.iter();
            let (_, slot) = named.find(|(name, _)| *name == route.component)?;
            Some((route.pattern.clone(), slot.clone()))
        });
        Site {
            listener,
            tls: self.tls.clone(),
            router: Router::new(routes.collect()),
            components,
            inside,
        }
    }
}
