//! Reads `signet.toml`: which apps a host runs, where, and with what. Where Spin's runtime configuration
//! has a key for a thing, it is the same key. Comes in: text; goes out: a [`HostConfig`], or all mistakes.
//! Never makes up a default but the place of the state.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::bound::{Bound, Set};
use super::label::label;
use super::limits;
use super::mistake::Mistakes;
use super::outbound;
use super::reader::{Item, Source, Table};
use super::variables::named;
use crate::capability::{Label, http, keyvalue, queue, sqlite};
use crate::runtime::pool;
use crate::runtime::reset::MemoryReset;

/// How a host runs its apps.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HostConfig {
    /// The file; empty if there is none.
    pub path: PathBuf,
    /// Where databases, stores and generated values are kept.
    pub state_dir: PathBuf,
    /// The apps.
    pub apps: Vec<AppEntry>,
    /// Bounds for all components that do not set their own.
    pub limits: Set<pool::Limits>,
    /// What belongs to the host as a whole.
    pub bounds: limits::Host,
    /// How memories are made new between two instances.
    pub memory_reset: MemoryReset,
    /// Databases beside `default`, and files for those that are not in the state folder.
    pub sqlite_databases: BTreeMap<Label, Option<PathBuf>>,
    /// Key-value stores, likewise.
    pub key_value_stores: BTreeMap<Label, Option<PathBuf>>,
    /// Bounds for databases.
    pub sqlite: sqlite::Limits,
    /// Bounds for key-value stores.
    pub key_value: keyvalue::Limits,
    /// Bounds for queues.
    pub queue: queue::Limits,
    /// Bounds for requests of components to elsewhere.
    pub outbound: http::Limits,
    /// The listener for whoever runs the host.
    pub admin: Admin,
    /// Networks that are not public and that requests of all components may lead into.
    pub allow_networks: Vec<http::Network>,
    /// Values for the apps' variables.
    pub variables: BTreeMap<String, VariableSource>,
}

/// The listener for whoever runs the host: health, readiness, metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens; nowhere unless it is said.
    pub listen: Option<SocketAddr>,
    /// The file with the token that clients must present.
    pub token_file: Option<PathBuf>,
}

/// One app of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppEntry {
    /// Its manifest.
    pub manifest: PathBuf,
    /// Where it is served.
    pub listen: SocketAddr,
    /// What it is served with over TLS.
    pub tls: Option<TlsFiles>,
}

/// The files of a certificate, in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that vouch for it.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Where a variable's value comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum VariableSource {
    /// It stands in the file.
    Value(String),
    /// The host makes one at its first start and keeps it.
    Generate,
}

impl fmt::Debug for VariableSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whether a value is a secret stands in the app's manifest, not here.
        f.write_str(match self {
            Self::Value(_) => "Value(***)",
            Self::Generate => "Generate",
        })
    }
}

/// The key in `[server]` that is no number.
const MEMORY_RESET: &str = "memory_reset";

/// The folder for state where the file names none.
const STATE_DIR: &str = ".signet";

/// The keys that only a host's file has.
pub(super) const KEYS: [&str; 11] = [
    "state_dir",
    "app",
    "limits",
    "server",
    "sqlite_database",
    "key_value_store",
    "outbound_http",
    "sqlite",
    "key_value",
    "queue",
    "admin",
];

impl HostConfig {
    /// A host without a file, with this folder for its state.
    pub fn beside(state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            ..Self::default()
        }
    }
}

/// Reads a `signet.toml`. Its files are taken relative to the folder of `path`, which is not opened.
pub fn read_host(text: &str, path: &Path) -> Result<HostConfig, Mistakes> {
    let source = Source::new(text, path);
    let document = source.parse()?;
    let host = host(&Table::root(&source, &document), path);
    source.finish(Some(host)).map(|(host, _)| host)
}

fn host(root: &Table<'_>, path: &Path) -> HostConfig {
    root.only(&[&KEYS[..], &["variables"]].concat());
    let outbound = outbound::read(root);
    let server = root.table("server");
    let server = server.as_ref();
    let state_dir = root.get("state_dir").and_then(|item| item.file());
    HostConfig {
        path: path.to_owned(),
        state_dir: state_dir.unwrap_or_else(|| root.source.beside(STATE_DIR)),
        apps: apps(root),
        limits: set(root, "limits", limits::COMPONENT),
        bounds: server
            .map(|table| Set::read(table, limits::HOST, &[MEMORY_RESET]))
            .unwrap_or_default()
            .over(limits::Host::default()),
        memory_reset: server.and_then(memory_reset).unwrap_or_default(),
        sqlite_databases: backends(root, "sqlite_database"),
        key_value_stores: backends(root, "key_value_store"),
        sqlite: set(root, "sqlite", limits::SQLITE).over(sqlite::Limits::default()),
        key_value: set(root, "key_value", limits::KEY_VALUE).over(keyvalue::Limits::default()),
        queue: set(root, "queue", limits::QUEUES).over(queue::Limits::default()),
        outbound: outbound.limits.over(http::Limits::default()),
        allow_networks: outbound.networks,
        admin: admin(root),
        variables: root
            .entries("variables")
            .iter()
            .filter_map(variable)
            .collect(),
    }
}

