//! `[component.NAME.tool.signet]`: what this host reads of a component's manifest beyond Spin's own keys.
//! The tables of other tools beside it are theirs. Comes in: the component's table; goes out: its
//! settings. Read strictly: nobody else will say that a key in it is misspelt.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::bound::Set;
use super::label::label;
use super::limits;
use super::outbound;
use super::queue::{self, Queues};
use super::reader::{Item, Table};
use crate::capability::Label;
use crate::capability::http::Network;
use crate::capability::variables::Template;
use crate::runtime::pool;

/// What one component's table says.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) label: Option<String>,
    pub(super) migrations: Vec<(Label, Vec<PathBuf>)>,
    pub(super) limits: Set<pool::Limits>,
    pub(super) networks: Vec<Network>,
    pub(super) queues: Queues,
    pub(super) guarded_by: Option<String>,
}

/// Reads the settings; `databases` are those that the component may open, `variables` those that it has.
pub(super) fn read(
    component: &Table<'_>,
    databases: &[Label],
    variables: &BTreeMap<String, Template>,
) -> Settings {
    let Some(table) = component
        .table("tool")
        .and_then(|tool| tool.table("signet"))
    else {
        return Settings::default();
    };
    Settings {
        label: table.get("label").and_then(|item| line(&item)),
        migrations: table
            .entries("migrations")
            .iter()
            .filter_map(|item| migration(item, databases))
            .collect(),
        limits: Set::read(
            &table,
            limits::COMPONENT,
            &[
                "label",
                "migrations",
                "queue",
                "guarded_by",
                outbound::ALLOW_NETWORKS,
            ],
        ),
        networks: outbound::networks(&table),
        queues: queue::read(&table, |item| variable(item, variables)),
        guarded_by: table
            .get("guarded_by")
            .and_then(|item| variable(&item, variables)),
    }
}

/// The name of one of the component's variables.
fn variable(item: &Item<'_>, variables: &BTreeMap<String, Template>) -> Option<String> {
    let name = item.words()?;
    if !variables.contains_key(name) {
        item.mistake(format!(
            "`{name}` is not among the component's variables: add it to `[component.NAME.variables]`"
        ));
        return None;
    }
    Some(name.to_owned())
}

/// A text that can stand at the front of a line.
fn line(item: &Item<'_>) -> Option<String> {
    let text = item.words()?;
    if text.contains(char::is_control) {
        item.mistake(format!("`{}` must be one line of plain text", item.name()));
        return None;
    }
    Some(text.to_owned())
}

/// The files for one database, in the order in which they are run.
fn migration(item: &Item<'_>, databases: &[Label]) -> Option<(Label, Vec<PathBuf>)> {
    let label = label(item.key, item.source, &item.key_at);
    if let Some(label) = &label
        && !databases.contains(label)
    {
        let message =
            format!("`{label}` is not among the component's `sqlite_databases`: add it there");
        item.source.mistake(&item.key_at, message);
    }
    let files = item
        .list()
        .iter()
        .map(Item::file)
        .collect::<Option<Vec<_>>>();
    Some((label?, files?))
}
