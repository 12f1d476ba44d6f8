//! Which export satisfies which import, decided before anything is wired.
//!
//! Owns the checks of one dependent against its dependencies: names, versions, types. Surfaces come
//! in; a list of links or the first fault goes out. It never touches the graph.

use wac_types::{InterfaceId, ItemKind, Type, Types};

use super::error::{ComposeError, Near};
use super::explain::difference;
use super::selector::{InterfaceName, answers};
use super::{Host, Link, Part};

/// The imports and exports of a component, with their types.
pub(super) struct Surface {
    pub(super) imports: Vec<(String, ItemKind)>,
    pub(super) exports: Vec<(String, ItemKind)>,
}

/// One import and the export that is to satisfy it.
pub(super) struct Choice {
    pub(super) import: String,
    /// The place of the dependency in the dependent's list.
    pub(super) link: usize,
    pub(super) export: String,
}

/// Chooses for every selected import of `part`, in the order of the imports. `dependencies` are the
/// surfaces of its dependencies, in their order.
pub(super) fn choose(
    part: &Part,
    own: &Surface,
    dependencies: &[Surface],
    types: &Types,
    host: &dyn Host,
) -> Result<Vec<Choice>, ComposeError> {
    let links = || part.dependencies.iter().zip(dependencies).enumerate();
    for (link, _) in part.dependencies.iter().zip(dependencies) {
        check_selector(part, link, own, types)?;
    }
    let mut choices = Vec::new();
    for (import, kind) in &own.imports {
        let Some(index) = claimant(part, import)? else {
            continue;
        };
        let Some((index, (link, surface))) = links().nth(index) else {
            continue;
        };
        match export_for(part, link, surface, import) {
            Ok((export, found)) => {
                check_types(part, link, (import, *kind), (export, found), types)?;
                choices.push(Choice {
                    import: import.clone(),
                    link: index,
                    export: export.to_owned(),
                });
            }
            // A package selects its type-only interfaces too; types need no implementation.
            Err(_) if link.selector.interface.is_none() && is_types_only(types, *kind) => {}
            Err(fault) => return Err(fault),
        }
    }
    follow_uses(part, own, dependencies, types, host, &mut choices)?;
    Ok(choices)
}

/// Whether an import is nothing but names for structures, which every host has.
pub(super) fn is_types_only(types: &Types, kind: ItemKind) -> bool {
    match kind {
        ItemKind::Type(_) => true,
        ItemKind::Instance(id) => types[id]
            .exports
            .values()
            .all(|item| matches!(item, ItemKind::Type(ty) if !matches!(ty, Type::Resource(_)))),
        _ => false,
    }
}

/// The export of a dependency that comes nearest to an import nobody satisfies.
pub(super) fn nearest(part: &Part, dependencies: &[Surface], import: &str) -> Option<Near> {
    let wanted = InterfaceName::parse(import)?;
    let exports = part
        .dependencies
        .iter()
        .zip(dependencies)
        .flat_map(|(link, surface)| surface.exports.iter().map(move |(name, _)| (link, name)));
    let near = exports.filter_map(|(link, export)| {
        let name = InterfaceName::parse(export)?;
        name.same_interface(&wanted).then(|| Near {
            part: link.part.name.clone(),
            export: export.clone(),
            fits: answers(import, export),
        })
    });
    near.max_by_key(|near| near.fits)
}

/// The selector must select something, and no more than its export can satisfy.
fn check_selector(
    part: &Part,
    link: &Link,
    own: &Surface,
    types: &Types,
) -> Result<(), ComposeError> {
    let selected: Vec<_> = own
        .imports
        .iter()
        .filter(|(name, _)| link.selector.selects(name))
        .collect();
    if selected.is_empty() {
        let package = link.selector.package_name();
        return Err(ComposeError::SelectsNothing {
            dependent: part.name.clone(),
            selector: link.selector.to_string(),
            imports: instead("imports", &own.imports, &package),
        });
    }
    let working: Vec<_> = selected
        .iter()
        .filter(|(_, kind)| !is_types_only(types, *kind))
        .map(|(name, _)| name.as_str())
        .collect();
    match &link.export {
        Some(export) if working.len() > 1 => Err(ComposeError::OneExportForMany {
            dependent: part.name.clone(),
            selector: link.selector.to_string(),
            selected: working.join(" and "),
            export: export.clone(),
        }),
        _ => Ok(()),
    }
}

