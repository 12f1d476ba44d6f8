//! Reads Spin's manifest, version 2. Comes in: its text; goes out: an [`App`], or all of its mistakes.
//! What Spin knows and this host does not is a mistake where passing over it would change what the app
//! means, and a warning where it would not.

use std::path::{Path, PathBuf};

use super::build::{self, Build};
use super::chain;
use super::component::{self, Component, Surroundings};
use super::mistake::{Mistake, Mistakes};
use super::reader::{Item, Source, Table};
use super::trigger::{self, Route};
use super::variables;
use crate::capability::variables::Declarations;

/// An app: components, and which of them answers which path.
#[derive(Debug)]
pub struct App {
    /// The manifest's file.
    pub path: PathBuf,
    /// The app's name, which can also be a folder's.
    pub name: String,
    /// The components that its triggers name, in the order of the manifest.
    pub components: Vec<Component>,
    /// Its routes, no two of which fit the same paths.
    pub routes: Vec<Route>,
    /// How its components are built, those that are only linked into others included.
    pub builds: Vec<Build>,
    /// Its variables.
    pub variables: Declarations,
    /// What the manifest says and this host does not heed.
    pub warnings: Vec<Mistake>,
}

/// Reads a `spin.toml`. Its files are taken relative to the folder of `path`, which is not opened.
pub fn read_app(text: &str, path: &Path) -> Result<App, Mistakes> {
    let source = Source::new(text, path);
    let document = source.parse()?;
    let app = app(&Table::root(&source, &document), path);
    let (app, warnings) = source.finish(app)?;
    Ok(App { warnings, ..app })
}

fn app(root: &Table<'_>, path: &Path) -> Option<App> {
    // Another version has other keys: there would be a mistake for each.
    version(root)?;
    root.only(&[
        "spin_manifest_version",
        "application",
        "variables",
        "trigger",
        "component",
    ]);
    let application = root.require(
        "application",
        "write `[application]` and the app's `name` there",
    );
    let application = application.and_then(|item| item.table());
    let name = application.as_ref().and_then(name);
    let base = application.as_ref().map(trigger::base).unwrap_or_default();
    let declared = root.entries("variables");
    let components = root.entries("component");
    let names = variables::names(&declared);
    let around = Surroundings {
        variables: &names,
        components: &components,
    };
    let read: Vec<_> = components
        .iter()
        .map(|item| component::read(item, &around))
        .collect();
    let triggers = trigger::read(root, base, &components);
    let linked = chain::linked(&components);
    let idle =
        |item: &&Item<'_>| !triggers.components.contains(item.key) && !linked.contains(item.key);
    for item in components.iter().filter(idle) {
        let message = format!(
            "component `{}` is not loaded: no trigger and no other component names it",
            item.key
        );
        item.source.warning(&item.key_at, message);
    }
    let builds = components.iter().filter(|item| item.is_table());
    let builds = builds.filter_map(|item| build::read(&item.table()?, item.key));
    let builds = builds.collect();
    let mut read = read.into_iter().collect::<Option<Vec<_>>>()?;
    chain::resolve(&mut read, &components);
    read.retain(|component| triggers.components.contains(&component.name));
    Some(App {
        path: path.to_owned(),
        name: name?,
        components: read,
        routes: triggers.routes,
        builds,
        variables: variables::declarations(&declared),
        warnings: Vec::new(),
    })
}

fn version(root: &Table<'_>) -> Option<()> {
    const CURE: &str = "this host reads version 2, write `spin_manifest_version = 2`";
    let version = root.require("spin_manifest_version", CURE)?;
    if !version.is_text() && version.number()? == 2 {
        return Some(());
    }
    version.mistake(format!(
        "the manifest is of another version: {CURE}, and change what version 2 has changed"
    ));
    None
}

/// Reads `[application]`; what is in it besides the name describes the app and changes nothing.
fn name(table: &Table<'_>) -> Option<String> {
    table.only(&[
        "name",
        "version",
        "description",
        "authors",
        "targets",
        "trigger",
        "tool",
    ]);
    table.text("description");
    table.texts("authors");
    if let Some(item) = table.get("targets").filter(|item| !item.is_empty()) {
        item.source.warning(
            &item.key_at,
            format!(
                "`{}` is not heeded: this host does not compare the app with those of other hosts",
                item.name()
            ),
        );
    }
    let triggers = table.entries("trigger").into_iter();
    for item in triggers.filter(|item| item.key != "http") {
        item.source.warning(
            &item.key_at,
            format!(
                "`{}` is not heeded: this host has HTTP triggers only",
                item.name()
            ),
        );
    }
    if let Some(item) = table.get("version")
        && let Some(version) = item.text()
        && let Err(error) = semver::Version::parse(version)
    {
        // Spin takes any text here, and nothing depends on it.
        item.source.warning(
            &item.at,
            format!("version `{version}` is not a semantic version: {error}"),
        );
    }
    let item = table.require("name", "give the app a name")?;
    let name = item.words()?;
    // The app's state is kept in a folder of this name, which must lead nowhere else.
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if name.starts_with('.') || !name.chars().all(fits) {
        item.mistake(format!(
            "app name `{name}` does not fit a folder: use letters, digits, dashes and underscores"
        ));
        return None;
    }
    Some(name.to_owned())
}

#[cfg(test)]
#[path = "tests/app.rs"]
mod tests;

#[cfg(test)]
#[path = "tests/whole.rs"]
mod whole;
