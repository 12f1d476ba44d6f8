//! `[component.NAME.dependencies]`: what is linked into a component, and for which of its imports. Comes
//! in: the table; goes out: dependencies, no two of which are for the same import. Never looks into a
//! component.

use std::path::PathBuf;

use super::chain;
use super::component::Surroundings;
use super::reader::{Item, Table};
use super::source::{self, Digest};
use super::spelling;

/// A component that is linked into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Which imports it is for.
    pub selector: Selector,
    /// The component of this manifest that it is, if it is one.
    pub component: Option<String>,
    /// Its file.
    pub source: PathBuf,
    /// What its file must be, if the manifest says so.
    pub digest: Option<Digest>,
    /// The export to take, where it is not named as the import.
    pub export: Option<String>,
    /// What it gets of what its dependent is granted.
    pub inherit: Inherit,
    /// What is linked into it.
    pub dependencies: Vec<Dependency>,
}

/// What a dependency gets of what its dependent is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inherit {
    /// All of it.
    All,
    /// Grants of these kinds, which are of [`INHERITABLE`].
    Only(Vec<&'static str>),
}

/// The kinds of grants, by their keys in a component's table.
pub const INHERITABLE: [&str; 7] = [
    "ai_models",
    "allowed_outbound_hosts",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

/// Imports: all interfaces of a package, or one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// `fermyon`.
    pub namespace: String,
    /// `hmac`.
    pub package: String,
    /// `sign`; none is every interface of the package.
    pub interface: Option<String>,
    /// `0.1.0`; none is any version.
    pub version: Option<semver::Version>,
}

/// Why a text selects no imports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum SelectorError {
    #[error(
        "dependency `{0}` has no package: write `namespace:package/interface@version`, such as `fermyon:hmac@0.1.0`"
    )]
    Plain(String),
    #[error(
        "dependency `{name}` has a part that is no name, `{part}`: write letters and digits, with single dashes between words"
    )]
    Word { name: String, part: String },
    #[error(
        "dependency `{name}` has no whole version: {reason}; write three numbers, such as `@0.1.0`"
    )]
    Version { name: String, reason: String },
}

impl Selector {
    fn parse(text: &str) -> Result<Self, SelectorError> {
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        let Some((namespace, rest)) = path.split_once(':') else {
            return Err(SelectorError::Plain(text.to_owned()));
        };
        let (package, interface) = match rest.split_once('/') {
            Some((package, interface)) => (package, Some(interface)),
            None => (rest, None),
        };
        let word = |part: &str| {
            let word =
                |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
            if part.split('-').all(word) && part.starts_with(|c: char| c.is_ascii_alphabetic()) {
                Ok(part.to_owned())
            } else {
                Err(SelectorError::Word {
                    name: text.to_owned(),
                    part: part.to_owned(),
                })
            }
        };
        let version = version.map(semver::Version::parse).transpose();
        Ok(Self {
            namespace: word(namespace)?,
            package: word(package)?,
            interface: interface.map(word).transpose()?,
            version: version.map_err(|reason| SelectorError::Version {
                name: text.to_owned(),
                reason: reason.to_string(),
            })?,
        })
    }

    /// Whether there is an import that both select.
    fn overlaps(&self, other: &Self) -> bool {
        let same_package = self.namespace == other.namespace && self.package == other.package;
        // What one leaves out, it has with the other in common.
        let interfaces = self.interface.as_ref().zip(other.interface.as_ref());
        let versions = self.version.as_ref().zip(other.version.as_ref());
        same_package
            && interfaces.is_none_or(|(one, other)| one == other)
            && versions.is_none_or(|(one, other)| track(one) == track(other))
    }
}

/// Versions with the same track stand for each other: `1.x`, `0.1.x`, and a pre-release for itself alone.
fn track(version: &semver::Version) -> (u64, u64, u64, &str) {
    match (version.major, version.minor, version.pre.as_str()) {
        (0, 0, "") => (0, 0, version.patch, ""),
        (0, minor, "") => (0, minor, 0, ""),
        (major, _, "") => (major, 0, 0, ""),
        (major, minor, pre) => (major, minor, version.patch, pre),
    }
}

/// Reads the dependencies of the component `dependent`.
pub(super) fn read(
    table: &Table<'_>,
    dependent: &str,
    around: &Surroundings<'_, '_>,
) -> Vec<Dependency> {
    let all = table.get("dependencies_inherit_configuration");
    let inherit_all = all.as_ref().and_then(Item::boolean);
    let mut read: Vec<(Dependency, &str)> = Vec::new();
    for item in table.entries("dependencies") {
        let selector = Selector::parse(item.key)
            .map_err(|error| item.source.mistake(&item.key_at, error.to_string()));
        let Some(found) = value(&item, dependent, around) else {
            continue;
        };
        if let (Some(own), Some(_)) = (&found.inherit_at, inherit_all) {
            own.source.mistake(
                &own.key_at,
                "the component's `dependencies_inherit_configuration` says the same for all: leave one of the two out",
            );
        }
        let Ok(selector) = selector else { continue };
        if let (Some(export), None) = (&found.export_at, &selector.interface) {
            let message = format!(
                "`{}` is a whole package: name one interface of it to take one export",
                item.key
            );
            export.source.mistake(&export.key_at, message);
        }
        if let Some((_, first)) = read
            .iter()
            .find(|(have, _)| have.selector.overlaps(&selector))
        {
            let message = format!(
                "`{}` and `{first}` are for the same import: leave one of the two out",
                item.key
            );
            item.source.mistake(&item.key_at, message);
        }
        let inherit = found.inherit.or(inherit_all.map(Inherit::whole));
        let inherit = inherit.unwrap_or(Inherit::Only(Vec::new()));
        let dependency = Dependency {
            selector,
            component: found.component,
            source: found.source,
            digest: found.digest,
            export: found.export,
            inherit,
            // Those of a component are known when all components are read.
            dependencies: Vec::new(),
        };
        read.push((dependency, item.key));
    }
    read.into_iter().map(|(dependency, _)| dependency).collect()
}