/// The place of the link that claims an import. One that names the interface comes before one that
/// names the package.
fn claimant(part: &Part, import: &str) -> Result<Option<usize>, ComposeError> {
    let mut claims: Vec<_> = part
        .dependencies
        .iter()
        .enumerate()
        .filter(|(_, link)| link.selector.selects(import))
        .collect();
    claims.sort_by_key(|(_, link)| link.selector.interface.is_none());
    match claims.as_slice() {
        [] => Ok(None),
        [(_, first), (_, second), ..]
            if first.selector.interface.is_some() == second.selector.interface.is_some() =>
        {
            Err(ComposeError::SelectedTwice {
                dependent: part.name.clone(),
                import: import.to_owned(),
                first: first.selector.to_string(),
                second: second.selector.to_string(),
            })
        }
        [(index, _), ..] => Ok(Some(*index)),
    }
}

/// The export of a dependency for an import: the one asked for, the same name, or the same track.
fn export_for<'a>(
    part: &Part,
    link: &Link,
    surface: &'a Surface,
    import: &str,
) -> Result<(&'a str, ItemKind), ComposeError> {
    let wanted = link.export.as_deref().unwrap_or(import);
    let exact = surface.exports.iter().find(|(name, _)| name == wanted);
    let found = exact.or_else(|| {
        let mut exports = surface.exports.iter();
        exports.find(|(name, _)| answers(wanted, name))
    });
    match found {
        Some((name, kind)) => Ok((name, *kind)),
        None => {
            let name = InterfaceName::parse(wanted);
            Err(ComposeError::NotExported {
                dependent: part.name.clone(),
                dependency: link.part.name.clone(),
                wanted: wanted.to_owned(),
                exports: instead(
                    "exports",
                    &surface.exports,
                    &name.map(|name| name.package).unwrap_or_default(),
                ),
            })
        }
    }
}

fn check_types(
    part: &Part,
    link: &Link,
    import: (&str, ItemKind),
    export: (&str, ItemKind),
    types: &Types,
) -> Result<(), ComposeError> {
    match difference(types, import.1, export.1) {
        None => Ok(()),
        Some(difference) => Err(ComposeError::Mismatch {
            dependent: part.name.clone(),
            dependency: link.part.name.clone(),
            import: import.0.to_owned(),
            export: export.0.to_owned(),
            difference,
        }),
    }
}

/// A linked interface brings those whose types it uses: a resource is the same on both sides only
/// when both sides have it from one component. What the host has as well is nobody's to take silently.
fn follow_uses(
    part: &Part,
    own: &Surface,
    dependencies: &[Surface],
    types: &Types,
    host: &dyn Host,
    choices: &mut Vec<Choice>,
) -> Result<(), ComposeError> {
    let mut next = 0;
    while let Some(choice) = choices.get(next) {
        next += 1;
        let (at, linked) = (choice.link, choice.import.clone());
        let Some((link, surface)) = part.dependencies.get(at).zip(dependencies.get(at)) else {
            continue;
        };
        let kind = own.imports.iter().find(|(name, _)| *name == linked);
        let Some((_, ItemKind::Instance(id))) = kind else {
            continue;
        };
        for used in used_interfaces(types, *id) {
            if choices.iter().any(|choice| choice.import == used) {
                continue;
            }
            let Some((import, kind)) = own.imports.iter().find(|(name, _)| *name == used) else {
                continue;
            };
            let mut exports = surface.exports.iter();
            let Some((export, found)) = exports.find(|(name, _)| answers(import, name)) else {
                continue;
            };
            if host.provides(import) {
                // Structures are the same from wherever they are.
                if is_types_only(types, *kind) {
                    continue;
                }
                return Err(ComposeError::UsesProvided {
                    dependent: part.name.clone(),
                    dependency: link.part.name.clone(),
                    import: linked,
                    used: import.clone(),
                });
            }
            check_types(part, link, (import, *kind), (export, *found), types)?;
            choices.push(Choice {
                import: import.clone(),
                link: at,
                export: export.clone(),
            });
        }
    }
    Ok(())
}

fn used_interfaces(types: &Types, id: InterfaceId) -> Vec<String> {
    let uses = types[id].uses.values();
    uses.filter_map(|used| types[used.interface].id.clone())
        .collect()
}

/// `it imports a and b`: the names of the package, or when there are none, all names.
fn instead(verb: &str, names: &[(String, ItemKind)], package: &str) -> String {
    let near = |name: &str| {
        InterfaceName::parse(name)
            .is_some_and(|name| !package.is_empty() && name.package == package)
    };
    let all = || names.iter().map(|(name, _)| name.as_str());
    let mut shown: Vec<_> = all().filter(|name| near(name)).collect();
    if shown.is_empty() {
        shown = all().collect();
    }
    match shown.as_slice() {
        [] => format!("it {verb} nothing"),
        shown => format!("it {verb} {}", shown.join(", ")),
    }
}
