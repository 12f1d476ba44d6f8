//! `signet inspect`: what a component is, imports and exports.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, print};
use crate::app::link::link;
use crate::app::plan::{Files, Plan};
use crate::builtin;
use crate::runtime::inspect::{Inspection, inspect as look};
use crate::runtime::linker;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  signet inspect builtin:producer\n  signet inspect mine.wasm --json"
)]
pub(super) struct Arguments {
    /// A component's file, or builtin:hmac, builtin:producer, builtin:consumer.
    component: String,
    /// Print JSON: `kind`, `wasi`, `imports`, `exports`, and `status` for each import.
    #[arg(long)]
    json: bool,
}

/// Who provides an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// The host.
    Host,
    /// Another component, by the manifest.
    Linked,
    /// Nobody.
    Missing,
}

pub(super) fn inspect(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (bytes, linked) = match arguments.component.strip_prefix("builtin:") {
        Some(name) => builtin_component(name)?,
        None => {
            let path = PathBuf::from(&arguments.component);
            let unreadable = |error| {
                anyhow::Error::new(error).context(format!("{} cannot be read", path.display()))
            };
            (
                Files::Disk
                    .read(&path)
                    .map_err(|error| Failure::Input(unreadable(error)))?
                    .into_owned(),
                Vec::new(),
            )
        }
    };
    let named = |error| {
        anyhow::Error::new(error).context(format!("{} cannot be inspected", arguments.component))
    };
    let inspection = look(&bytes).map_err(|error| Failure::Input(named(error)))?;
    let status = |import: &str| {
        if linked.iter().any(|linked| linked == import) {
            Status::Linked
        } else if linker::provides(import) {
            Status::Host
        } else {
            Status::Missing
        }
    };
    if arguments.json {
        print(&(json(&inspection, status) + "\n"))?;
    } else {
        print(&text(
            &arguments.component,
            bytes.len(),
            &inspection,
            status,
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A built-in component and the imports that its manifest links.
fn builtin_component(name: &str) -> Result<(Vec<u8>, Vec<String>), Failure> {
    let Some(bytes) = builtin::component(name) else {
        let names: Vec<_> = builtin::COMPONENTS.iter().map(|(name, _)| *name).collect();
        return Err(Failure::input(anyhow::anyhow!(
            "there is no builtin:{name}: there are {}",
            names.join(", ")
        )));
    };
    let plan = Plan::builtin(&[]).map_err(Failure::input)?;
    let file = format!("{name}.wasm");
    let mut linked = Vec::new();
    for component in plan.apps.iter().flat_map(|planned| &planned.app.components) {
        if component.source.file_name() == Some(Path::new(&file).as_os_str()) {
            let composed = link(component, plan.files).map_err(Failure::input)?;
            linked.extend(
                composed
                    .linked
                    .into_iter()
                    .filter(|l| l.into == component.name)
                    .map(|l| l.import),
            );
        }
    }
    Ok((bytes.to_vec(), linked))
}

fn json(inspection: &Inspection, status: impl Fn(&str) -> Status) -> String {
    let statuses: serde_json::Map<_, _> = inspection
        .imports
        .iter()
        .map(|import| (import.clone(), serde_json::json!(status(import))))
        .collect();
    serde_json::json!({
        "kind": "component",
        "wasi": inspection.wasi.to_string(),
        "imports": inspection.imports,
        "exports": inspection.exports,
        "status": statuses,
    })
    .to_string()
}

fn text(
    name: &str,
    size: usize,
    inspection: &Inspection,
    status: impl Fn(&str) -> Status,
) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{name}: component, {size} bytes, {}", inspection.wasi);
    let _ = writeln!(
        text,
        "imports:{}",
        if inspection.imports.is_empty() {
            " nothing"
        } else {
            ""
        }
    );
    for import in &inspection.imports {
        let mark = match status(import) {
            Status::Host => "host   ",
            Status::Linked => "linked ",
            Status::Missing => "missing",
        };
        let _ = writeln!(text, "  {mark}  {import}");
    }
    let _ = writeln!(text, "exports:");
    for export in &inspection.exports {
        let _ = writeln!(text, "  {export}");
    }
    text
}
