//! The command line: what can be typed, and which function it calls. Comes in: arguments; goes out: an
//! exit code. Never does the work itself: each command is a short file that calls the rooms below.

mod backup;
mod build;
mod check;
mod compile;
mod compose;
mod demo;
mod flag;
mod inspect;
mod new;
mod queue;
mod run;
mod serve;
mod sign;
mod signals;

use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::telemetry::{self, LogFormat};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// A host runtime for signed webhooks: runs WebAssembly components, links the one that signs.
#[derive(Debug, Parser)]
#[command(
    name = "signet",
    version,
    styles = STYLES,
    after_help = "Examples:\n  \
        signet                               run the built-in producer and consumer\n  \
        signet demo                          register, fire, tamper, and show what happens\n  \
        signet run spin.toml                 run an app of your own on 127.0.0.1:3000\n  \
        signet new rust hooks                make a guest project that builds and runs\n  \
        signet check spin.toml               list every mistake in a manifest\n  \
        signet inspect builtin:hmac --json   what a component imports and exports\n\n\
        Exit codes: 0 done, 1 failed while running, 2 the input is wrong."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// How the host's log and the guests' lines look.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run apps from their manifests; without one, the built-in app.
    Run(run::Arguments),
    /// As `run`, but without a manifest it takes the spin.toml of the working folder.
    Up(run::Arguments),
    /// Make a guest project that builds and runs.
    New(new::Arguments),
    /// Run the build commands of a manifest's components.
    Build(build::Arguments),
    /// Run the built-in app once on free ports: register, fire, tamper.
    Demo,
    /// Show what a component imports and exports.
    Inspect(inspect::Arguments),
    /// Link a component with its dependencies and write the result.
    Compose(compose::Arguments),
    /// Compile components ahead, so that no start has to.
    Compile(compile::Arguments),
    /// List every mistake in a manifest.
    Check(check::Arguments),
    /// Sign standard input through the hmac component; print the signature.
    Sign(sign::SignArguments),
    /// Verify a signature of standard input through the hmac component; exit code 0 or 1.
    Verify(sign::VerifyArguments),
    /// Copy the state folder of a host, which may be running.
    Backup(backup::BackupArguments),
    /// Put a backup back in the place of a state folder.
    Restore(backup::RestoreArguments),
    /// Look at an app's durable queues, retry jobs, give them up, remove them.
    Queue(queue::Arguments),
    /// Serve one component without a manifest; grants come as flags.
    Serve(serve::Arguments),
}

/// Runs what was typed.
pub fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let _log = telemetry::start_log(cli.log_format);
    match cli.command {
        None => run::run(run::Arguments::default(), cli.log_format),
        Some(Command::Run(arguments)) => run::run(arguments, cli.log_format),
        Some(Command::Up(arguments)) => run::up(arguments, cli.log_format),
        Some(Command::New(arguments)) => new::new(&arguments),
        Some(Command::Build(arguments)) => build::run(&arguments),
        Some(Command::Demo) => demo::demo(cli.log_format),
        Some(Command::Inspect(arguments)) => inspect::inspect(&arguments),
        Some(Command::Compose(arguments)) => compose::compose(&arguments),
        Some(Command::Compile(arguments)) => compile::compile(&arguments),
        Some(Command::Check(arguments)) => check::check(&arguments),
        Some(Command::Sign(arguments)) => sign::sign(&arguments),
        Some(Command::Verify(arguments)) => sign::verify(&arguments),
        Some(Command::Backup(arguments)) => backup::backup(&arguments),
        Some(Command::Restore(arguments)) => backup::restore(&arguments),
        Some(Command::Queue(arguments)) => queue::queue(&arguments),
        Some(Command::Serve(arguments)) => serve::serve(arguments, cli.log_format),
    }
}

/// Prints what a command found. Whoever reads may have read enough: that is no failure.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Running(
            anyhow::Error::new(error).context("standard output cannot be written"),
        )),
        _ => Ok(()),
    }
}

/// Why a command did not do its work, and whose doing it was.
#[derive(Debug)]
pub enum Failure {
    /// Something went wrong while it ran: exit code 1.
    Running(anyhow::Error),
    /// What was given is wrong: exit code 2.
    Input(anyhow::Error),
}

impl Failure {
    /// Something that the caller can mend in what it gave.
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        Self::Input(error.into())
    }

    /// The error itself.
    pub fn error(&self) -> &anyhow::Error {
        match self {
            Self::Running(error) | Self::Input(error) => error,
        }
    }

    /// The same, with what it was part of.
    fn context(self, words: String) -> Self {
        match self {
            Self::Running(error) => Self::Running(error.context(words)),
            Self::Input(error) => Self::Input(error.context(words)),
        }
    }

    /// The exit code of the process.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Running(_) => ExitCode::from(1),
            Self::Input(_) => ExitCode::from(2),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Running(error)
    }
}
