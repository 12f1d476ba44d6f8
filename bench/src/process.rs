//! A server as a process of its own. Comes in: a command and where it will listen; goes out: a process that
//! answers, what it costs (time and memory, from `/proc`), and its end. Every process it starts, it stops.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::http::{Ask, Client};
use crate::invocation::Invocation;

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    said: File,
    began: Instant,
    line: String,
}

/// How long a server may take until its first answer: the largest component is compiled in it.
const START: Duration = Duration::from_secs(300);

/// How long a server may take to end after SIGTERM.
const END: Duration = Duration::from_secs(10);

/// How often it is looked again. The answers come within milliseconds.
const AGAIN: Duration = Duration::from_micros(500);

impl Server {
    /// Starts a process. What it says goes into the file `said`.
    pub(crate) fn spawn(invocation: &Invocation, root: &Path, said: &Path) -> Result<Self> {
        let line = invocation.line(root);
        let said = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(said)
            .with_context(|| format!("{} cannot be written", said.display()))?;
        let mut command = invocation.command(root);
        command.stdin(Stdio::null());
        command.stdout(said.try_clone()?).stderr(said.try_clone()?);
        let began = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("`{line}` cannot be started"))?;
        Ok(Self {
            child,
            said,
            began,
            line,
        })
    }

    /// Waits for the first 200, and returns how long it took since the start.
    pub(crate) fn ready(
        &mut self,
        client: &Client,
        address: SocketAddr,
        ask: &Ask,
    ) -> Result<Duration> {
        let mut last = String::from("nothing listens");
        while self.began.elapsed() < START {
            if std::net::TcpStream::connect(address).is_ok() {
                match client.send(address, ask) {
                    Ok((200, _)) => return Ok(self.began.elapsed()),
                    Ok((status, body)) => last = format!("{status} {body}"),
                    Err(error) => last = format!("{error:#}"),
                }
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("`{}` ended with {status}:\n{}", self.line, self.said());
            }
            std::thread::sleep(AGAIN);
        }
        bail!(
            "`{}` does not answer 200: {last}\n{}",
            self.line,
            self.said()
        )
    }

    /// What it has said.
    fn said(&self) -> String {
        let mut bytes = Vec::new();
        let mut said = &self.said;
        let begin = said.seek(SeekFrom::Start(0));
        let _ = begin.and_then(|_| said.read_to_end(&mut bytes));
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The CPU time it took so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let text = self.proc("stat")?;
        let ticks =
            ticks(&text).with_context(|| format!("{text:?} is no line of /proc/PID/stat"))?;
        let second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs_f64(ticks as f64 / second as f64))
    }

    /// What of it is in memory now, in MiB.
    pub(crate) fn memory(&self) -> Result<f64> {
        status(&self.proc("status")?, "VmRSS").context("/proc/PID/status has no VmRSS")
    }

    /// The most of it that was in memory, in MiB, since [`forget_peak`](Self::forget_peak).
    pub(crate) fn peak(&self) -> Result<f64> {
        status(&self.proc("status")?, "VmHWM").context("/proc/PID/status has no VmHWM")
    }

    /// How often its threads have begun to run so far.
    pub(crate) fn switches(&self) -> Result<u64> {
        let folder = format!("/proc/{}/task", self.child.id());
        let threads = std::fs::read_dir(&folder).with_context(|| folder.clone())?;
        let mut all = 0;
        for thread in threads {
            let path = thread?.path().join("status");
            // It may have ended since.
            let Ok(text) = std::fs::read_to_string(path) else {
                continue;
            };
            let counted = switches(&text);
            all += counted.context("/proc/PID/task/ID/status has no context switches")?;
        }
        Ok(all)
    }

    /// Begins the peak anew. A host that lets nobody look into its memory may refuse: then the peak is the one
    /// since its start.
    pub(crate) fn forget_peak(&self) -> bool {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").is_ok()
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
    }

    /// Stops it, by SIGTERM, and by force where that does not help.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let id = i32::try_from(self.child.id())?;
        let pid = Pid::from_raw(id).context("a process has an id")?;
        kill_process(pid, Signal::TERM)?;
        let told = Instant::now();
        while told.elapsed() < END {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.end().is_err() {
            eprintln!("a server could not be stopped: `{}`", self.line);
        }
    }
}

/// User and system time in the line of `/proc/PID/stat`, in ticks. The second field is a name in brackets that
/// may itself have spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// A line of `/proc/PID/status`, in MiB.
fn status(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: f64 = line
        .trim_start_matches(':')
        .trim()
        .strip_suffix(" kB")?
        .trim()
        .parse()
        .ok()?;
    Some(kib / 1024.0)
}

/// How often a thread was switched to, from its `/proc/PID/task/ID/status`.
fn switches(text: &str) -> Option<u64> {
    let count = |key: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim_start_matches(':').trim().parse().ok()
    };
    Some(count("voluntary_ctxt_switches")? + count("nonvoluntary_ctxt_switches")?)
}

/// That this system has what is read here.
pub(crate) fn supported() -> Result<()> {
    ensure!(
        Path::new("/proc/self/stat").exists(),
        "there is no /proc here: time and memory are read from it, so measure on Linux"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_behind_any_name() {
        let stat = "4242 (tokio) rt (w)) S 1 4242 4242 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 3 0";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("4242 (x) S 1"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn both_kinds_of_switches_count() {
        let text = "Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(switches(text), Some(15));
        assert_eq!(switches("Name:\tx\n"), None);
    }

    #[test]
    fn memory_is_read_by_its_key() {
        let text = "Name:\tx\nVmHWM:\t    3072 kB\nVmRSS:\t    2048 kB\n";
        assert_eq!(status(text, "VmRSS"), Some(2.0));
        assert_eq!(status(text, "VmHWM"), Some(3.0));
        assert_eq!(status(text, "VmSwap"), None);
    }
}
