//! Reads `[component.NAME]`. Comes in: its table and what else the manifest has; goes out: a component
//! and its grants. Never grants what is not written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::bound::Set;
use super::dependency::{self, Dependency};
use super::files::{self, Files};
use super::label::{is_component_name, labels};
use super::reader::{Item, Table};
use super::settings;
use super::source::{self, Digest};
use super::spelling;
use super::variables::{self, Names};
use crate::capability::Label;
use crate::capability::http::Network;
use crate::capability::http::allow::AllowedHosts;
use crate::capability::variables::Template;
use crate::queue::Policy;
use crate::runtime::pool;

/// A component, and what it is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its file.
    pub source: PathBuf,
    /// What its file must be, if the manifest says so.
    pub digest: Option<Digest>,
    /// What is linked into it.
    pub dependencies: Vec<Dependency>,
    /// The databases it may open.
    pub sqlite_databases: Vec<Label>,
    /// The key-value stores it may open.
    pub key_value_stores: Vec<Label>,
    /// The hosts it may call. Those without variables are known to be valid.
    pub allowed_outbound_hosts: Vec<Template>,
    /// Networks that are not public and that its requests may lead into.
    pub allow_networks: Vec<Network>,
    /// Its variables.
    pub variables: BTreeMap<String, Template>,
    /// Its environment, in the order of the manifest.
    pub environment: Vec<(String, String)>,
    /// What it may read of the app's folder.
    pub files: Files,
    /// The name in front of its lines, where it is not the component's.
    pub label: Option<String>,
    /// Files with statements to run once on a database, in their order.
    pub migrations: Vec<(Label, Vec<PathBuf>)>,
    /// Its bounds.
    pub limits: Set<pool::Limits>,
    /// Its queues, and how each is worked on.
    pub queues: BTreeMap<Label, Policy>,
    /// The variable that says how many milliseconds the component gives an attempt, for the queues that name one:
    /// less than the queue's timeout.
    pub outlasted: BTreeMap<Label, String>,
    /// The variable whose value whoever calls the component has to present; while it is empty, only this machine
    /// may reach it.
    pub guarded_by: Option<String>,
}

/// What a component's table may refer to.
pub(super) struct Surroundings<'a, 's> {
    /// The app's variables.
    pub(super) variables: &'a Names<'s>,
    /// All components of the manifest.
    pub(super) components: &'a [Item<'s>],
}

/// All keys of Spin's.
const KEYS: [&str; 17] = [
    "source",
    "description",
    "variables",
    "environment",
    "files",
    "exclude_files",
    "allowed_http_hosts",
    "allowed_outbound_hosts",
    "key_value_stores",
    "sqlite_databases",
    "ai_models",
    "targets",
    "build",
    "tool",
    "dependencies_inherit_configuration",
    "dependencies",
    "profile",
];

/// Reads one component.
pub(super) fn read(item: &Item<'_>, around: &Surroundings<'_, '_>) -> Option<Component> {
    if !is_component_name(item.key) {
        let message = format!(
            "component name `{}` is not valid: use letters and digits, with single dashes between words",
            item.key
        );
        item.source.mistake(&item.key_at, message);
    }
    let table = item.table()?;
    table.only(&KEYS);
    passed_over(&table);
    let source = table.require("source", "write the path of the component's file");
    let source = source.and_then(|item| source::read(&item));
    let sqlite_databases = labels(table.get("sqlite_databases"));
    let variables: BTreeMap<_, _> = variables::of_component(&table, around.variables)
        .into_iter()
        .collect();
    let settings = settings::read(&table, &sqlite_databases, &variables);
    let component = Component {
        name: item.key.to_owned(),
        source: PathBuf::new(),
        digest: None,
        dependencies: dependency::read(&table, item.key, around),
        key_value_stores: labels(table.get("key_value_stores")),
        sqlite_databases,
        allowed_outbound_hosts: hosts(&table, around),
        variables,
        environment: environment(&table),
        files: files::read(&table),
        label: settings.label,
        migrations: settings.migrations,
        limits: settings.limits,
        allow_networks: settings.networks,
        queues: settings.queues.policies,
        outlasted: settings.queues.outlasted,
        guarded_by: settings.guarded_by,
    };
    let source = source?;
    Some(Component {
        source: source.path,
        digest: source.digest,
        ..component
    })
}

/// What this host does not do: a mistake where the component would miss it, a warning where not.
fn passed_over(table: &Table<'_>) {
    table.text("description");
    let there = |key: &str| table.get(key).filter(|item| !item.is_empty());
    if let Some(item) = there("allowed_http_hosts") {
        let cure = "write `allowed_outbound_hosts = [\"https://HOST\"]` in its place";
        item.source.mistake(
            &item.key_at,
            format!("`{}` is not supported: {cure}", item.name()),
        );
    }
    for (key, why) in [
        (
            "ai_models",
            "this host has no models, and refuses each call",
        ),
        (
            "targets",
            "this host does not compare the component with those of other hosts",
        ),
        (
            "profile",
            "this host runs the component as it is without a profile",
        ),
    ] {
        if let Some(item) = there(key) {
            item.source.warning(
                &item.key_at,
                format!("`{}` is not heeded: {why}", item.name()),
            );
        }
    }
}

/// Warns of a component that is called and not there: such a call fails when it is made.
fn inside(name: &str, item: &Item<'_>, around: &Surroundings<'_, '_>) {
    let components = || around.components.iter().map(|component| component.key);
    if !components().any(|have| have.eq_ignore_ascii_case(name)) {
        let hint = spelling::hint(name, components());
        let message = format!("component `{name}` is called and not in this manifest{hint}");
        item.source.warning(&item.at, message);
    }
}

fn hosts(table: &Table<'_>, around: &Surroundings<'_, '_>) -> Vec<Template> {
    let mut hosts = Vec::new();
    for (text, item) in table.texts("allowed_outbound_hosts") {
        let Some(template) = variables::template(text, &item, around.variables) else {
            continue;
        };
        // An entry with variables can be judged only when they have values.
        if template.is_literal() {
            match AllowedHosts::parse([text]) {
                Ok(allowed) => allowed
                    .components()
                    .for_each(|name| inside(name, &item, around)),
                Err(errors) => errors
                    .iter()
                    .for_each(|error| item.mistake(error.to_string())),
            }
        }
        hosts.push(template);
    }
    hosts
}

fn environment(table: &Table<'_>) -> Vec<(String, String)> {
    let items = table.entries("environment").into_iter();
    items
        .filter_map(|item| Some((item.key.to_owned(), item.text()?.to_owned())))
        .collect()
}
