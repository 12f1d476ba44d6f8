//! `signet run`: serves apps until a signal says stop.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use sd_notify::NotifyState;

use super::flag::{self, Variables};
use super::signals::Signals;
use super::{Failure, build};
use crate::app::first::{First, Script};
use crate::app::grants::GrantError;
use crate::app::plan::Plan;
use crate::app::{App, InputError, Options, Watch, banner};
use crate::manifest::TlsFiles;
use crate::telemetry::{Lines, LogFormat};

#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  \
    signet run\n  \
    signet run signet.toml\n  \
    signet run apps/hooks --build\n  \
    signet run one/spin.toml two/spin.toml --listen 127.0.0.1:3000 --listen 127.0.0.1:3001")]
pub(super) struct Arguments {
    /// One signet.toml, or any number of spin.toml, or folders with one; none means the built-in app.
    manifests: Vec<PathBuf>,
    /// The same, as Spin has it.
    #[arg(short, long, value_name = "PATH", conflicts_with = "manifests")]
    from: Option<PathBuf>,
    /// Run a SQLite statement at the start, or with `@FILE` those of a file: on the database `default`, or on
    /// another one with `@FILE:LABEL`.
    #[arg(long, value_name = "STATEMENT|@FILE[:LABEL]", value_parser = flag::script)]
    sqlite: Vec<Script>,
    /// Set a key of the key-value store `default` at the start.
    #[arg(long, value_name = "KEY=VALUE", value_parser = flag::pair)]
    key_value: Vec<(String, String)>,
    /// Set an environment variable of all components.
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = flag::pair)]
    env: Vec<(String, String)>,
    /// Run the build commands of the components first.
    #[arg(long)]
    build: bool,
    /// Where to listen, one for each app in its order.
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    #[command(flatten)]
    common: Common,
}

/// What every command that serves takes.
#[derive(Debug, Default, Args)]
pub(super) struct Common {
    /// A value for an app's variable: `@FILE` in its place is the text of a file, and a whole `@FILE.toml` or
    /// `@FILE.json` has many.
    #[arg(long, value_name = "NAME=VALUE", value_parser = flag::variables)]
    pub(super) variable: Vec<Variables>,
    /// Print nothing of what the components print.
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// What `run` sets in the environment of all components.
    #[arg(skip)]
    pub(super) env: Vec<(String, String)>,
    /// What `run` puts into the storage of its app.
    #[arg(skip)]
    pub(super) first: First,
    /// The folder for databases, stores and generated secrets.
    #[arg(long, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
    /// The folder for compiled components; `~/.cache/signet` unless said otherwise.
    #[arg(long, env = "SIGNET_CACHE_DIR", value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
    /// Where to answer `/healthz`, `/readyz`, `/metrics` and `/queues`; nowhere unless it is said.
    #[arg(long, value_name = "ADDR")]
    pub(super) admin: Option<SocketAddr>,
    /// Serve over TLS with this certificate, a PEM file with those that vouch for it below.
    #[arg(long, value_name = "PEM", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file.
    #[arg(long, value_name = "PEM", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// How many threads serve; one for each core unless said otherwise.
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<std::num::NonZeroUsize>,
    /// Look for changes of components and manifests, and serve them without dropping a request.
    #[arg(long)]
    pub(super) watch: bool,
}

impl Common {
    /// The values for variables; of two for one name, the later counts.
    pub(super) fn variables(&self) -> impl Iterator<Item = &(String, String)> {
        self.variable.iter().flat_map(|variables| &variables.0)
    }
}

