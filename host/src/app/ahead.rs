//! Compiles ahead of a start: what `signet compile` does. Comes in: a plan and a folder; goes out: the
//! folder filled with what a host finds there that runs the same components. Opens no database and no
//! socket.

use std::path::Path;

use anyhow::Context as _;

use super::compile::{self, Compiler, Job, link_all};
use super::plan::Plan;
use crate::runtime::cache::{Cache, Origin};

/// A component that is ready for a start.
#[derive(Debug)]
pub struct Ahead {
    /// The app's name.
    pub app: String,
    /// The component's name.
    pub component: String,
    /// The size of the linked component, in bytes.
    pub size: usize,
    /// Whether it was compiled now, and how long that took.
    pub origin: Origin,
    /// The size of its code in the cache, in bytes.
    pub kept: u64,
}

/// Links and compiles all components of a plan, as a start does it, and checks that the host has what
/// they import.
pub fn compile_ahead(plan: &Plan, cache: &Path) -> anyhow::Result<Vec<Ahead>> {
    let linked = link_all(plan)?;
    let cache = Cache::open(cache)
        .with_context(|| format!("{} cannot keep compiled components", cache.display()))?;
    let compiler = Compiler::with(compile::engine(plan, &linked, false)?, cache)?;
    let components = plan.apps.iter().zip(linked).flat_map(|(planned, linked)| {
        let app = &planned.app;
        let components = app.components.iter().zip(linked);
        components.map(|(component, composed)| (&app.name, &component.name, composed.bytes))
    });
    let components: Vec<_> = components.collect();
    let jobs = components
        .iter()
        .map(|(_, name, bytes)| Job { name, bytes });
    let jobs: Vec<_> = jobs.collect();
    let compiled = compiler.all(&jobs)?;
    let mut ahead = Vec::new();
    for ((app, component, bytes), (code, origin)) in components.iter().zip(compiled) {
        compiler.check(component, &code)?;
        ahead.push(Ahead {
            app: (*app).clone(),
            component: (*component).clone(),
            size: bytes.len(),
            origin,
            kept: compiler
                .kept(bytes)
                .with_context(|| format!("{component} was compiled and could not be kept"))?,
        });
    }
    Ok(ahead)
}
