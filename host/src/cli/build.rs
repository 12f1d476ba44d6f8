//! `signet build`: runs the build commands of a manifest's components.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::app::build::{BuildError, build};
use crate::app::plan::Plan;
use crate::manifest::Build;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    signet build\n  \
    signet build apps/hooks --component hooks")]
pub(super) struct Arguments {
    /// A spin.toml, a signet.toml, or a folder with one; the working folder unless said otherwise.
    manifest: Option<PathBuf>,
    /// The same, as Spin has it.
    #[arg(short, long, value_name = "PATH", conflicts_with = "manifest")]
    from: Option<PathBuf>,
    /// Build this component alone; may be repeated.
    #[arg(short, long, alias = "component-id", value_name = "NAME")]
    component: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let manifest = arguments.from.as_deref().or(arguments.manifest.as_deref());
    let manifest = manifest.unwrap_or(Path::new("."));
    // A build needs no address: any will do.
    let anywhere = [SocketAddr::from(([127, 0, 0, 1], 0))];
    let plan = Plan::read(&[manifest.to_owned()], &anywhere).map_err(Failure::input)?;
    let builds: Vec<&Build> = all(&plan).collect();
    for name in &arguments.component {
        if !builds.iter().any(|build| build.component == *name) {
            let there: Vec<_> = builds
                .iter()
                .map(|build| build.component.as_str())
                .collect();
            return Err(Failure::input(anyhow::anyhow!(
                "{}: no component {name} has a build command; there is {}",
                manifest.display(),
                there.join(", ")
            )));
        }
    }
    let wanted = |build: &&Build| {
        arguments.component.is_empty() || arguments.component.contains(&build.component)
    };
    let count = builds.iter().copied().filter(wanted).count();
    aloud(builds.iter().copied().filter(wanted)).map_err(anyhow::Error::from)?;
    eprintln!("built {count} component(s)");
    Ok(ExitCode::SUCCESS)
}

/// How all components of a plan are built, in the order of the manifests.
pub(super) fn all(plan: &Plan) -> impl Iterator<Item = &Build> {
    plan.apps.iter().flat_map(|planned| &planned.app.builds)
}

/// Builds, and says before each command what it is.
pub(super) fn aloud<'a>(builds: impl Iterator<Item = &'a Build>) -> Result<(), BuildError> {
    build(builds, |build, command| {
        eprintln!("building {}: {command}", build.component);
    })
}
