//! The disk that the state is on: a small one in the memory of the machine, that can be filled and made read-only.
//! Comes in: where it shall be; goes out: one that does what it is told, or none where the system mounts nothing.
//! What is mounted is seen by this process and its children alone, and goes with them.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// How large the disk is.
const SIZE: &str = "size=96m,mode=700";

/// Says that this process has mounts of its own.
const MARK: &str = "SIGNET_TORTURE_MOUNTS";

/// Begins this process anew where mounts are its own; whether it may mount anything.
pub(crate) fn alone() -> bool {
    if let Some(mark) = std::env::var_os(MARK) {
        return mark == "1";
    }
    let namespaces = [&["--mount"][..], &["--map-root-user", "--mount"]];
    for namespace in namespaces {
        let able = Command::new("unshare")
            .args(namespace)
            .args(["sh", "-c", "mount -t tmpfs tmpfs /tmp"])
            .output();
        if able.is_ok_and(|output| output.status.success())
            && let Ok(program) = std::env::current_exe()
        {
            let mut again = Command::new("unshare");
            again
                .args(namespace)
                .arg(program)
                .args(std::env::args_os().skip(1));
            // It comes back only if it could not be done.
            let error = again.env(MARK, "1").exec();
            eprintln!("the disk cannot be one of its own: {error}");
        }
    }
    false
}

/// A disk, or a folder where there is none.
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Makes it, mounted or not.
    pub(crate) fn make(path: PathBuf, mounted: bool) -> Result<Self> {
        std::fs::create_dir(&path)?;
        let disk = Self { path };
        if mounted {
            disk.mount(&["-t", "tmpfs", "-o", SIZE, "tmpfs"], &disk.path)?;
        }
        Ok(disk)
    }

    /// Fills it, but for so many bytes.
    pub(crate) fn fill(&self, left: u64) -> Result<()> {
        let mut ballast = std::fs::File::create(self.ballast())?;
        let chunk = vec![0; 64 << 10];
        // The disk says when it is full.
        while ballast.write_all(&chunk).is_ok() {}
        let length = ballast.metadata()?.len();
        ballast.set_len(length.saturating_sub(left))?;
        Ok(())
    }

    /// Frees it again.
    pub(crate) fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// Makes all of it read-only, or as it was. Nobody may have a file of it open for writing.
    pub(crate) fn read_only(&self, is: bool) -> Result<()> {
        let mode = if is { "remount,ro" } else { "remount,rw" };
        self.mount(&["-o", mode], &self.path)
    }

    /// Makes one file of it read-only: the file stands on itself.
    pub(crate) fn cover(&self, file: &Path) -> Result<()> {
        let source = file.to_str().context("a path in words")?;
        self.mount(&["--bind", source], file)?;
        self.mount(&["-o", "remount,bind,ro"], file)
    }

    /// Takes that back.
    pub(crate) fn uncover(&self, file: &Path) -> Result<()> {
        unmount(file)
    }

    /// The file that the queues are in.
    pub(crate) fn queue(&self, app: &str) -> Result<PathBuf> {
        let mut found = Vec::new();
        files(&self.path, &mut found)?;
        let of_app = |file: &&PathBuf| {
            let name = file.to_string_lossy();
            name.contains(app) && name.contains("queue") && name.ends_with(".db")
        };
        let found = found.iter().find(of_app).cloned();
        found.with_context(|| format!("there is no queue of {app} below {}", self.path.display()))
    }

    fn mount(&self, arguments: &[&str], on: &Path) -> Result<()> {
        succeed(Command::new("mount").args(arguments).arg(on))
    }
}

/// Takes away what is mounted there: a folder under a disk cannot be removed.
pub(crate) fn unmount(path: &Path) -> Result<()> {
    succeed(Command::new("umount").arg(path))
}

/// All files below a folder.
pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(())
}
