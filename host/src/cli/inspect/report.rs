//! What is printed of a component. Comes in: its surface, and for each import who provides it; goes out:
//! text or JSON. Never looks anything up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::meaning::{self, Grant};
use crate::runtime::compose::dependency;
use crate::runtime::inspect::{HttpExport, Inspection};

/// Who provides an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    /// The host.
    Host,
    /// Another component, by the manifest.
    Linked {
        /// Its file.
        from: String,
    },
    /// The host, with a refusal.
    Refused {
        /// What each call is told.
        words: &'static str,
    },
    /// Nobody.
    Missing {
        /// The versions of it that the host does provide.
        versions: Vec<&'static str>,
    },
}

impl Status {
    fn word(&self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Linked { .. } => "linked",
            Self::Refused { .. } => "refused",
            Self::Missing { .. } => "missing",
        }
    }
}

/// A component, and who provides what it imports.
pub(super) struct Report<'a> {
    /// What it is called: a path, or a component's name.
    pub(super) name: &'a str,
    /// Its size, in bytes.
    pub(super) size: usize,
    /// Its surface.
    pub(super) inspection: &'a Inspection,
    /// For each import, in their order.
    pub(super) imports: Vec<(String, Status)>,
    /// What a manifest grants already.
    pub(super) granted: BTreeSet<Grant>,
}

impl Report<'_> {
    pub(super) fn json(&self) -> serde_json::Value {
        let by_import = |word: &dyn Fn(&(String, Status)) -> String| {
            let words = self
                .imports
                .iter()
                .map(|import| (import.0.clone(), word(import).into()));
            words.collect::<serde_json::Map<_, _>>()
        };
        serde_json::json!({
            "kind": "component",
            "wasi": self.inspection.wasi.to_string(),
            "imports": self.inspection.imports,
            "exports": self.inspection.exports,
            "status": by_import(&|(_, status)| status.word().to_owned()),
            "explained": by_import(&|(import, status)| explained(import, status)),
            "manifest": self.manifest(),
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let Self {
            name,
            size,
            inspection,
            ..
        } = self;
        let _ = writeln!(text, "{name}: component, {size} bytes, {}", inspection.wasi);
        let _ = writeln!(text, "{}", serves(inspection.http));
        if self.imports.is_empty() {
            text.push_str("\nimports nothing\n");
        } else {
            text.push_str("\nimports\n");
        }
        let width = self.imports.iter().map(|(import, _)| import.len()).max();
        for (import, status) in &self.imports {
            let (word, width) = (status.word(), width.unwrap_or_default());
            let why = explained(import, status);
            let _ = writeln!(text, "  {word:<7}  {import:<width$}  {why}");
        }
        if inspection.exports.is_empty() {
            text.push_str("\nexports nothing\n");
        } else {
            text.push_str("\nexports\n");
        }
        for export in &inspection.exports {
            let _ = writeln!(text, "  {export}");
        }
        let manifest = self.manifest();
        if !manifest.is_empty() {
            text.push_str("\nits manifest may need\n");
            for line in manifest.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }

    /// Lines to put into the manifest, as far as nothing there grants the same.
    fn manifest(&self) -> String {
        let mut grants: BTreeSet<Grant> = BTreeSet::new();
        let mut packages: BTreeMap<String, String> = BTreeMap::new();
        for (import, status) in &self.imports {
            match status {
                Status::Host => grants.extend(meaning::of(import).and_then(|it| it.grant)),
                Status::Missing { versions } if versions.is_empty() => {
                    packages.extend(dependency(import));
                }
                Status::Missing { .. } | Status::Linked { .. } | Status::Refused { .. } => {}
            }
        }
        let mut text = String::new();
        for (grant, line) in [
            (Grant::KeyValue, "key_value_stores = [\"default\"]"),
            (Grant::Sqlite, "sqlite_databases = [\"default\"]"),
            (
                Grant::Outbound,
                "allowed_outbound_hosts = [\"https://HOST\"]",
            ),
        ] {
            if grants.contains(&grant) && !self.granted.contains(&grant) {
                if text.is_empty() {
                    text.push_str("[component.NAME]\n");
                }
                text.push_str(line);
                text.push('\n');
            }
        }
        if grants.contains(&Grant::Variables) && !self.granted.contains(&Grant::Variables) {
            text.push_str(
                "[component.NAME.variables]\napi_key = \"{{ api_key }}\"\n\
                 [variables]\napi_key = { required = true, secret = true }\n",
            );
        }
        if !packages.is_empty() {
            text.push_str("[component.NAME.dependencies]\n");
        }
        for (package, file) in packages {
            let _ = writeln!(text, "\"{package}\" = {{ path = \"{file}\" }}");
        }
        text
    }
}

/// Whether it can be a guest of its own.
fn serves(http: Option<HttpExport>) -> &'static str {
    match http {
        Some(HttpExport::Handler) => "answers HTTP requests, as WASI 0.3 has it",
        Some(HttpExport::IncomingHandler) => "answers HTTP requests, as WASI 0.2 has it",
        None => "answers no HTTP requests: it can be linked into a component that does",
    }
}

/// What an import means here.
fn explained(import: &str, status: &Status) -> String {
    match status {
        Status::Linked { from } => format!("from {from}"),
        Status::Host => meaning::of(import).map_or("", |it| it.what).to_owned(),
        Status::Refused { words } => (*words).to_owned(),
        Status::Missing { versions } if versions.is_empty() => {
            "nothing provides it: link a component that exports it".to_owned()
        }
        Status::Missing { versions } => format!(
            "not in this version: build against {}, which the host provides",
            versions.join(" or ")
        ),
    }
}
