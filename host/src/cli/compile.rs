//! `signet compile`: fills the cache, so that no start has to compile.

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::flag::pair;
use super::run::{default_cache, whose};
use super::{Failure, print, serve};
use crate::app::ahead::{Ahead, compile_ahead};
use crate::app::plan::Plan;
use crate::runtime::cache::Origin;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    signet compile spin.toml\n  \
    signet compile mine.wasm --cache-dir /var/cache/signet\n\n\
    Compiled code is for this version of signet and for machines with this one's instructions: \
    elsewhere it is compiled again.")]
pub(super) struct Arguments {
    /// Manifests as for run, or components as for serve; none means the built-in app.
    files: Vec<PathBuf>,
    /// Link a dependency to the components that come without a manifest, as for serve.
    #[arg(long, value_name = "PACKAGE=FILE", value_parser = pair)]
    link: Vec<(String, String)>,
    /// The folder for compiled components; `~/.cache/signet` unless said otherwise.
    #[arg(long, env = "SIGNET_CACHE_DIR", value_name = "DIR")]
    cache_dir: Option<PathBuf>,
}

pub(super) fn compile(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = arguments.cache_dir.clone().or_else(default_cache);
    let folder = folder
        .context("there is no folder for compiled components: name one with --cache-dir")
        .map_err(Failure::Input)?;
    for plan in plans(arguments)? {
        for ahead in compile_ahead(&plan, &folder).map_err(whose)? {
            print(&line(&ahead))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The manifests are one plan, as they are for `run`; each component is one of its own.
fn plans(arguments: &Arguments) -> Result<Vec<Plan>, Failure> {
    let (mut manifests, mut plans) = (Vec::new(), Vec::new());
    for file in &arguments.files {
        if is_wasm(file).map_err(Failure::Input)? {
            plans.push(serve::plan(file, &arguments.link)?);
        } else {
            manifests.push(file.clone());
        }
    }
    if arguments.files.is_empty() {
        plans.push(Plan::builtin(&[]).map_err(Failure::input)?);
    } else if !manifests.is_empty() {
        // Nothing is served: any address will do for manifests that come without one.
        let anywhere = vec![SocketAddr::from(([127, 0, 0, 1], 0)); manifests.len()];
        plans.insert(
            0,
            Plan::read(&manifests, &anywhere).map_err(Failure::input)?,
        );
    }
    Ok(plans)
}

fn is_wasm(path: &Path) -> anyhow::Result<bool> {
    let named = || format!("{} cannot be read", path.display());
    let mut magic = Vec::new();
    let file = File::open(path).with_context(named)?;
    file.take(4).read_to_end(&mut magic).with_context(named)?;
    Ok(magic == *b"\0asm")
}

fn line(ahead: &Ahead) -> String {
    let how = match ahead.origin {
        Origin::Compiled(took) => format!("compiled in {:.1} s", took.as_secs_f32()),
        Origin::Cached => "found".to_owned(),
    };
    format!(
        "{}/{}: {:.1} MiB, {how}, {:.1} MiB in the cache\n",
        ahead.app,
        ahead.component,
        mebibytes(ahead.size as u64),
        mebibytes(ahead.kept)
    )
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
