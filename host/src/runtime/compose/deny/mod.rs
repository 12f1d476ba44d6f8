//! A component that answers every call with a denial, made to measure.
//!
//! Owns isolation. A dependency and the names of the imports it may not have come in; a component
//! goes out that exports exactly those, typed as the dependency imports them. Because it is made
//! from the dependency's own types it fits whatever version that was built for. It imports nothing
//! but types, reaches no one, and never answers with anything but `access-denied` or its nearest.

mod answer;
mod drops;
mod module;

use std::collections::HashSet;

use thiserror::Error;
use wasmparser::{BinaryReaderError, Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, embed_component_metadata};
use wit_parser::{InterfaceId, Resolve, World, WorldId, WorldItem, WorldKey};

/// An import that is answered with a denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denial {
    /// Its name.
    pub(super) import: String,
    /// What is said where the answer has room for words.
    pub(super) words: &'static str,
}

/// What a dependency is told that inherits nothing.
pub(super) const INHERITS_NOTHING: &str =
    "access denied: a dependency inherits nothing unless the manifest says so";

/// Why no denials could be made for a component.
#[derive(Debug, Error)]
pub enum DenyError {
    /// The component's types are beyond WIT.
    #[error("its imports cannot be read as WIT: {0}")]
    Unreadable(String),
    /// An import is not an interface.
    #[error("{0} is not an interface, so nothing can answer for it")]
    NotDeniable(String),
    /// The denials were made and do not hold together.
    #[error("its denials cannot be built: {0}")]
    Unbuildable(String),
}

/// The component that denies these imports of `dependent`.
pub(super) fn component(dependent: &[u8], denied: &[Denial]) -> Result<Vec<u8>, DenyError> {
    let unreadable = |fault| DenyError::Unreadable(format!("{fault:#}"));
    let imports = imports(dependent).map_err(|fault| DenyError::Unreadable(fault.to_string()))?;
    let (mut resolve, imported) = match wit_component::decode(imports).map_err(unreadable)? {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => {
            return Err(DenyError::Unreadable("it is a WIT package".to_owned()));
        }
    };
    let world = world_of_denials(&mut resolve, imported, denied)?;

    let unbuildable = |fault| DenyError::Unbuildable(format!("{fault:#}"));
    let mut module = module::module(&resolve, world, denied);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(unbuildable)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(ComponentEncoder::encode)
        .map_err(unbuildable)
}

/// The component as far as its last import: its sections stand in the order of their use, so this is
/// a component too, without its code. What it exports may be beyond WIT and does not matter here.
fn imports(component: &[u8]) -> Result<&[u8], BinaryReaderError> {
    let mut depth = 0_usize;
    let mut end = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => end = section.range().end,
            _ => {}
        }
    }
    let end = usize::try_from(end).unwrap_or(usize::MAX);
    Ok(component.get(..end).unwrap_or(component))
}

/// A world that exports what `imported` imports and may not have, and imports what those use.
fn world_of_denials(
    resolve: &mut Resolve,
    imported: WorldId,
    denied: &[Denial],
) -> Result<WorldId, DenyError> {
    let Some(source) = resolve.worlds.get(imported) else {
        return Err(DenyError::Unreadable("it has no world".to_owned()));
    };
    let mut world = World {
        name: "denials".to_owned(),
        imports: Default::default(),
        exports: Default::default(),
        includes: Vec::new(),
        ..source.clone()
    };
    for (key, item) in &source.imports {
        let name = resolve.name_world_key(key);
        if denied.iter().any(|denial| denial.import == name) {
            world.exports.insert(key.clone(), item.clone());
        }
    }
    for Denial { import: name, .. } in denied {
        let is_denied = |(key, item): (&WorldKey, &WorldItem)| {
            resolve.name_world_key(key) == *name && matches!(item, WorldItem::Interface { .. })
        };
        if !world.exports.iter().any(is_denied) {
            return Err(DenyError::NotDeniable(name.clone()));
        }
    }
    // The imports stand in an order in which each comes after what it uses: keep it.
    let used = used_interfaces(resolve, &world);
    for (key, item) in &source.imports {
        let is_used = matches!(item, WorldItem::Interface { id, .. } if used.contains(id));
        if is_used && !world.exports.contains_key(key) {
            world.imports.insert(key.clone(), item.clone());
        }
    }
    let package = world.package;
    let id = resolve.worlds.alloc(world);
    if let Some(package) = package.and_then(|package| resolve.packages.get_mut(package)) {
        package.worlds.insert("denials".to_owned(), id);
    }
    Ok(id)
}

/// Every interface whose types the exports use, however far away.
fn used_interfaces(resolve: &Resolve, world: &World) -> HashSet<InterfaceId> {
    let mut found = HashSet::new();
    let mut open: Vec<InterfaceId> = world
        .exports
        .values()
        .filter_map(|item| match item {
            WorldItem::Interface { id, .. } => Some(*id),
            WorldItem::Function(_) | WorldItem::Type { .. } => None,
        })
        .collect();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(resolve.interface_direct_deps(id));
        }
    }
    found
}
