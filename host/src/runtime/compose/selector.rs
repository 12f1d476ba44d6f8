//! Names of interfaces, and which of them a dependency is meant for.
//!
//! Owns the grammar `namespace:package/interface@version` and the rule of version tracks. Strings
//! come in, answers go out. It never looks at types: two names that match may still not fit.

use std::fmt;

use semver::Version;

/// Which imports of a dependent a dependency is to satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// `fermyon` of `fermyon:hmac/sign@0.1.0`.
    pub namespace: String,
    /// `hmac` of `fermyon:hmac/sign@0.1.0`.
    pub package: String,
    /// `sign`; none selects every imported interface of the package.
    pub interface: Option<String>,
    /// `0.1.0`, which selects its whole track; none selects any version.
    pub version: Option<Version>,
}

impl Selector {
    /// Whether the selector means the import of this name.
    pub fn selects(&self, import: &str) -> bool {
        let Some(name) = InterfaceName::parse(import) else {
            return false;
        };
        let interface = self.interface.as_deref();
        name.package == self.package_name()
            && interface.is_none_or(|interface| interface == name.interface)
            && match (&self.version, &name.version) {
                (None, _) => true,
                (Some(wanted), Some(found)) => same_track(wanted, found),
                (Some(_), None) => false,
            }
    }

    /// `fermyon:hmac`.
    pub(super) fn package_name(&self) -> String {
        format!("{}:{}", self.namespace, self.package)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.package)?;
        if let Some(interface) = &self.interface {
            write!(f, "/{interface}")?;
        }
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

/// The name of an interface, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InterfaceName {
    /// `fermyon:hmac`.
    pub(super) package: String,
    /// `sign`.
    pub(super) interface: String,
    /// `0.1.0`.
    pub(super) version: Option<Version>,
}

impl InterfaceName {
    /// The parts of `name`, or none when it does not name an interface of a package.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (path, version) = match name.split_once('@') {
            Some((path, version)) => (path, Some(Version::parse(version).ok()?)),
            None => (name, None),
        };
        let (package, interface) = path.split_once('/')?;
        package.contains(':').then(|| Self {
            package: package.to_owned(),
            interface: interface.to_owned(),
            version,
        })
    }

    /// Whether both name the same interface, in whatever version.
    pub(super) fn same_interface(&self, other: &Self) -> bool {
        self.package == other.package && self.interface == other.interface
    }
}

/// Whether an export called `export` may stand for an import called `import`: the same name, or the
/// same interface on the same version track.
pub(super) fn answers(import: &str, export: &str) -> bool {
    if import == export {
        return true;
    }
    match (InterfaceName::parse(import), InterfaceName::parse(export)) {
        (Some(import), Some(export)) => {
            import.same_interface(&export)
                && matches!(
                    (&import.version, &export.version),
                    (Some(a), Some(b)) if same_track(a, b)
                )
        }
        _ => false,
    }
}

/// Versions on one track may stand for each other: `1.2` and `1.3`, `0.1.0` and `0.1.7`. A
/// pre-release and `0.0.z` are alone on theirs.
fn same_track(a: &Version, b: &Version) -> bool {
    if a == b {
        return true;
    }
    a.pre.is_empty()
        && b.pre.is_empty()
        && a.major == b.major
        && (a.major != 0 || (a.minor == b.minor && a.minor != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(interface: Option<&str>, version: Option<&str>) -> Selector {
        Selector {
            namespace: "fermyon".into(),
            package: "hmac".into(),
            interface: interface.map(Into::into),
            version: version.and_then(|version| Version::parse(version).ok()),
        }
    }

    #[test]
    fn a_package_selects_each_of_its_interfaces() {
        let whole = selector(None, Some("0.1.0"));
        assert!(whole.selects("fermyon:hmac/sign@0.1.0"));
        assert!(whole.selects("fermyon:hmac/verify@0.1.3"));
        assert!(!whole.selects("fermyon:hmac/sign@0.2.0"));
        assert!(!whole.selects("fermyon:hmac/sign"));
        assert!(!whole.selects("fermyon:hmac-two/sign@0.1.0"));
    }

    #[test]
    fn an_interface_selects_only_itself() {
        let sign = selector(Some("sign"), None);
        assert!(sign.selects("fermyon:hmac/sign@7.0.0"));
        assert!(sign.selects("fermyon:hmac/sign"));
        assert!(!sign.selects("fermyon:hmac/verify@0.1.0"));
    }

    #[test]
    fn a_track_is_major_or_minor_below_one() {
        assert!(answers("a:b/c@1.2.0", "a:b/c@1.3.1"));
        assert!(answers("a:b/c@0.1.4", "a:b/c@0.1.0"));
        assert!(!answers("a:b/c@0.1.0", "a:b/c@0.2.0"));
        assert!(!answers("a:b/c@0.0.1", "a:b/c@0.0.2"));
        assert!(!answers("a:b/c@1.0.0", "a:b/d@1.0.0"));
    }

    #[test]
    fn a_pre_release_answers_only_itself() {
        assert!(answers("a:b/c@0.2.0-draft", "a:b/c@0.2.0-draft"));
        assert!(!answers("a:b/c@0.2.0-draft", "a:b/c@0.2.0-draft2"));
        assert!(!answers("a:b/c@0.2.0-draft", "a:b/c@0.2.0"));
    }
}
