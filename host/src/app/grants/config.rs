//! From a plan to what each capability is opened with: where databases, stores and queues are, what migrates them,
//! which value a variable has. Comes in: a plan; goes out: the capabilities' own words. Never opens one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::GrantError;
use crate::app::Options;
use crate::app::plan::{Plan, Planned};
use crate::app::secrets::kept_or_made;
use crate::capability::{Label, queue, sqlite, variables};
use crate::manifest::{HostConfig, VariableSource};
use crate::queue::QueueName;

/// The label that is there without being configured, as in Spin.
pub(super) const DEFAULT_LABEL: &str = "default";

/// Where the labels are that an app's manifest grants. Each app has files of its own, unless the host's
/// file names one. A label that is granted and not configured has no place: it does not exist.
pub(super) fn locations<'a>(
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
pub(super) fn queues(plan: &Plan, planned: &Planned, folder: &Path) -> queue::Config {
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

/// The migrations of an app's components, each with its text.
pub(super) fn migrations(
    plan: &Plan,
    planned: &Planned,
) -> Result<Vec<sqlite::Migration>, GrantError> {
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

/// The values of an app's variables: from the command line, then the environment, then the host's file.
pub(super) fn values(
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
