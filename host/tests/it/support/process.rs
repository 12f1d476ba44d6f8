//! The host as a process of its own: what it weighs, what signals do to it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::fixture;

/// A `signet` that serves the test guest.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Process {
    /// `signet serve` with the test guest.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let link = format!(
            "fixture:test/probe={}",
            fixture("fixture-dependency").display()
        );
        let mut command = command();
        command
            .arg("serve")
            .arg(fixture("fixture-guest"))
            .args(["--addr", "127.0.0.1:0", "--link", &link])
            .args(arguments)
            .envs(environment.iter().copied());
        Self::spawn(command, tempfile::tempdir().unwrap())
    }

    /// `signet run` of the test guest, with lines of its own in the component's table of `spin.toml` and in
    /// `signet.toml`.
    pub(crate) fn run(component: &str, host: &str) -> Self {
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
        let mut command = command();
        command.args(["run", "signet.toml"]);
        Self::spawn(command, folder)
    }

    fn spawn(mut command: Command, folder: tempfile::TempDir) -> Self {
        let mut child = command.current_dir(folder.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let banner = lines.find_map(|line| {
            line.unwrap()
                .split_once("http://")
                .map(|(_, address)| address.to_owned())
        });
        // What the host says later must have a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: banner.unwrap().parse().unwrap(),
            _folder: folder,
        }
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

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
    command
        .env(
            "SIGNET_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}
