//! From what a manifest grants to what an instance is given: opens an app's databases and stores, fills in
//! its variables, reads its outbound hosts. Comes in: a plan; goes out: a guest for each component.

mod config;
mod error;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use self::config::{DEFAULT_LABEL, locations, migrations, queues, values};
pub use self::error::GrantError;
use super::files::Stage;
use super::plan::{Plan, Planned};
use super::{Options, state};
use crate::capability::http::allow::AllowedHosts;
use crate::capability::{Grants as Labels, Label, http, keyvalue, queue, sqlite, variables};
use crate::clock::millis;
use crate::file;
use crate::manifest;
use crate::metrics::{self, Metrics};
use crate::runtime::pool::{Guest, Limits};
use crate::telemetry::{Lines, Source};

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
