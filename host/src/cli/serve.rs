//! `signet serve`: one component without a manifest; what it is granted comes as flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::flag::pair;
use super::run::{Common, serve_until_told};
use super::{Failure, print};
use crate::app::Watch;
use crate::app::plan::Plan;
use crate::manifest;
use crate::telemetry::LogFormat;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    signet serve mine.wasm --addr 127.0.0.1:8080 --key-value default \\\n    \
    --link 'fermyon:hmac@0.1.0=hmac.wasm'")]
pub(super) struct Arguments {
    /// The component's file.
    component: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    addr: SocketAddr,
    /// Link a dependency: what is imported, and the file that exports it.
    #[arg(long, value_name = "PACKAGE=FILE", value_parser = pair)]
    link: Vec<(String, String)>,
    /// Grant a SQLite database.
    #[arg(long, value_name = "LABEL")]
    sqlite: Vec<String>,
    /// Grant a key-value store.
    #[arg(long, value_name = "LABEL")]
    key_value: Vec<String>,
    /// Grant an outbound host, as in `allowed_outbound_hosts`.
    #[arg(long, value_name = "SCHEME://HOST[:PORT]")]
    allow_host: Vec<String>,
    /// Set an environment variable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Print the manifest that these flags stand for, and serve nothing.
    #[arg(long)]
    print_manifest: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn serve(arguments: Arguments, format: LogFormat) -> Result<ExitCode, Failure> {
    let text = manifest(&arguments)?;
    let app = manifest::read_app(&text, Path::new("flags")).map_err(Failure::input)?;
    if arguments.print_manifest {
        print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan::single(app, arguments.addr, Path::new(".signet"));
    serve_until_told(plan, arguments.common, Watch::default(), format)
}

/// A component alone, with what is linked into it and no grants.
pub(super) fn plan(component: &Path, link: &[(String, String)]) -> Result<Plan, Failure> {
    let arguments = Arguments {
        component: component.to_owned(),
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        link: link.to_vec(),
        sqlite: Vec::new(),
        key_value: Vec::new(),
        allow_host: Vec::new(),
        env: Vec::new(),
        print_manifest: false,
        common: Common::default(),
    };
    let text = manifest(&arguments)?;
    let app = manifest::read_app(&text, Path::new("flags")).map_err(Failure::input)?;
    Ok(Plan::single(app, arguments.addr, Path::new(".signet")))
}

/// The flags as the manifest they stand for, so that flags and manifests go one way from here on.
fn manifest(arguments: &Arguments) -> Result<String, Failure> {
    let names = || arguments.common.variables().map(|(name, _)| name);
    let mut links = Vec::new();
    for (package, file) in &arguments.link {
        let file = absolute(Path::new(file))?;
        links.push((package.clone(), json!({ "path": file })));
    }
    let mut component = object([("source".to_owned(), json!(absolute(&arguments.component)?))]);
    let lists = [
        ("sqlite_databases", &arguments.sqlite),
        ("key_value_stores", &arguments.key_value),
        ("allowed_outbound_hosts", &arguments.allow_host),
    ];
    for (key, list) in lists {
        if !list.is_empty() {
            component.insert(key.to_owned(), json!(list));
        }
    }
    let given = arguments.env.iter();
    let tables = [
        (
            "environment",
            object(given.map(|(name, value)| (name.clone(), json!(value)))),
        ),
        (
            "variables",
            object(names().map(|name| (name.clone(), json!(format!("{{{{ {name} }}}}"))))),
        ),
        ("dependencies", object(links)),
    ];
    for (key, table) in tables {
        if !table.is_empty() {
            component.insert(key.to_owned(), json!(table));
        }
    }
    let variables = names().map(|name| (name.clone(), json!({ "required": true })));
    let mut text = json!({
        "spin_manifest_version": 2,
        "application": { "name": "serve" },
        "trigger": { "http": [{ "route": "/...", "component": NAME }] },
        "component": { NAME: component },
    });
    let variables = object(variables);
    if !variables.is_empty() {
        text["variables"] = json!(variables);
    }
    toml::to_string(&text).map_err(Failure::input)
}

fn object(
    pairs: impl IntoIterator<Item = (String, serde_json::Value)>,
) -> serde_json::Map<String, serde_json::Value> {
    pairs.into_iter().collect()
}

/// The name of the component that comes without one.
const NAME: &str = "component";

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::input)
}
