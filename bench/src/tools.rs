//! The tools that are measured against and with, of pinned versions. Comes in: `PATH` and a cache folder outside
//! of the project; goes out: programs. What is not there is installed, and it says how long that takes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::invocation::found;
use crate::machine::version;

/// A program from crates.io.
#[derive(Debug)]
pub(crate) struct Tool {
    name: &'static str,
    package: &'static str,
    version: &'static str,
    minutes: u32,
}

/// Wasmtime's own host, of the version of ours.
pub(crate) const WASMTIME: Tool = Tool {
    name: "wasmtime",
    package: "wasmtime-cli",
    version: "48.0.8",
    minutes: 13,
};

/// The load generator.
pub(crate) const OHA: Tool = Tool {
    name: "oha",
    package: "oha",
    version: "1.16.0",
    minutes: 5,
};

impl Tool {
    /// The program, installed if it has to be.
    pub(crate) fn get(&self) -> Result<PathBuf> {
        let folder = cache()?;
        let kept = folder.join("bin").join(self.name);
        let candidates = [found(self.name), Some(kept.clone())];
        let fits = |program: &PathBuf| self.is(program);
        if let Some(program) = candidates.into_iter().flatten().find(fits) {
            return Ok(program);
        }
        let (package, version) = (self.package, self.version);
        println!(
            "{} {version} is not there: installing it into {} takes about {} minutes on two cores",
            self.name,
            folder.display(),
            self.minutes
        );
        let status = Command::new("cargo")
            .args([
                "install",
                &format!("{package}@{version}"),
                "--locked",
                "--root",
            ])
            .arg(&folder)
            .status()
            .context("cargo cannot be started")?;
        ensure!(
            status.success() && self.is(&kept),
            "{package} {version} could not be installed: see above"
        );
        Ok(kept)
    }

    fn is(&self, program: &Path) -> bool {
        let said = version(program);
        said.is_some_and(|said| said.split_whitespace().nth(1) == Some(self.version))
    }
}

/// The folder for tools: `$SIGNET_BENCH_TOOLS`, or one where a user's caches are.
fn cache() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable("SIGNET_BENCH_TOOLS") {
        return Ok(std::path::absolute(folder)?);
    }
    let caches = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))
        .context("there is no folder for tools: set SIGNET_BENCH_TOOLS")?;
    Ok(caches.join("signet-bench"))
}
