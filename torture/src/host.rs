//! The host as a process. Comes in: a folder with manifests, and what the environment shall say; goes out: a host that
//! serves, or what it said when it did not; and its end, by whichever signal. Every process it starts, it ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::apps::APPS;

/// How long a host may take until it serves: it may have to compile.
const START: Duration = Duration::from_secs(240);
/// How long a host may take to end.
const END: Duration = Duration::from_secs(20);

/// How hosts are started.
pub(crate) struct Starter {
    /// The program.
    pub(crate) signet: PathBuf,
    /// The folder with the manifests, in which it runs.
    pub(crate) folder: PathBuf,
    /// How far its clock is ahead, in milliseconds.
    pub(crate) ahead: i64,
}

/// What came of a start.
pub(crate) enum Started {
    /// It serves.
    Serves(Host),
    /// It ended before that, and said so.
    Ended(ExitStatus, String),
}

/// A host that runs.
pub(crate) struct Host {
    child: Box<Child>,
    /// Where the apps are, in their order.
    pub(crate) addresses: [SocketAddr; 2],
}

impl Starter {
    /// The folder for compiled components.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Starts one that must serve.
    pub(crate) async fn start(&self) -> Result<Host> {
        match self.begin(None).await? {
            Started::Serves(host) => Ok(host),
            Started::Ended(status, said) => bail!("the host ended with {status}:\n{said}"),
        }
    }

    /// Starts one that may fall at a boundary when that is passed so many times.
    pub(crate) async fn begin(&self, point: Option<(&str, u64)>) -> Result<Started> {
        let mut command = Command::new(&self.signet);
        command
            .args(["run", "signet.toml", "--quiet", "--cache-dir", "cache"])
            .current_dir(&self.folder)
            .env("SIGNET_CLOCK_AHEAD_MS", self.ahead.to_string())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some((point, times)) = point {
            command.env("SIGNET_FAILPOINT", format!("{point}@{times}"));
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", self.signet.display()))?;
        let said = child.stderr.take().context("standard error")?;
        let mut lines = BufReader::new(said).lines();
        let mut log = log(&self.folder)?;
        let mut found = BTreeMap::new();
        let mut said = String::new();
        let serves = async {
            while let Some(line) = lines.next_line().await? {
                writeln!(log, "{line}")?;
                if let Some((app, address)) = line.split_once("  http://")
                    && let Ok(address) = address.parse::<SocketAddr>()
                {
                    found.insert(app.to_owned(), address);
                }
                // The last thing that a host says before it serves.
                if line.starts_with("state in ") {
                    return anyhow::Ok(true);
                }
                said.push_str(&line);
                said.push('\n');
            }
            Ok(false)
        };
        let serves = timeout(START, serves)
            .await
            .context("the host does not start")??;
        let address = |app| found.get(app).copied();
        let (true, [Some(ordered), Some(free)]) = (serves, APPS.map(address)) else {
            return Ok(Started::Ended(child.wait().await?, said));
        };
        // What it says later must have a reader.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = writeln!(log, "{line}");
            }
        });
        let addresses = [ordered, free];
        Ok(Started::Serves(Host {
            child: Box::new(child),
            addresses,
        }))
    }
}

impl Host {
    /// Ends it as a loss of power would.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.child.start_kill()?;
        self.child.wait().await?;
        Ok(())
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<ExitStatus> {
        self.told_to_stop()?;
        let ended = timeout(END, self.child.wait()).await;
        Ok(ended.context("the host does not end after SIGTERM")??)
    }

    /// Tells it to stop.
    pub(crate) fn told_to_stop(&self) -> Result<()> {
        if let Some(id) = self.child.id() {
            let id = Pid::from_raw(i32::try_from(id)?).context("a process has an id")?;
            kill_process(id, Signal::TERM)?;
        }
        Ok(())
    }

    /// Whether it falls by itself within this time.
    pub(crate) async fn falls_within(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        match timeout(patience, self.child.wait()).await {
            Ok(status) => Ok(Some(status?)),
            Err(_) => Ok(None),
        }
    }
}

/// Whether a process ended where a boundary of the queue's steps let it.
pub(crate) fn fell(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::ABORT.as_raw())
}

/// Where everything goes that hosts say.
fn log(folder: &Path) -> Result<File> {
    let path = folder.join("host.log");
    Ok(File::options().create(true).append(true).open(path)?)
}