/// What stands behind a dependency's name.
struct Value<'s> {
    component: Option<String>,
    source: PathBuf,
    digest: Option<Digest>,
    export: Option<String>,
    export_at: Option<Item<'s>>,
    inherit: Option<Inherit>,
    inherit_at: Option<Item<'s>>,
}

/// What can stand beside the words that say where a dependency is.
const OTHERS: [&str; 2] = ["export", "inherit_configuration"];

fn value<'s>(item: &Item<'s>, dependent: &str, around: &Surroundings<'_, '_>) -> Option<Value<'s>> {
    const CURE: &str = "write `{ path = \"FILE.wasm\" }`";
    if item.is_text() {
        let message = format!(
            "`{}` is in a registry, and this host downloads nothing: get it, and {CURE}",
            item.name()
        );
        item.mistake(message);
        return None;
    }
    let table = item.table()?;
    let has = |key: &str| table.get(key).is_some();
    if has("version") || has("registry") || has("package") {
        source::in_registry(item, &table, CURE);
        return None;
    }
    let export_at = table.get("export");
    let inherit_at = table.get("inherit_configuration");
    let (export, inherit) = (
        export_at.as_ref().map(Item::words),
        inherit_at.as_ref().map(inherits),
    );
    let (mut component, mut digest) = (None, None);
    let source = if has("url") {
        source::of_url(&table, &OTHERS).map(|found| {
            digest = found.digest;
            found.path
        })
    } else {
        table.only(&[&["path", "component"], &OTHERS[..]].concat());
        match (table.get("path"), table.get("component")) {
            (Some(_), Some(component)) => {
                component.source.mistake(
                    &component.key_at,
                    "a dependency has a `path` or a `component`: leave one of the two out",
                );
                None
            }
            (None, Some(item)) => {
                component = Some(chain::named(&item, dependent, around.components)?.to_owned());
                // Known when all components are read.
                Some(PathBuf::new())
            }
            _ => table
                .require("path", "write the path of the dependency's file")
                .and_then(|path| source::path(&path, path.words()?)),
        }
    };
    Some(Value {
        component,
        source: source?,
        digest,
        export: export.flatten().map(str::to_owned),
        export_at,
        inherit: inherit.flatten(),
        inherit_at,
    })
}

impl Inherit {
    fn whole(all: bool) -> Self {
        if all {
            Self::All
        } else {
            Self::Only(Vec::new())
        }
    }
}

/// Yes, no, or a list of kinds of grants.
fn inherits(item: &Item<'_>) -> Option<Inherit> {
    if !item.is_list() {
        return item.boolean().map(Inherit::whole);
    }
    let mut kinds = Vec::new();
    for (text, item) in item.texts() {
        match INHERITABLE.into_iter().find(|kind| *kind == text) {
            Some(kind) => kinds.push(kind),
            None => item.mistake(format!(
                "`{text}` is nothing to inherit{}",
                spelling::hint(text, INHERITABLE)
            )),
        }
    }
    Some(Inherit::Only(kinds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(text: &str) -> Selector {
        Selector::parse(text).unwrap()
    }

    #[test]
    fn selectors_name_a_package_or_one_interface_of_it() {
        let whole = selector("fermyon:hmac@0.1.0");
        assert_eq!(
            (whole.namespace.as_str(), whole.package.as_str()),
            ("fermyon", "hmac")
        );
        assert_eq!(
            (whole.interface, whole.version),
            (None, Some(semver::Version::new(0, 1, 0)))
        );
        let one = selector("fermyon:hmac/sign");
        assert_eq!(
            (one.interface.as_deref(), one.version),
            (Some("sign"), None)
        );
    }

    #[test]
    fn what_selects_nothing_is_refused() {
        assert!(matches!(
            Selector::parse("hmac"),
            Err(SelectorError::Plain(_))
        ));
        for text in [
            "a:", ":a", "a:b/", "a:b/c/d", "a_b:c", "a:b--c", "a: b", "a:1",
        ] {
            assert!(
                matches!(Selector::parse(text), Err(SelectorError::Word { .. })),
                "{text}"
            );
        }
        for text in ["a:b@", "a:b@1", "a:b@1.0", "a:b@^1.0.0"] {
            assert!(
                matches!(Selector::parse(text), Err(SelectorError::Version { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn selectors_overlap_when_one_import_fits_both() {
        for (one, other, overlap) in [
            ("a:b", "a:b/c", true),
            ("a:b/c", "a:b/d", false),
            ("a:b@0.1.0", "a:b@0.1.7", true),
            ("a:b@0.1.0", "a:b@0.2.0", false),
            ("a:b@1.0.0", "a:b@1.9.0", true),
            ("a:b@0.0.1", "a:b@0.0.2", false),
            ("a:b@1.0.0-rc.1", "a:b@1.0.0", false),
            ("a:b", "a:b@1.0.0", true),
            ("a:b", "c:b", false),
        ] {
            assert_eq!(
                selector(one).overlaps(&selector(other)),
                overlap,
                "{one} {other}"
            );
        }
    }
}
