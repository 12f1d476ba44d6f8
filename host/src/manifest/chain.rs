//! Dependencies that are components of the same manifest, which may have dependencies of their own. Comes
//! in: names, and all components; goes out: each dependency with all that is linked into it. Never follows a
//! circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::component::Component;
use super::dependency::Dependency;
use super::reader::Item;
use super::spelling;

/// How many components may be linked into one, however they come to it: what two depend on counts twice.
const MOST_PARTS: usize = 256;

/// What a component is granted for itself. It would not come along into another one.
const GRANTS: [&str; 8] = [
    "variables",
    "environment",
    "files",
    "allowed_outbound_hosts",
    "allowed_http_hosts",
    "key_value_stores",
    "sqlite_databases",
    "ai_models",
];

/// The name of another component of this manifest that `dependent` can depend on, or a mistake.
pub(super) fn named<'s>(
    item: &Item<'s>,
    dependent: &str,
    components: &[Item<'_>],
) -> Option<&'s str> {
    let name = item.text()?;
    let others = components
        .iter()
        .filter(|component| component.key != dependent);
    let Some(component) = others.clone().find(|component| component.key == name) else {
        let others: Vec<_> = others.map(|component| component.key).collect();
        item.mistake(format!(
            "component `{name}` is not another one of this manifest{}",
            spelling::hint(name, others)
        ));
        return None;
    };
    // The component's own mistakes are reported where it stands.
    let table = component.is_table().then(|| component.table()).flatten()?;
    let granted = |key: &&str| table.get(key).is_some_and(|item| !item.is_empty());
    if let Some(grant) = GRANTS.iter().find(|key| granted(key)) {
        item.mistake(format!(
            "component `{name}` has `{grant}` of its own, which a dependency does not get: leave it out"
        ));
    }
    let circle = way(name, dependent, components);
    // Each component of a circle sees it; the first one of the text reports it.
    let first = components.iter().map(|component| component.key);
    if let Some(circle) = circle
        && first.clone().find(|name| circle.contains(name)) == Some(dependent)
    {
        item.mistake(format!(
            "component `{dependent}` depends on itself: {dependent} -> {}; take one of these out",
            circle.join(" -> ")
        ));
        return None;
    }
    Some(name)
}

/// The shortest way from the component `from` to the component `to` along dependencies.
fn way<'s>(from: &'s str, to: &str, components: &[Item<'s>]) -> Option<Vec<&'s str>> {
    let mut seen = BTreeSet::from([from]);
    let mut ways = VecDeque::from([vec![from]]);
    while let Some(way) = ways.pop_front() {
        let last = *way.last()?;
        if last == to {
            return Some(way);
        }
        for next in needs(last, components) {
            if seen.insert(next) {
                ways.push_back([&way[..], &[next]].concat());
            }
        }
    }
    None
}

/// The components that a component names as dependencies. Says nothing of mistakes.
fn needs<'s>(name: &str, components: &[Item<'s>]) -> Vec<&'s str> {
    let table = |item: &Item<'s>| item.is_table().then(|| item.table()).flatten();
    let component = components.iter().find(|component| component.key == name);
    let dependencies = component
        .and_then(table)
        .and_then(|component| table(&component.get("dependencies")?));
    let named = |item: &Item<'s>| {
        let component = table(item)?.get("component")?;
        component.is_text().then(|| component.text()).flatten()
    };
    let items = dependencies.map(|dependencies| dependencies.items());
    items.unwrap_or_default().iter().filter_map(named).collect()
}

/// All components that others are to be linked with.
pub(super) fn linked<'s>(components: &[Item<'s>]) -> BTreeSet<&'s str> {
    let names = components.iter().map(|component| component.key);
    names.flat_map(|name| needs(name, components)).collect()
}

/// Gives each dependency that is a component its file and its own dependencies. `items` are where the
/// components stand.
pub(super) fn resolve(components: &mut [Component], items: &[Item<'_>]) {
    let known: BTreeMap<String, Component> = components
        .iter()
        .map(|component| (component.name.clone(), component.clone()))
        .collect();
    for component in components {
        let mut left = MOST_PARTS;
        let whole = fill(&mut component.dependencies, &known, &mut left);
        let item = items.iter().find(|item| item.key == component.name);
        if let (None, Some(item)) = (whole, item) {
            item.source.mistake(
                &item.key_at,
                format!(
                    "component `{}` comes to more than {MOST_PARTS} linked components: link some of them beforehand, with `signet compose`",
                    item.key
                ),
            );
        }
    }
}

/// Fills in dependencies as far as `left` allows; none if it does not.
fn fill(
    dependencies: &mut [Dependency],
    known: &BTreeMap<String, Component>,
    left: &mut usize,
) -> Option<()> {
    for dependency in dependencies {
        *left = left.checked_sub(1)?;
        let Some(component) = dependency
            .component
            .as_ref()
            .and_then(|name| known.get(name))
        else {
            continue;
        };
        dependency.source.clone_from(&component.source);
        dependency.digest.clone_from(&component.digest);
        dependency.dependencies.clone_from(&component.dependencies);
        fill(&mut dependency.dependencies, known, left)?;
    }
    Some(())
}
