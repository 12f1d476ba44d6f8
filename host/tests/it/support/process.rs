//! The host as a process of its own: what it weighs, what signals do to it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::fixture;

/// A `signet` that serves the test guest.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it says on standard error; complete when it has ended.
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    command: Command,
    folder: tempfile::TempDir,
}

impl Process {
    /// `signet serve` with the test guest.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut command = signet();
        serve(&mut command, arguments);
        command.envs(environment.iter().copied());
        Self::spawn(command, tempfile::tempdir().unwrap())
    }

    /// The same, begun by a script of the shell that ends with `exec "$@"`, in the folder of the process.
    /// The error is what was said instead.
    pub(crate) fn start_by(script: &str, arguments: &[&str]) -> Result<Self, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_signet")]);
        serve(prepare(&mut command), arguments);
        Self::try_spawn(command, tempfile::tempdir().unwrap())
    }

    /// `signet run` of the test guest, with lines of its own in the component's table of `spin.toml` and in
    /// `signet.toml`.
    pub(crate) fn run(component: &str, host: &str) -> Self {
        Self::run_with(component, host, &[], &[])
    }

    /// The same, with arguments and environment variables.
    pub(crate) fn run_with(
        component: &str,
        host: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = format!(
            "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
             [component.guest]\nsource = \"{}\"\n{component}\n\
             [component.guest.dependencies]\n\"fixture:test/probe\" = {{ path = \"{}\" }}\n",
            fixture("fixture-guest").display(),
            fixture("fixture-dependency").display(),
        );
        std::fs::write(folder.path().join("spin.toml"), app).unwrap();
        let host = format!("{host}\n[[app]]\nmanifest = \"spin.toml\"\nlisten = \"127.0.0.1:0\"\n");
        std::fs::write(folder.path().join("signet.toml"), host).unwrap();
        let mut command = signet();
        command
            .args(["run", "signet.toml"])
            .args(arguments)
            .envs(environment.iter().copied());
        Self::spawn(command, folder)
    }

    /// A `signet` that serves what the arguments say, in a folder of the test's.
    pub(crate) fn within(folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let mut command = signet();
        command.args(arguments);
        Self::spawn(command, folder)
    }

    /// Waits until it has said something on standard error.
    pub(crate) fn has_said(&mut self, words: &str) {
        let start = Instant::now();
        while !self.log().contains(words) {
            let log = self.log();
            assert!(start.elapsed() < Duration::from_secs(60), "{words}: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn spawn(command: Command, folder: tempfile::TempDir) -> Self {
        Self::try_spawn(command, folder).unwrap()
    }

    fn try_spawn(mut command: Command, folder: tempfile::TempDir) -> Result<Self, String> {
        command.current_dir(folder.path());
        let log = Arc::default();
        let (child, address, reader) = begin(&mut command, &log)?;
        Ok(Self {
            child,
            address,
            log,
            reader: Some(reader),
            command,
            folder,
        })
    }

    /// Ends it as a loss of power would, with no chance to say anything.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Begins anew, with the same arguments in the same folder.
    pub(crate) fn restart(&mut self) {
        let (child, address, reader) = begin(&mut self.command, &self.log).unwrap();
        (self.child, self.address, self.reader) = (child, address, Some(reader));
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The folder it runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its admin listener is, as it says before it says where its apps are.
    pub(crate) fn admin(&mut self) -> SocketAddr {
        let log = self.log();
        let mut lines = log.lines().filter(|line| line.contains("admin"));
        let (_, address) = lines
            .find_map(|line| line.split_once("127.0.0.1:"))
            .unwrap();
        let port = address.split(|c: char| !c.is_ascii_digit()).next();
        SocketAddr::from(([127, 0, 0, 1], port.unwrap().parse().unwrap()))
    }

    pub(crate) fn signal(&self, name: &str) {
        // The shell's own kill: a machine without the command still has it.
        let kill = format!("kill -s {name} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end; its exit code, unless a signal ended it.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// The same, for a host that may never end; fails when the time is over.
    pub(crate) fn end_within(&mut self, patience: Duration) -> Option<i32> {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < patience, "the host does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.end()
    }

    /// What it has said on standard error, to the last line if it has ended.
    pub(crate) fn log(&mut self) -> String {
        if let Ok(Some(_)) = self.child.try_wait()
            && let Some(reader) = self.reader.take()
        {
            reader.join().unwrap();
        }
        self.log.lock().unwrap().clone()
    }

    /// The memory that is its alone and in use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        kilobytes.unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The time it computed, all threads together, in the system's ticks (100 a second).
    pub(crate) fn ticks(&self) -> u64 {
        let stat = self.proc("stat");
        // The name of the process, in parentheses, may have spaces.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = fields.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a host and waits until it serves. What it says goes to the log.
fn begin(
    command: &mut Command,
    log: &Arc<Mutex<String>>,
) -> Result<(Child, SocketAddr, JoinHandle<()>), String> {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let log = Arc::clone(log);
    let keep = move |line: &str| {
        let mut log = log.lock().unwrap();
        log.push_str(line);
        log.push('\n');
    };
    let mut said = String::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        keep(&line);
        if let Some(address) = served_at(&line) {
            // What the host says later must have a reader.
            let rest = move || lines.map_while(Result::ok).for_each(|line| keep(&line));
            return Ok((child, address, std::thread::spawn(rest)));
        }
        said.push_str(&line);
        said.push('\n');
    }
    child.wait().unwrap();
    Err(said)
}

/// The address in a line that says where an app is served, for a person or as JSON.
fn served_at(line: &str) -> Option<SocketAddr> {
    let (_, address) = if line.contains("\"message\":\"serving\"") {
        line.split_once("\"address\":\"")?
    } else {
        line.split_once("  http://")
            .or(line.split_once("  https://"))?
    };
    address.split('"').next()?.parse().ok()
}

/// What `signet serve` needs to serve the test guest.
fn serve(command: &mut Command, arguments: &[&str]) {
    let link = format!(
        "fixture:test/probe={}",
        fixture("fixture-dependency").display()
    );
    command
        .arg("serve")
        .arg(fixture("fixture-guest"))
        .args(["--addr", "127.0.0.1:0", "--link", &link])
        .args(arguments);
}

/// A `signet` to be, with the cache of the tests.
pub(crate) fn signet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
    prepare(&mut command);
    command
}

fn prepare(command: &mut Command) -> &mut Command {
    command
        .env(
            "SIGNET_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
}
