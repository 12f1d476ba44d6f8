//! What a dependency may have of what its dependent may have: all, nothing, or some kinds of grants.
//!
//! Owns the list of kinds, by the names that Spin has for them, and of the interfaces that each opens. A
//! name of an import comes in, yes or no goes out. What is in no kind is had only where all is.

use super::selector::InterfaceName;

/// Each kind, and the packages and interfaces that are of it.
const KINDS: [(&str, &[&str]); 7] = [
    ("ai_models", &["fermyon:spin/llm"]),
    (
        "allowed_outbound_hosts",
        &[
            "wasi:http",
            "wasi:sockets",
            "fermyon:spin/http",
            "fermyon:spin/mqtt",
            "fermyon:spin/mysql",
            "fermyon:spin/postgres",
            "fermyon:spin/redis",
            "spin:mqtt",
            "spin:mysql",
            "spin:postgres",
            "spin:redis",
        ],
    ),
    ("environment", &["wasi:cli/environment"]),
    ("files", &["wasi:filesystem"]),
    (
        "key_value_stores",
        &["fermyon:spin/key-value", "spin:key-value", "wasi:keyvalue"],
    ),
    ("sqlite_databases", &["fermyon:spin/sqlite", "spin:sqlite"]),
    (
        "variables",
        &["fermyon:spin/variables", "spin:variables", "wasi:config"],
    ),
];

/// A set of kinds of grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inherit(u8);

impl Inherit {
    /// Whatever the dependent has.
    pub const ALL: Self = Self(u8::MAX);
    /// The baseline alone.
    pub const NOTHING: Self = Self(0);

    /// The kind of this name, if there is one.
    pub fn kind(name: &str) -> Option<Self> {
        let at = KINDS.iter().position(|(kind, _)| *kind == name)?;
        Some(Self(1 << at))
    }

    /// What is in one of them.
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both of them.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the import comes along.
    pub(super) fn has(self, import: &str) -> bool {
        if self == Self::ALL {
            return true;
        }
        let Some(name) = InterfaceName::parse(import) else {
            return false;
        };
        let whole = format!("{}/{}", name.package, name.interface);
        KINDS.iter().enumerate().any(|(at, (_, opened))| {
            self.0 & 1 << at != 0 && (opened.contains(&&*name.package) || opened.contains(&&*whole))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Inherit, KINDS};

    #[test]
    fn each_kind_opens_its_own_interfaces_and_no_others() {
        let imports = [
            ("ai_models", "fermyon:spin/llm@2.0.0"),
            ("allowed_outbound_hosts", "wasi:http/client@0.3.0"),
            ("allowed_outbound_hosts", "wasi:http/outgoing-handler@0.2.0"),
            ("allowed_outbound_hosts", "wasi:sockets/types@0.3.0"),
            ("allowed_outbound_hosts", "fermyon:spin/redis@2.0.0"),
            ("environment", "wasi:cli/environment@0.2.0"),
            ("files", "wasi:filesystem/preopens@0.3.0"),
            ("key_value_stores", "fermyon:spin/key-value@2.0.0"),
            ("key_value_stores", "wasi:keyvalue/atomics@0.2.0-draft2"),
            ("sqlite_databases", "fermyon:spin/sqlite@2.0.0"),
            ("sqlite_databases", "spin:sqlite/sqlite@3.1.0"),
            ("variables", "wasi:config/store@0.2.0-rc.1"),
            ("nothing", "fermyon:spin/sqlite-of-another@2.0.0"),
            ("nothing", "spin:sqlite"),
        ];
        for (kind, import) in imports {
            for (name, _) in KINDS {
                let has = Inherit::kind(name).unwrap().has(import);
                assert_eq!(has, name == kind, "{name} and {import}");
            }
            assert!(Inherit::ALL.has(import) && !Inherit::NOTHING.has(import));
        }
        assert_eq!(Inherit::kind("source"), None);
    }
}