pub(super) fn run(mut arguments: Arguments, format: LogFormat) -> Result<ExitCode, Failure> {
    arguments.manifests.extend(arguments.from.take());
    let plan = if arguments.manifests.is_empty() {
        if arguments.common.watch {
            return Err(Failure::input(anyhow::anyhow!(
                "the built-in app is part of the host and does not change: name a manifest to watch"
            )));
        }
        Plan::builtin(&arguments.listen)
    } else {
        Plan::read(&arguments.manifests, &arguments.listen)
    };
    let plan = plan.map_err(Failure::input)?;
    let first = First {
        scripts: arguments.sqlite,
        values: arguments.key_value,
    };
    if !first.is_empty() && plan.apps.len() > 1 {
        return Err(Failure::input(anyhow::anyhow!(
            "--sqlite and --key-value are for one app, and there are {}: run one first with them, then all",
            plan.apps.len()
        )));
    }
    arguments.common.first = first;
    arguments.common.env = arguments.env;
    if arguments.build {
        build::aloud(build::all(&plan)).map_err(anyhow::Error::from)?;
    }
    let watch = Watch {
        manifests: arguments.manifests,
        listen: arguments.listen,
    };
    serve_until_told(plan, arguments.common, watch, format)
}

/// `signet up`, as it is in Spin: without a manifest it is the one of the working folder.
pub(super) fn up(mut arguments: Arguments, format: LogFormat) -> Result<ExitCode, Failure> {
    if arguments.manifests.is_empty() && arguments.from.is_none() {
        arguments.manifests.push(PathBuf::from("."));
    }
    run(arguments, format)
}

/// Serves a plan until SIGTERM or SIGINT, then drains. `watch` is what the plan was read from.
pub(super) fn serve_until_told(
    mut plan: Plan,
    mut common: Common,
    watch: Watch,
    format: LogFormat,
) -> Result<ExitCode, Failure> {
    if let (Some(cert), Some(key)) = (common.tls_cert.take(), common.tls_key.take()) {
        plan.encrypt(&TlsFiles { cert, key });
    }
    forbid_core_dumps();
    let signals = Signals::start().map_err(anyhow::Error::from)?;
    let (lines, writer) = if common.quiet {
        Lines::start(format, std::io::sink(), false).map_err(anyhow::Error::from)?
    } else {
        standard_output(format)?
    };
    let watch = common.watch.then_some(watch);
    let options = Options {
        watch,
        ..options(common)
    };
    let app = App::open(plan, options, lines).map_err(whose)?;
    let running = app.start()?;
    // Before anyone reads that the host serves, and stops it for that.
    signals.serving();
    match format {
        LogFormat::Pretty => anstream::eprint!("{}", banner::banner(&running)),
        LogFormat::Json => banner::log(&running),
    }
    tell_manager(NotifyState::Ready);
    signals
        .wait(running.stopping())
        .map_err(anyhow::Error::from)?;
    tell_manager(NotifyState::Stopping);
    running.stop();
    let ended = running.wait();
    writer.finish();
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// Tells the service manager, if `NOTIFY_SOCKET` names one, as `sd_notify(3)` has it.
fn tell_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be told how far the host is");
    }
}

/// The memory of a host that serves has keys in it: it must not end in a file.
fn forbid_core_dumps() {
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "core dumps could not be forbidden");
    }
}

/// Tells what the caller can mend in what it gave from what went wrong.
pub(super) fn whose(error: anyhow::Error) -> Failure {
    if error.is::<InputError>() || error.is::<GrantError>() {
        Failure::Input(error)
    } else {
        Failure::Running(error)
    }
}

/// The writer of the guests' lines.
pub(super) fn standard_output(
    format: LogFormat,
) -> anyhow::Result<(Lines, crate::telemetry::Writer)> {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    Ok(Lines::start(format, std::io::stdout(), colour)?)
}

/// What the app is to know of the command line and the environment.
pub(super) fn options(common: Common) -> Options {
    Options {
        variables: common.variables().cloned().collect(),
        guest_environment: common.env,
        first: common.first,
        environment: environment(),
        state_dir: common.state_dir,
        cache_dir: common.cache_dir.or_else(default_cache),
        threads: common.threads,
        admin: common.admin,
        resolver: None,
        watch: None,
    }
}

/// The environment. What is not text cannot be a variable's value.
pub(super) fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Where a user's caches are, by the XDG base directory specification.
pub(super) fn default_cache() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let caches =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("signet"))
}
