//! What the host says at its start, for a person: what is served where, which component is linked into
//! which, and what each is granted. Never shows a variable's value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Ready, Running};
use crate::capability::Grants;
use crate::runtime::cache::Origin;

/// The banner of a running app.
pub fn banner(running: &Running) -> String {
    let mut text = format!("signet {}\n", env!("CARGO_PKG_VERSION"));
    if let Some(address) = running.admin() {
        let _ = writeln!(
            text,
            "admin on {address}: /healthz, /readyz, /metrics, /queues"
        );
    }
    for app in running.served.iter() {
        let _ = writeln!(text, "\n{}  {}://{}", app.name, app.scheme(), app.address);
        for ready in &app.components {
            component(&mut text, ready, app);
        }
    }
    let _ = writeln!(
        text,
        "\nstate in {}; stop with Ctrl-C\n",
        running.state.path().display()
    );
    text
}

/// The same for a collector: one event for each component.
pub fn log(running: &Running) {
    if let Some(address) = running.admin() {
        tracing::info!(%address, "the admin listener answers");
    }
    for app in running.served.iter() {
        for ready in &app.components {
            let loaded = ready.loaded();
            let guest = loaded.guest();
            tracing::info!(
                app = app.name,
                address = %app.address,
                scheme = app.scheme(),
                component = guest.name,
                wasi = loaded.wasi(),
                linked = ?linked(ready),
                refused = ?refused(ready),
                sqlite = ?labels(&guest.sqlite.1),
                key_value = ?labels(&guest.keyvalue.1),
                outbound = ?ready.hosts,
                "serving"
            );
        }
    }
}

fn component(text: &mut String, ready: &Ready, app: &super::Served) {
    let loaded = ready.loaded();
    let guest = loaded.guest();
    let routes: Vec<_> = app
        .routes
        .iter()
        .filter(|route| route.component == guest.name)
        .map(|route| route.pattern.to_string())
        .collect();
    let origin = match ready.origin {
        Origin::Cached => "from the cache".to_owned(),
        Origin::Compiled(took) => format!("compiled in {:.1} s", took.as_secs_f32()),
    };
    let wasi = loaded.wasi();
    let serves = if routes.is_empty() {
        format!("http://{}.spin.internal, within the app", guest.name)
    } else {
        routes.join(", ")
    };
    let _ = writeln!(
        text,
        "  {} serves {serves} (WASI {wasi}, {origin})",
        guest.name
    );
    for (part, exports) in linked(ready) {
        let inherits = ready.inheriting.iter().find(|(name, _)| name == part);
        let inherits = inherits.map_or("no grants", |(_, words)| words);
        let _ = writeln!(
            text,
            "    linked   {part}: {} (inherits {inherits})",
            exports.join(", ")
        );
    }
    for refused in &ready.refused {
        let _ = writeln!(text, "    refused  {}: {}", refused.import, refused.words);
    }
    let mut granted = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            let _ = writeln!(text, "    granted  {what}: {}", names.join(", "));
        }
    };
    granted("sqlite", labels(&guest.sqlite.1));
    granted("key-value", labels(&guest.keyvalue.1));
    granted("outbound", ready.hosts.clone());
    granted(
        "variables",
        guest.variables.names().map(str::to_owned).collect(),
    );
    granted(
        "environment",
        guest
            .environment
            .iter()
            .map(|(name, _)| name.clone())
            .collect(),
    );
}

/// What answers with a refusal.
fn refused(ready: &Ready) -> Vec<&str> {
    let refused = ready.refused.iter();
    refused.map(|refused| &*refused.import).collect()
}

fn labels(grants: &Grants) -> Vec<String> {
    grants.iter().map(ToString::to_string).collect()
}

/// What is linked, by the part that exports it.
fn linked(ready: &Ready) -> BTreeMap<&String, Vec<&str>> {
    let mut parts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for linked in &ready.linked {
        parts
            .entry(&linked.from)
            .or_default()
            .push(linked.export.as_str());
    }
    parts
}