/// `memory_reset = "auto"`.
fn memory_reset(server: &Table<'_>) -> Option<MemoryReset> {
    let item = server.get(MEMORY_RESET)?;
    let text = item.text()?;
    let found = MemoryReset::ALL.into_iter().find(|way| way.name() == text);
    if found.is_none() {
        let ways = MemoryReset::ALL.map(|way| format!("`{}`", way.name()));
        item.mistake(format!(
            "`{text}` is no way to reset memory: there is {}",
            ways.join(", ")
        ));
    }
    found
}

fn admin(root: &Table<'_>) -> Admin {
    let Some(table) = root.table("admin") else {
        return Admin::default();
    };
    table.only(&["listen", "token_file"]);
    let listen = table.require("listen", "write an address, such as `127.0.0.1:9090`");
    Admin {
        listen: listen.and_then(|item| address(&item)),
        token_file: table.get("token_file").and_then(|item| item.file()),
    }
}

/// What the table `name` sets.
fn set<T>(root: &Table<'_>, name: &str, bounds: &'static [Bound<T>]) -> Set<T> {
    root.table(name)
        .map(|table| Set::read(&table, bounds, &[]))
        .unwrap_or_default()
}

fn apps(root: &Table<'_>) -> Vec<AppEntry> {
    let mut apps: Vec<AppEntry> = Vec::new();
    for table in root
        .get("app")
        .iter()
        .flat_map(Item::list)
        .filter_map(|item| item.table())
    {
        table.only(&["manifest", "listen", "tls"]);
        let tls = table.get("tls").map(|item| tls(&item));
        let manifest = table.require("manifest", "write the path of the app's spin.toml");
        let manifest = manifest.and_then(|item| item.file());
        let listen = table.require("listen", "write an address, such as `127.0.0.1:3000`");
        let Some((listen, item)) = listen.and_then(|item| Some((address(&item)?, item))) else {
            continue;
        };
        // Port 0 is another port each time.
        if listen.port() != 0 && apps.iter().any(|app| app.listen == listen) {
            item.mistake(format!(
                "`{listen}` is also another app's: give each an address of its own"
            ));
        }
        apps.extend(manifest.map(|manifest| AppEntry {
            manifest,
            listen,
            tls: tls.flatten(),
        }));
    }
    apps
}

/// `tls = { cert = "cert.pem", key = "key.pem" }`.
fn tls(item: &Item<'_>) -> Option<TlsFiles> {
    let table = item.table()?;
    table.only(&["cert", "key"]);
    let cert = table.require("cert", "write the path of the certificate's PEM file");
    let key = table.require(
        "key",
        "write the path of the PEM file with the certificate's key",
    );
    let (cert, key) = (cert.map(|item| item.file()), key.map(|item| item.file()));
    Some(TlsFiles {
        cert: cert.flatten()?,
        key: key.flatten()?,
    })
}

fn address(item: &Item<'_>) -> Option<SocketAddr> {
    let text = item.text()?;
    let address = text.parse().ok();
    if address.is_none() {
        item.mistake(format!(
            "`{text}` is no address: write an IP address and a port, such as `127.0.0.1:3000`"
        ));
    }
    address
}

/// `[sqlite_database.LABEL]` or `[key_value_store.LABEL]`, with the file that each names.
fn backends(root: &Table<'_>, key: &str) -> BTreeMap<Label, Option<PathBuf>> {
    let backend = |item: &Item<'_>| {
        let label = label(item.key, item.source, &item.key_at);
        let table = item.table()?;
        let kind = table.require(
            "type",
            "write `type = \"spin\"`, which is a file on this machine",
        )?;
        let text = kind.text()?;
        if text != "spin" {
            // The keys of another kind are none of ours.
            kind.mistake(format!(
                "backend `{text}` is not supported: there is `spin`, a file on this machine"
            ));
            return None;
        }
        table.only(&["type", "path"]);
        let path = table.get("path").map(|path| path.file());
        Some((label?, path.flatten()))
    };
    root.entries(key).iter().filter_map(backend).collect()
}

/// `name = "value"` or `name = { generate = true }`.
fn variable(item: &Item<'_>) -> Option<(String, VariableSource)> {
    let named = named(item);
    let source = if item.is_table() {
        let table = item.table()?;
        table.only(&["generate"]);
        let generate = table.require(
            "generate",
            "write `{ generate = true }`, or the value as a string",
        )?;
        if !generate.boolean()? {
            generate.mistake(format!(
                "`{}` has no value: write it as a string, or `{{ generate = true }}`",
                item.name()
            ));
            return None;
        }
        VariableSource::Generate
    } else {
        VariableSource::Value(item.text()?.to_owned())
    };
    named.then(|| (item.key.to_owned(), source))
}

#[cfg(test)]
#[path = "tests/host.rs"]
mod tests;
