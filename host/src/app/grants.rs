//! From what a manifest grants to what an instance is given: opens an app's databases and stores, fills in
//! its variables, reads its outbound hosts. Comes in: a plan; goes out: a guest for each component.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use zeroize::Zeroizing;

use super::files::{FilesError, Stage};
use super::plan::{Plan, Planned};
use super::secrets::kept_or_made;
use super::{Options, state};
use crate::capability::http::allow::{AllowError, AllowedHosts};
use crate::capability::{Grants as Labels, Label, http, keyvalue, queue, sqlite, variables};
use crate::clock::millis;
use crate::file;
use crate::manifest::{self, HostConfig, VariableSource};
use crate::metrics::{self, Metrics};
use crate::queue::QueueName;
use crate::runtime::pool::{Guest, Limits};
use crate::telemetry::{Lines, Source};

/// What cannot be granted because of what was given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Required variables without a value.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unset(Vec<variables::Unset>),
    /// Outbound hosts that cannot be read once their variables are filled in.
    #[error("{component}: {}", .wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Hosts {
        /// The component.
        component: String,
        /// Its entries.
        wrong: Vec<AllowError>,
    },
    /// Others could reach a component that asks nobody for anything.
    #[error(
        "{component} can be reached on {listen} from other machines and has no token: set \
         SPIN_VARIABLE_{}, or listen on 127.0.0.1",
        variable.to_uppercase()
    )]
    Unguarded {
        /// The component.
        component: String,
        /// Where it is served.
        listen: SocketAddr,
        /// The variable that has no value.
        variable: String,
    },
    /// The component would still be at an attempt when the host ends it. The value is not shown: it may be a secret.
    #[error(
        "{component}: variable `{variable}` is no number of milliseconds from 1 to {}, and queue `{queue}` ends \
         an attempt after {timeout_ms} (timeout_ms): set the variable lower, or timeout_ms higher", timeout_ms - 1
    )]
    NotOutlasted {
        /// The component.
        component: String,
        /// Its queue.
        queue: Label,
        /// The variable that the queue's table names.
        variable: String,
        /// The queue's timeout, in milliseconds.
        timeout_ms: u64,
    },
    /// Something is to be put where no component would find it.
    #[error(
        "{flag} is for `{label}`, which is in no component's `{what}`: grant it, or leave the flag out"
    )]
    NoStorage {
        /// The flag.
        flag: &'static str,
        /// The key of a component's table.
        what: &'static str,
        /// The database or the store.
        label: Label,
    },
    /// Files that cannot be given.
    #[error("{component} does not get its files")]
    Files {
        /// The component.
        component: String,
        /// Which, and why.
        source: FilesError,
    },
    /// A migration's file cannot be read.
    #[error("{component}: migration {} cannot be read", path.display())]
    Migration {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Whether each queue's timeout is longer than what the component gives an attempt, as far as its table names the
/// variable. An empty one stands for what the component takes without it.
fn outlasted(
    component: &manifest::Component,
    variables: &variables::Resolved,
) -> Result<(), GrantError> {
    for (queue, variable) in &component.outlasted {
        let (Some(policy), Ok(value)) = (component.queues.get(queue), variables.get(variable))
        else {
            continue;
        };
        let timeout_ms = millis(policy.timeout);
        let is_less = |value: u64| (1..timeout_ms).contains(&value);
        if !value.is_empty() && !value.parse().is_ok_and(is_less) {
            return Err(GrantError::NotOutlasted {
                component: component.name.clone(),
                queue: queue.clone(),
                variable: variable.clone(),
                timeout_ms,
            });
        }
    }
    Ok(())
}

/// The label that is there without being configured, as in Spin.
const DEFAULT_LABEL: &str = "default";

/// What the components of one app share.
pub(super) struct Grants {
    sqlite: sqlite::Shared,
    keyvalue: keyvalue::Shared,
    queue: queue::Shared,
    values: variables::Values,
    outbound: http::Config,
    lines: Lines,
    limits: manifest::Set<Limits>,
    app: String,
    listen: SocketAddr,
    /// What stands in front of the lines of other apps' components.
    elsewhere: BTreeSet<String>,
    /// For all components, in the place of what their manifest says.
    environment: Vec<(String, String)>,
    /// The folder of the manifest.
    folder: PathBuf,
    state_dir: PathBuf,
    metrics: Arc<Metrics>,
}

impl Grants {
    /// Opens what an app's components are granted, and runs its migrations.
    pub(super) fn open(
        plan: &Plan,
        planned: &Planned,
        options: &Options,
        tls: &http::TlsRoots,
        lines: &Lines,
        metrics: &Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let folder = plan.host.state_dir.join(&planned.app.name);
        file::private::create_folder(&folder)?;
        let components = || planned.app.components.iter();
        let wanted = components().flat_map(|component| &component.sqlite_databases);
        let databases = locations(wanted, &plan.host.sqlite_databases, &folder, "sqlite");
        let wanted = components().flat_map(|component| &component.key_value_stores);
        let stores = locations(wanted, &plan.host.key_value_stores, &folder, "key-value");
        for (kind, places) in [("sqlite", &databases), ("key-value", &stores)] {
            for (label, path) in places {
                metrics.watch(metrics::File {
                    app: planned.app.name.clone(),
                    kind,
                    label: label.to_string(),
                    path: path.clone(),
                });
            }
        }
        options.first.check(databases.keys())?;
        let sqlite = sqlite::Config {
            databases: databases
                .into_iter()
                .map(|(label, path)| (label, sqlite::Location::File(path)))
                .collect(),
            migrations: migrations(plan, planned)?,
            scripts: options.first.scripts.clone(),
            limits: plan.host.sqlite.clone(),
        };
        let keyvalue = keyvalue::Config {
            buckets: stores
                .into_iter()
                .map(|(label, path)| (label, keyvalue::Location::File(path)))
                .collect(),
            limits: plan.host.key_value.clone(),
        };
        let queues = queues(plan, planned, &folder);
        if let queue::Location::File(path) = &queues.location {
            metrics.watch(metrics::File {
                app: planned.app.name.clone(),
                kind: "queue",
                label: "jobs".to_owned(),
                path: path.clone(),
            });
        }
        let keyvalue = keyvalue.open()?;
        options.first.set(&keyvalue, DEFAULT_LABEL)?;
        Ok(Self {
            sqlite: sqlite.open()?,
            keyvalue,
            queue: queues.open()?,
            values: values(&plan.host, planned, options)?,
            outbound: http::Config {
                limits: plan.host.outbound,
                networks: plan.host.allow_networks.clone(),
                resolver: options.resolver.clone(),
                tls: tls.clone(),
            },
            lines: lines.clone(),
            limits: plan.host.limits.clone(),
            elsewhere: elsewhere(plan, planned),
            app: planned.app.name.clone(),
            listen: planned.listen,
            environment: options.guest_environment.clone(),
            folder: planned
                .app
                .path
                .parent()
                .map(Path::to_owned)
                .unwrap_or_default(),
            state_dir: plan.host.state_dir.clone(),
            metrics: Arc::clone(metrics),
        })
    }

    /// The app's queues.
    pub(super) fn queues(&self) -> &queue::Shared {
        &self.queue
    }

    /// What each instance of a component is given, and the hosts it may call, for the banner.
    pub(super) fn guest(
        &self,
        component: &manifest::Component,
    ) -> Result<(Guest, Vec<String>), GrantError> {
        let (hosts, allowed) = self.hosts(component)?;
        let variables =
            variables::Resolved::new(&component.variables, &self.values).map_err(unset)?;
        self.guarded(component, &variables)?;
        outlasted(component, &variables)?;
        let granted = |labels: Labels| Arc::new(labels.of(&component.name));
        let labels = |labels: &[Label]| granted(labels.iter().cloned().collect());
        let limits = limits(&self.limits, component);
        let files = self.files(component, &limits)?;
        let metrics = self.metrics.component(&self.app, &component.name);
        let mut label = shown_as(component).to_owned();
        if self.elsewhere.contains(&label) {
            label = format!("{}/{label}", self.app);
        }
        let guest = Guest {
            name: component.name.clone(),
            lines: Source::new(
                self.lines.clone(),
                &label,
                limits.print,
                metrics.lines_dropped.clone(),
            ),
            environment: self.environment(component),
            files,
            limits,
            sqlite: (self.sqlite.clone(), labels(&component.sqlite_databases)),
            keyvalue: (self.keyvalue.clone(), labels(&component.key_value_stores)),
            queue: (
                self.queue.clone(),
                granted(component.queues.keys().cloned().collect()),
            ),
            variables: Arc::new(variables),
            http: http::Shared::new(
                allowed,
                &component.allow_networks,
                &self.outbound,
                metrics.outbound.clone(),
            ),
            metrics,
        };
        Ok((guest, hosts))
    }

    /// Whether nobody but this machine reaches a component, or only those who know its token.
    fn guarded(
        &self,
        component: &manifest::Component,
        variables: &variables::Resolved,
    ) -> Result<(), GrantError> {
        match &component.guarded_by {
            Some(variable)
                if !self.listen.ip().to_canonical().is_loopback()
                    && variables.get(variable).is_ok_and(str::is_empty) =>
            {
                Err(GrantError::Unguarded {
                    component: component.name.clone(),
                    listen: self.listen,
                    variable: variable.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn environment(&self, component: &manifest::Component) -> Vec<(String, String)> {
        let set = |name: &String| self.environment.iter().any(|(other, _)| other == name);
        let own = component.environment.iter().filter(|(name, _)| !set(name));
        own.chain(&self.environment).cloned().collect()
    }

    /// Copies of the files that a component may read.
    fn files(
        &self,
        component: &manifest::Component,
        limits: &Limits,
    ) -> Result<Option<TempDir>, GrantError> {
        let stage = Stage {
            folder: &self.folder,
            state_dir: &self.state_dir,
            copies: &state::copies(&self.state_dir),
            most: limits.files,
            most_bytes: limits.files_bytes,
        };
        stage
            .copy(&component.files)
            .map_err(|source| GrantError::Files {
                component: component.name.clone(),
                source,
            })
    }

    /// The hosts a component may call, as they are shown and as they are checked. An entry with a secret
    /// in it is shown as its template.
    fn hosts(
        &self,
        component: &manifest::Component,
    ) -> Result<(Vec<String>, AllowedHosts), GrantError> {
        let (mut shown, mut entries) = (Vec::new(), Vec::new());
        for template in &component.allowed_outbound_hosts {
            let host = self.values.render(template).map_err(unset)?;
            shown.push(if host.is_secret() {
                template.to_string()
            } else {
                host.expose().to_owned()
            });
            entries.push(host);
        }
        let allowed = AllowedHosts::parse(entries.iter().map(variables::Value::expose));
        let allowed = allowed.map_err(|mut wrong| {
            for error in &mut wrong {
                if let Some(at) = entries
                    .iter()
                    .position(|entry| entry.expose() == error.entry)
                {
                    error.entry.clone_from(&shown[at]);
                }
            }
            GrantError::Hosts {
                component: component.name.clone(),
                wrong,
            }
        })?;
        Ok((shown, allowed))
    }
}

fn unset(error: variables::RenderError) -> GrantError {
    GrantError::Unset(vec![variables::Unset { name: error.name }])
}

/// A component's bounds: its own, then the host's, then the defaults.
pub(super) fn limits(host: &manifest::Set<Limits>, component: &manifest::Component) -> Limits {
    component.limits.over(host.over(Limits::default()))
}

/// What stands in front of a component's lines.
fn shown_as(component: &manifest::Component) -> &str {
    component.label.as_deref().unwrap_or(&component.name)
}

/// What stands in front of the lines of all apps but this one.
fn elsewhere(plan: &Plan, planned: &Planned) -> BTreeSet<String> {
    let others = plan.apps.iter();
    let others = others.filter(|other| other.app.name != planned.app.name);
    let components = others.flat_map(|other| &other.app.components);
    components.map(|other| shown_as(other).to_owned()).collect()
}

/// Where the labels are that an app's manifest grants. Each app has files of its own, unless the host's
/// file names one. A label that is granted and not configured has no place: it does not exist.
fn locations<'a>(
    granted: impl Iterator<Item = &'a Label>,
    configured: &BTreeMap<Label, Option<PathBuf>>,
    folder: &Path,
    kind: &str,
) -> BTreeMap<Label, PathBuf> {
    let mut locations = BTreeMap::new();
    for label in granted {
        let beside = || folder.join(kind).join(format!("{label}.db"));
        let path = match configured.get(label) {
            Some(path) => path.clone().unwrap_or_else(beside),
            None if label.as_str() == DEFAULT_LABEL => beside(),
            None => {
                tracing::warn!(%label, kind, "a label is granted and not configured: give it a table in signet.toml");
                continue;
            }
        };
        locations.insert(label.clone(), path);
    }
    locations
}

/// The queues of an app's components, each of which has its own.
fn queues(plan: &Plan, planned: &Planned, folder: &Path) -> queue::Config {
    let components = planned.app.components.iter();
    let queues = components.flat_map(|component| {
        let named = |label: &Label| QueueName {
            owner: component.name.clone(),
            name: label.to_string(),
        };
        let queues = component.queues.iter();
        queues.map(move |(label, policy)| (named(label), policy.clone()))
    });
    let queues: BTreeMap<_, _> = queues.collect();
    queue::Config {
        // Where nothing can be enqueued, nothing has to be kept.
        location: match queues.is_empty() {
            true => queue::Location::Memory,
            false => queue::Location::File(folder.join("queue").join("jobs.db")),
        },
        queues,
        limits: plan.host.queue.clone(),
    }
}

fn migrations(plan: &Plan, planned: &Planned) -> Result<Vec<sqlite::Migration>, GrantError> {
    let mut migrations = Vec::new();
    for component in &planned.app.components {
        for (label, files) in &component.migrations {
            for path in files {
                let sql = plan
                    .files
                    .text(path)
                    .map_err(|source| GrantError::Migration {
                        component: component.name.clone(),
                        path: path.clone(),
                        source,
                    })?;
                // Components that share a database may both have a file of this name.
                let folder = planned.app.path.parent().unwrap_or(Path::new(""));
                let file = path.strip_prefix(folder).unwrap_or(path);
                let name = format!("{}/{}", component.name, file.display());
                migrations.push(sqlite::Migration {
                    label: label.clone(),
                    component: component.name.clone(),
                    name,
                    sql,
                });
            }
        }
    }
    Ok(migrations)
}

fn values(
    host: &HostConfig,
    planned: &Planned,
    options: &Options,
) -> anyhow::Result<variables::Values> {
    let mut kept = BTreeMap::new();
    for (name, source) in &host.variables {
        // Only what an app asks for is made.
        if planned.app.variables.contains_key(name) {
            let value = match source {
                VariableSource::Value(value) => Zeroizing::new(value.clone()),
                VariableSource::Generate => kept_or_made(&host.state_dir, name)?,
            };
            kept.insert(name.clone(), value);
        }
    }
    let find = |pairs: &[(String, String)], wanted: &str| {
        pairs
            .iter()
            .rev()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let flag = |name: &str| find(&options.variables, name);
    let environment = |name: &str| {
        find(
            &options.environment,
            &format!("SPIN_VARIABLE_{}", name.to_uppercase()),
        )
    };
    let file = |name: &str| kept.get(name).map(|value| value.to_string());
    let values = variables::Values::resolve(&planned.app.variables, &[&flag, &environment, &file]);
    Ok(values.map_err(GrantError::Unset)?)
}
