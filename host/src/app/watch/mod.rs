//! Serves what is built anew while the host runs, and builds it. Comes in: the files of a plan, looked at
//! again and again; goes out: components that take the place of those that are served. What cannot be taken up is
//! told, and what was served goes on. Never drops a request, and never ends the host.

mod looks;
mod sources;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::compile::{Compiler, Job};
use super::grants::Grants;
use super::plan::{Plan, Planned};
use super::{Ready, Served, link};
use crate::manifest::{Component, Dependency};
use crate::runtime::cache::Origin;
pub(super) use looks::Looks;
use sources::Sources;

/// How long it is from one look at the files to the next. What changed is taken up at the second look
/// that finds it at rest.
const BETWEEN_LOOKS: Duration = Duration::from_millis(150);

/// What a plan was read from, so that it can be read again.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The manifests that were given; none if there is nothing but components.
    pub manifests: Vec<PathBuf>,
    /// The addresses that were given.
    pub listen: Vec<SocketAddr>,
}

/// What is needed to take up a change.
pub(super) struct Reload {
    watch: Watch,
    looks: Looks,
    sources: Sources,
    plan: Plan,
    grants: Vec<Grants>,
    compiler: Compiler,
}

/// A host that is watched, until this is dropped.
pub(super) struct Watching {
    _stop: mpsc::Sender<()>,
}

impl Reload {
    pub(super) fn new(
        watch: Watch,
        looks: Looks,
        plan: Plan,
        grants: Vec<Grants>,
        compiler: Compiler,
    ) -> Self {
        Self {
            watch,
            looks,
            sources: Sources::at(&plan),
            plan,
            grants,
            compiler,
        }
    }

    /// Starts the thread that looks. Nobody waits for it: it may be in the middle of a compile.
    pub(super) fn start(mut self, served: &Arc<Vec<Served>>) -> io::Result<Watching> {
        let (stop, stopped) = mpsc::channel();
        let served = Arc::clone(served);
        let look = move || {
            while stopped.recv_timeout(BETWEEN_LOOKS) == Err(RecvTimeoutError::Timeout) {
                self.sources.look(&self.plan);
                let changed = self.looks.changed();
                if !changed.is_empty() {
                    self.take_up(&changed, &served);
                }
            }
        };
        std::thread::Builder::new()
            .name("watch".into())
            .spawn(look)?;
        Ok(Watching { _stop: stop })
    }

    /// Serves what changed, as far as it can be served.
    fn take_up(&mut self, changed: &BTreeSet<PathBuf>, served: &[Served]) {
        let mut described = BTreeSet::new();
        if !manifests(&self.watch, &self.plan).is_disjoint(changed) {
            described = self.read_again();
            self.looks.note(files(&self.watch, &self.plan));
        }
        for (index, planned) in self.plan.apps.iter().enumerate() {
            for (at, component) in planned.app.components.iter().enumerate() {
                let is_new = described.contains(&(index, at))
                    || parts(component).iter().any(|path| changed.contains(*path));
                if !is_new {
                    continue;
                }
                let ready = &served[index].components[at];
                match self.replace(component, &self.grants[index], ready) {
                    Ok(()) => {}
                    Err(error) => tracing::error!(
                        app = planned.app.name,
                        component = component.name,
                        "the new version is not served, the one before is: {}",
                        in_full(&error)
                    ),
                }
            }
        }
    }

    /// Puts a component in the place of the one before.
    fn replace(&self, component: &Component, grants: &Grants, ready: &Ready) -> anyhow::Result<()> {
        let composed = link::serving(component, self.plan.files)?;
        let (guest, _) = grants.guest(component)?;
        let (code, origin) = self.compiler.one(&Job {
            name: &component.name,
            bytes: &composed.bytes,
        })?;
        let loaded = self.compiler.loaded(&code, guest)?;
        let wasi = loaded.wasi();
        ready.current.send_replace(Arc::new(loaded));
        let compile_ms = match origin {
            Origin::Cached => 0,
            Origin::Compiled(took) => took.as_millis() as u64,
        };
        tracing::info!(
            component = component.name,
            wasi,
            compile_ms,
            "a new version is served"
        );
        Ok(())
    }

