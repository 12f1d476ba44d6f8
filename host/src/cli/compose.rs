//! `signet compose`: links a component of a manifest with its dependencies and writes one component.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::Failure;
use crate::app::link::link;
use crate::app::plan::Plan;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  signet compose spin.toml --component webhook-producer -o producer.wasm"
)]
pub(super) struct Arguments {
    /// The spin.toml or signet.toml that names the component.
    manifest: PathBuf,
    /// The component's name in the manifest; not needed where there is one.
    #[arg(long)]
    component: Option<String>,
    /// The file to write.
    #[arg(short, long)]
    output: PathBuf,
}

pub(super) fn compose(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let anywhere = [SocketAddr::from(([127, 0, 0, 1], 0))];
    let plan =
        Plan::read(std::slice::from_ref(&arguments.manifest), &anywhere).map_err(Failure::input)?;
    let components = plan.components(arguments.component.as_deref());
    let components = components.map_err(Failure::input)?;
    let [component] = components[..] else {
        let names: Vec<_> = components
            .iter()
            .map(|component| &*component.name)
            .collect();
        return Err(Failure::input(anyhow::anyhow!(
            "{} has several components: say --component and one of {}",
            arguments.manifest.display(),
            names.join(", ")
        )));
    };
    let composed = link(component, plan.files).map_err(Failure::input)?;
    std::fs::write(&arguments.output, &composed.bytes)
        .with_context(|| format!("{} cannot be written", arguments.output.display()))?;
    for linked in &composed.linked {
        println!(
            "{} of {} is linked to {}",
            linked.import, linked.into, linked.from
        );
    }
    println!(
        "{}: {} bytes",
        arguments.output.display(),
        composed.bytes.len()
    );
    Ok(ExitCode::SUCCESS)
}
