//! `[component.NAME.dependencies]`: what is linked into a component, and for which of its imports. Comes
//! in: the table; goes out: dependencies, no two of which are for the same import. Never looks into a
//! component.

use std::path::PathBuf;

use super::component::Surroundings;
use super::reader::{Item, Table};
use super::spelling;

/// A component that is linked into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Which imports it is for.
    pub selector: Selector,
    /// Its file.
    pub source: PathBuf,
    /// The export to take, where it is not named as the import.
    pub export: Option<String>,
    /// Whether it gets what its dependent is granted.
    pub inherit: bool,
}

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
        let inherit = found.inherit.or(inherit_all).unwrap_or(false);
        let dependency = Dependency {
            selector,
            source: found.source,
            export: found.export,
            inherit,
        };
        read.push((dependency, item.key));
    }
    read.into_iter().map(|(dependency, _)| dependency).collect()
}

/// What stands behind a dependency's name.
struct Value<'s> {
    source: PathBuf,
    export: Option<String>,
    export_at: Option<Item<'s>>,
    inherit: Option<bool>,
    inherit_at: Option<Item<'s>>,
}

fn value<'s>(item: &Item<'s>, dependent: &str, around: &Surroundings<'_, '_>) -> Option<Value<'s>> {
    const ELSEWHERE: &str =
        "is taken from elsewhere, which is not supported: write `{ path = \"FILE.wasm\" }`";
    if item.is_text() {
        item.mistake(format!("dependency `{}` {ELSEWHERE}", item.key));
        return None;
    }
    let table = item.table()?;
    if ["version", "registry", "package", "url", "digest"]
        .into_iter()
        .any(|key| table.get(key).is_some())
    {
        item.mistake(format!("dependency `{}` {ELSEWHERE}", item.key));
        return None;
    }
    table.only(&["path", "component", "export", "inherit_configuration"]);
    let export_at = table.get("export");
    let inherit_at = table.get("inherit_configuration");
    let (export, inherit) = (
        export_at.as_ref().map(Item::words),
        inherit_at.as_ref().map(inherits),
    );
    let source = match (table.get("path"), table.get("component")) {
        (Some(_), Some(component)) => {
            component.source.mistake(
                &component.key_at,
                "a dependency has a `path` or a `component`: leave one of the two out",
            );
            None
        }
        (None, Some(component)) => of_component(&component, dependent, around),
        _ => table
            .require("path", "write the path of the dependency's file")
            .and_then(|path| path.file()),
    };
    Some(Value {
        source: source?,
        export: export.flatten().map(str::to_owned),
        export_at,
        inherit: inherit.flatten(),
        inherit_at,
    })
}

/// Yes, no, or Spin's list of single grants, of which only the empty one is supported.
fn inherits(item: &Item<'_>) -> Option<bool> {
    if !item.is_list() {
        return item.boolean();
    }
    if !item.list().is_empty() {
        item.mistake(
            "a list of what to inherit is not supported yet: write `true` for all or `false` for nothing",
        );
    }
    Some(false)
}

/// The file of another component of this manifest. Its own grants would not come with it, so it may
/// have none.
fn of_component(
    item: &Item<'_>,
    dependent: &str,
    around: &Surroundings<'_, '_>,
) -> Option<PathBuf> {
    const GRANTS: [&str; 7] = [
        "variables",
        "environment",
        "files",
        "allowed_outbound_hosts",
        "key_value_stores",
        "sqlite_databases",
        "dependencies",
    ];
    let name = item.text()?;
    let others = || {
        around
            .components
            .iter()
            .filter(|component| component.key != dependent)
    };
    let Some(component) = others().find(|component| component.key == name) else {
        let hint = spelling::hint(
            name,
            others().map(|component| component.key).collect::<Vec<_>>(),
        );
        item.mistake(format!(
            "component `{name}` is not another one of this manifest{hint}"
        ));
        return None;
    };
    // The component's own mistakes are reported where it stands.
    let table = component.is_table().then(|| component.table()).flatten()?;
    if let Some(grant) = GRANTS.into_iter().find(|key| table.get(key).is_some()) {
        item.mistake(format!(
            "component `{name}` has `{grant}` of its own, which a dependency does not get: leave it out"
        ));
    }
    let source = table.get("source").filter(Item::is_text)?;
    source.file()
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