    /// Reads the manifests again; returns the components that are described anew, by app and place.
    fn read_again(&mut self) -> BTreeSet<(usize, usize)> {
        let mut described = BTreeSet::new();
        let mut plan = match Plan::read(&self.watch.manifests, &self.watch.listen) {
            Ok(plan) => plan,
            Err(error) => {
                tracing::error!(
                    "the manifests were changed and are not taken up: {}",
                    in_full(&error.into())
                );
                return described;
            }
        };
        plan.host.state_dir.clone_from(&self.plan.host.state_dir);
        if plan.host != self.plan.host || plan.apps.len() != self.plan.apps.len() {
            tracing::warn!(
                "what a signet.toml says of the host is taken up at its start: start it again"
            );
            return described;
        }
        for (index, (old, new)) in self.plan.apps.iter_mut().zip(plan.apps).enumerate() {
            if let Some(what) = only_at_start(old, &new) {
                tracing::warn!(
                    manifest = %new.app.path.display(),
                    "{what} changed, which is taken up at the host's start: start it again; until then the app is served as it was"
                );
                continue;
            }
            let pairs = old.app.components.iter().zip(&new.app.components);
            let changed = pairs.enumerate().filter(|(_, (old, new))| old != new);
            described.extend(changed.map(|(at, _)| (index, at)));
            *old = new;
        }
        described
    }
}

/// What of an app is made once, when the host starts, and differs.
fn only_at_start(old: &Planned, new: &Planned) -> Option<&'static str> {
    let (old_app, new_app) = (&old.app, &new.app);
    if old_app.name != new_app.name || old_app.path != new_app.path {
        return Some("the app's name");
    }
    if old.listen != new.listen {
        return Some("the app's address");
    }
    if old_app.routes != new_app.routes {
        return Some("a route");
    }
    if old_app.variables != new_app.variables {
        return Some("a variable of the app");
    }
    let names = |planned: &Planned| {
        let components = planned.app.components.iter();
        components.map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    if names(old) != names(new) {
        return Some("the list of components");
    }
    let opened = |planned: &Planned| {
        let of = |component: &Component| {
            (
                component.sqlite_databases.clone(),
                component.key_value_stores.clone(),
            )
        };
        let labels = planned.app.components.iter().map(of);
        let (databases, stores): (Vec<_>, Vec<_>) = labels.unzip();
        (
            databases.concat().into_iter().collect::<BTreeSet<_>>(),
            stores.concat().into_iter().collect::<BTreeSet<_>>(),
        )
    };
    if opened(old) != opened(new) {
        return Some("the list of databases and stores");
    }
    let queues = |planned: &Planned| {
        let components = planned.app.components.iter();
        let queues = components.map(|one| (one.queues.clone(), one.outlasted.clone()));
        queues.collect::<Vec<_>>()
    };
    if queues(old) != queues(new) {
        return Some("a queue or how it is worked on");
    }
    let migrations = |planned: &Planned| {
        let components = planned.app.components.iter();
        components
            .map(|one| one.migrations.clone())
            .collect::<Vec<_>>()
    };
    (migrations(old) != migrations(new)).then_some("the list of migrations")
}

/// The files that a component is linked from.
fn parts(component: &Component) -> Vec<&PathBuf> {
    fn add<'a>(dependencies: &'a [Dependency], parts: &mut Vec<&'a PathBuf>) {
        for dependency in dependencies {
            parts.push(&dependency.source);
            add(&dependency.dependencies, parts);
        }
    }
    let mut parts = vec![&component.source];
    add(&component.dependencies, &mut parts);
    parts
}

/// The files of the manifests. A folder that was given stands for the manifest in it.
fn manifests(watch: &Watch, plan: &Plan) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for path in &watch.manifests {
        if path.is_dir() {
            files.extend(["signet.toml", "spin.toml"].map(|name| path.join(name)));
        } else {
            files.insert(path.clone());
        }
    }
    if !files.is_empty() {
        files.extend(plan.apps.iter().map(|planned| planned.app.path.clone()));
    }
    files
}

/// All files that are looked at.
fn files(watch: &Watch, plan: &Plan) -> BTreeSet<PathBuf> {
    let components = plan.apps.iter().flat_map(|planned| &planned.app.components);
    let mut files = manifests(watch, plan);
    files.extend(components.flat_map(parts).cloned());
    files
}

impl Looks {
    /// Looks at all files of a plan for the first time.
    pub(super) fn at(watch: &Watch, plan: &Plan) -> Self {
        let mut looks = Self::default();
        looks.note(files(watch, plan));
        looks
    }
}

/// An error with what caused it, one cause a line.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let _ = write!(text, "\n  because {cause}");
    }
    text
}
