//! `signet inspect`: what a component is, imports and exports; who provides each import, and what a
//! manifest has to grant for it.

mod meaning;
mod report;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, print};
use crate::app::link::link;
use crate::app::plan::{Files, Plan};
use crate::runtime::admit::admit;
use crate::runtime::compose::LinkedImport;
use crate::runtime::inspect::{Inspection, inspect as look};
use crate::runtime::{linker, refused};
use crate::{builtin, manifest};
use meaning::Grant;
use report::{Report, Status};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  signet inspect mine.wasm\n  signet inspect spin.toml --component hooks\n  \
    signet inspect builtin:producer --json"
)]
pub(super) struct Arguments {
    /// A component's file, a manifest, or builtin:hmac, builtin:producer, builtin:consumer.
    component: String,
    /// Which component of the manifest; all of them unless said otherwise.
    #[arg(long = "component", value_name = "NAME")]
    one: Option<String>,
    /// Print JSON: `kind`, `wasi`, `imports`, `exports`, for each import its `status` and what it means
    /// (`explained`), and lines for the manifest.
    #[arg(long)]
    json: bool,
}

/// A component to be shown.
struct Subject {
    name: String,
    bytes: Vec<u8>,
    linked: Vec<LinkedImport>,
    granted: BTreeSet<Grant>,
}

pub(super) fn inspect(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let subjects = subjects(arguments)?;
    let mut shown = Vec::new();
    for subject in &subjects {
        let failed = |error: anyhow::Error| {
            Failure::Input(error.context(format!("{} cannot be inspected", subject.name)))
        };
        let admitted =
            admit(Cow::Borrowed(&subject.bytes)).map_err(|error| failed(error.into()))?;
        let served = look(&admitted).map_err(|error| failed(error.into()))?;
        // What was renamed on its way in is shown under its own name; a core module has no names of its own.
        let (imports, exports) = match look(&subject.bytes) {
            Ok(own) => (own.imports, own.exports),
            Err(_) => (served.imports.clone(), served.exports.clone()),
        };
        let names = served.imports.iter();
        let statuses = names.map(|import| status(import, &subject.linked));
        let explained = imports.iter().cloned().zip(statuses).collect();
        let inspection = Inspection {
            imports,
            exports,
            ..served
        };
        let report = Report {
            name: &subject.name,
            size: subject.bytes.len(),
            imports: explained,
            inspection: &inspection,
            granted: subject.granted.clone(),
        };
        shown.push(if arguments.json {
            format!("{}\n", report.json())
        } else {
            report.text()
        });
    }
    print(&shown.join(if arguments.json { "" } else { "\n" }))?;
    Ok(ExitCode::SUCCESS)
}

fn status(import: &str, linked: &[LinkedImport]) -> Status {
    if let Some(link) = linked.iter().find(|link| link.import == import) {
        let from = link.from.clone();
        Status::Linked { from }
    } else if linker::provides(import) || meaning::only_types(import) {
        Status::Host
    } else if let Some(words) = refused::words(import) {
        Status::Refused { words }
    } else {
        let versions = linker::versions(import);
        Status::Missing { versions }
    }
}

fn subjects(arguments: &Arguments) -> Result<Vec<Subject>, Failure> {
    let name = arguments.component.as_str();
    if let Some(builtin) = name.strip_prefix("builtin:") {
        return Ok(vec![builtin_component(builtin)?]);
    }
    let path = PathBuf::from(name);
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        let plan = Plan::read(&[path], &[]).map_err(Failure::input)?;
        let components = plan.components(arguments.one.as_deref());
        let subjects = components.map_err(Failure::input)?;
        return subjects
            .into_iter()
            .map(|component| of_manifest(component, plan.files))
            .collect();
    }
    let bytes = Files::Disk.read(&path).map_err(|error| {
        let words = format!("{} cannot be read", path.display());
        Failure::Input(anyhow::Error::new(error).context(words))
    })?;
    Ok(vec![Subject {
        name: name.to_owned(),
        bytes: bytes.into_owned(),
        linked: Vec::new(),
        granted: BTreeSet::new(),
    }])
}

fn of_manifest(component: &manifest::Component, files: Files) -> Result<Subject, Failure> {
    let composed = link(component, files).map_err(Failure::input)?;
    let bytes = files.read(&component.source).map_err(Failure::input)?;
    let mut linked = composed.linked;
    linked.retain(|link| link.into == component.name);
    let granted = [
        (Grant::KeyValue, component.key_value_stores.is_empty()),
        (Grant::Sqlite, component.sqlite_databases.is_empty()),
        (Grant::Outbound, component.allowed_outbound_hosts.is_empty()),
        (Grant::Variables, component.variables.is_empty()),
    ];
    Ok(Subject {
        name: component.name.clone(),
        bytes: bytes.into_owned(),
        linked,
        granted: granted
            .into_iter()
            .filter_map(|(grant, none)| (!none).then_some(grant))
            .collect(),
    })
}

/// A built-in component, as the built-in app's manifest links it.
fn builtin_component(name: &str) -> Result<Subject, Failure> {
    let Some(bytes) = builtin::component(name) else {
        let names: Vec<_> = builtin::COMPONENTS.iter().map(|(name, _)| *name).collect();
        return Err(Failure::input(anyhow::anyhow!(
            "there is no builtin:{name}: there are {}",
            names.join(", ")
        )));
    };
    let plan = Plan::builtin(&[]).map_err(Failure::input)?;
    let file = format!("{name}.wasm");
    let components = plan.components(None).map_err(Failure::input)?;
    let manifest = components
        .into_iter()
        .find(|component| component.source.file_name() == Some(Path::new(&file).as_os_str()));
    let subject = match manifest {
        Some(component) => of_manifest(component, plan.files)?,
        None => Subject {
            name: String::new(),
            bytes: bytes.to_vec(),
            linked: Vec::new(),
            granted: BTreeSet::new(),
        },
    };
    Ok(Subject {
        name: format!("builtin:{name}"),
        ..subject
    })
}
