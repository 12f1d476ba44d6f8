//! `[[trigger.http]]`: which component answers which path. Comes in: the triggers and the names of the
//! components; goes out: routes, no two of which fit the same paths. Never routes a request.

use std::collections::BTreeSet;

use super::reader::{Item, Table};
use super::spelling;
use crate::server::router::Pattern;

/// Which component answers a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The paths.
    pub pattern: Pattern,
    /// The component's name.
    pub component: String,
}

/// What all routes of the app begin with: `base` of `[application.trigger.http]`.
pub(super) fn base<'s>(application: &Table<'s>) -> &'s str {
    let Some(http) = application
        .table("trigger")
        .and_then(|triggers| triggers.table("http"))
    else {
        return "";
    };
    http.only(&["base"]);
    let Some(item) = http.get("base") else {
        return "";
    };
    let Some(base) = item.text() else { return "" };
    if let Err(error) = Pattern::parse(base) {
        item.mistake(format!("`{}` is no path: {error}", item.name()));
        return "";
    }
    base.trim_end_matches('/')
}

/// What the triggers say.
pub(super) struct Triggers {
    pub(super) routes: Vec<Route>,
    /// The components they name, those without a public route included.
    pub(super) components: BTreeSet<String>,
}

/// Reads all triggers.
pub(super) fn read(root: &Table<'_>, base: &str, components: &[Item<'_>]) -> Triggers {
    const CURE: &str = "write `[[trigger.http]]` with a `route` and a `component`";
    let triggers = root.require("trigger", CURE).and_then(|item| item.table());
    let kinds = triggers.as_ref().map(Table::items).unwrap_or_default();
    for kind in kinds.iter().filter(|kind| kind.key != "http") {
        let message = format!(
            "`{}` is not supported: this host has HTTP triggers only",
            kind.name()
        );
        kind.source.mistake(&kind.key_at, message);
    }
    if let (Some(triggers), true) = (&triggers, kinds.is_empty()) {
        triggers
            .source
            .mistake(&triggers.at, format!("`trigger` is empty: {CURE}"));
    }
    let http = kinds
        .iter()
        .filter(|kind| kind.key == "http")
        .flat_map(Item::list);
    let mut placed: Vec<(Route, Item<'_>)> = Vec::new();
    let mut named = BTreeSet::new();
    for trigger in http.filter_map(|item| item.table()) {
        let component = component(&trigger, components);
        named.extend(component.clone());
        let Some((pattern, item)) = pattern(&trigger, base) else {
            continue;
        };
        if let Some((taken, first)) = placed
            .iter()
            .find(|(route, _)| route.pattern.same_paths(&pattern))
        {
            item.mistake(format!(
                "route `{pattern}` fits the same paths as `{}` of line {}: one of the two would never be reached",
                taken.pattern,
                item.source.line(&first.at)
            ));
        } else if let Some(component) = component {
            placed.push((Route { pattern, component }, item));
        }
    }
    Triggers {
        routes: placed.into_iter().map(|(route, _)| route).collect(),
        components: named,
    }
}

/// The name of the trigger's component, and all else of the trigger but its route.
fn component(trigger: &Table<'_>, components: &[Item<'_>]) -> Option<String> {
    trigger.only(&[
        "id",
        "component",
        "route",
        "executor",
        "components",
        "dependencies",
    ]);
    trigger.text("id");
    for item in ["components", "dependencies"]
        .into_iter()
        .filter_map(|key| trigger.get(key))
    {
        let message = format!(
            "`{}` is not supported: a trigger has one `component`",
            item.name()
        );
        item.source.mistake(&item.key_at, message);
    }
    if let Some(executor) = trigger.table("executor") {
        self::executor(&executor);
    }
    let item = trigger.require("component", "name the component that answers")?;
    if item.is_table() {
        item.mistake(
            "a component inside a trigger is not supported: write `[component.NAME]` and name it here",
        );
        return None;
    }
    let name = item.text()?;
    if components.iter().any(|component| component.key == name) {
        return Some(name.to_owned());
    }
    let names = components.iter().map(|component| component.key);
    item.mistake(format!(
        "component `{name}` is not in this manifest{}",
        spelling::hint(name, names)
    ));
    None
}

/// How Spin calls the component. The executors for components mean here what this host does anyway.
fn executor(table: &Table<'_>) {
    let Some(item) = table.require("type", "write `type = \"http\"`, or leave the executor out")
    else {
        return;
    };
    if let Some(kind) = item.text()
        && !["http", "spin", "wasip3-unstable"].contains(&kind)
    {
        item.mistake(format!(
            "executor `{kind}` is not supported: leave `executor` out and use an HTTP component"
        ));
    }
}

/// The route's pattern and place; none where there is no public route, or a mistake.
fn pattern<'s>(trigger: &Table<'s>, base: &str) -> Option<(Pattern, Item<'s>)> {
    let item = trigger.require("route", "write a path, such as `route = \"/...\"`")?;
    if item.is_table() {
        private(&item)?;
        return None;
    }
    let route = item.text()?;
    let pattern = Pattern::below(base, route);
    let pattern = pattern
        .map_err(|error| item.mistake(error.to_string()))
        .ok()?;
    Some((pattern, item))
}

/// `route = { private = true }`.
fn private(item: &Item<'_>) -> Option<()> {
    let table = item.table()?;
    table.only(&["private"]);
    let private = table.require("private", "write `{ private = true }`, or a path")?;
    if !private.boolean()? {
        private.mistake("a route is a path, or `{ private = true }`");
    }
    Some(())
}
