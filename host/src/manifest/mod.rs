//! Manifests: Spin's `spin.toml` (version 2), which says what an app is, and our `signet.toml`, which
//! says how a host runs apps. Comes in: text and the path it came from; goes out: valid values, or every
//! mistake at once with its file, line and column. Never opens a file that a manifest names.

mod app;
mod bound;
mod build;
mod chain;
mod component;
mod dependency;
mod files;
mod host;
mod label;
pub mod limits;
mod mistake;
mod outbound;
mod queue;
mod reader;
mod settings;
mod source;
mod spelling;
mod trigger;
mod variables;

pub use app::{App, read_app};
pub use bound::{Bound, Set};
pub use build::Build;
pub use component::Component;
pub use dependency::{Dependency, INHERITABLE, Inherit, Selector};
pub use files::{Files, Mount};
pub use host::{Admin, AppEntry, HostConfig, TlsFiles, VariableSource, read_host};
pub(crate) use label::is_component_name;
pub use mistake::{Mistake, Mistakes};
pub use source::Digest;
pub use trigger::Route;

use toml::de::DeTable;

/// The two kinds of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `spin.toml`: what an app is.
    App,
    /// `signet.toml`: how a host runs apps.
    Host,
}

/// Which kind a text is: a host's has a key that only a host's can have. What has no such key is judged
/// as an app, which says best what is missing in it. Text that is not valid TOML is judged by what of it
/// can be read, so that its mistake is reported for the right kind.
pub fn kind(text: &str) -> Kind {
    let (document, _) = DeTable::parse_recoverable(text);
    let has = |key: &str| document.get_ref().contains_key(key);
    let is_app = [
        "spin_manifest_version",
        "application",
        "component",
        "trigger",
    ]
    .into_iter()
    .any(has);
    if !is_app && host::KEYS.into_iter().any(has) {
        Kind::Host
    } else {
        Kind::App
    }
}

#[cfg(test)]
#[path = "tests/generated.rs"]
mod generated;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_seen_even_where_the_text_is_broken() {
        assert_eq!(
            kind("spin_manifest_version = 2\n[application]\nname = \"a\"\n"),
            Kind::App
        );
        assert_eq!(kind("[application]\nname = \"a\"\n"), Kind::App);
        assert_eq!(kind("spin_manifest_version = 2\n[application\n"), Kind::App);
        assert_eq!(kind("# nothing yet\n"), Kind::App);
        assert_eq!(kind("state_dir = \".signet\"\n"), Kind::Host);
        assert_eq!(
            kind("[[app]]\nmanifest = \"spin.toml\"\nlisten = \n"),
            Kind::Host
        );
    }
}
