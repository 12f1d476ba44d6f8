//! The state of a host as a folder that can be put away, and back. Comes in: two paths; goes out: a
//! folder that is whole or not there. A backup is taken while the host runs: each database and store is
//! of one moment, with everything that was acknowledged before. Never shows or changes what it copies.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::state::{StateDir, for_each, is_ours};
use crate::file::{copy, private};
use crate::runtime::cache::hex;

/// The list of what is in a backup, in the form that `sha256sum -c` reads.
const SUMS: &str = "SHA256SUMS";
/// Where a backup's content is looked over before it takes the place of what is there.
const STAGE: &str = ".restore";

/// What cannot be backed up or restored because of what was given.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to back up.
    #[error("{} is no state folder: name the one that the host uses", .0.display())]
    NoState(PathBuf),
    /// The backup would be mixed with something else.
    #[error("{} is there already: name a folder that is not", .0.display())]
    TargetExists(PathBuf),
    /// The backup would be part of what the next one backs up.
    #[error("{} is in the state folder: name a folder outside of it", .0.display())]
    TargetInside(PathBuf),
    /// The state would be lost.
    #[error("the state folder {} is not empty: --force replaces what is in it", .0.display())]
    StateExists(PathBuf),
    /// The folder holds no backup, or not all of it.
    #[error("{} is no whole backup: {reason}", path.display())]
    NotWhole {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Copies the state of a host, running or not, to the new folder `target`. Says how many files it has.
pub fn backup(state_dir: &Path, target: &Path) -> anyhow::Result<usize> {
    if !state_dir.is_dir() {
        return Err(BackupError::NoState(state_dir.to_owned()).into());
    }
    if !is_empty(target)? {
        return Err(BackupError::TargetExists(target.to_owned()).into());
    }
    let beside = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let (Ok(place), Ok(state)) = (beside.canonicalize(), state_dir.canonicalize())
        && place.starts_with(state)
    {
        return Err(BackupError::TargetInside(target.to_owned()).into());
    }
    // Its owner's alone, and gone if something fails.
    let stage = tempfile::Builder::new()
        .prefix(".signet-backup-")
        .permissions(PermissionsExt::from_mode(0o700))
        .tempdir_in(beside)
        .with_context(|| format!("{} cannot be written", beside.display()))?;
    let files = files(state_dir)?;
    let mut sums = String::new();
    for file in &files {
        let (from, to) = (state_dir.join(file), stage.path().join(file));
        if is_database(file) {
            copy::copy(&from, &to)
                .with_context(|| format!("{} cannot be copied", from.display()))?;
        } else {
            copy_plain(&from, &to)?;
        }
        // Writing to a String does not fail.
        let _ = writeln!(sums, "{}  {}", digest(&to)?, file.display());
    }
    write_private(&stage.path().join(SUMS), sums.as_bytes())?;
    sync_folders(stage.path())?;
    let stage = stage.keep();
    std::fs::rename(&stage, target).with_context(|| {
        format!(
            "the backup is whole, and cannot be moved from {}",
            stage.display()
        )
    })?;
    File::open(beside)?.sync_all()?;
    Ok(files.len())
}

/// Puts a backup in the place of a state folder's content. Says how many files it has.
pub fn restore(backup: &Path, state_dir: &Path, force: bool) -> anyhow::Result<usize> {
    let files = listed(backup)?;
    let state = StateDir::claim(state_dir)?;
    let old = entries(state.path())?;
    if !force && !old.is_empty() {
        return Err(BackupError::StateExists(state_dir.to_owned()).into());
    }
    let stage = state.path().join(STAGE);
    remove(&stage)?;
    for (sum, file) in &files {
        let (from, to) = (backup.join(file), stage.join(file));
        copy_plain(&from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
        let whole = if digest(&to)? != *sum {
            Err("its content is not what was written".to_owned())
        } else if is_database(file) {
            copy::verify(&to).map_err(|error| error.to_string())
        } else {
            Ok(())
        };
        if let Err(reason) = whole {
            remove(&stage)?;
            let path = backup.to_owned();
            let reason = format!("{}: {reason}", file.display());
            return Err(BackupError::NotWhole { path, reason }.into());
        }
    }
    sync_folders(&stage)?;
    // From here on there is neither the old state nor the new one, until the end.
    File::create(state.restoring())?.sync_all()?;
    File::open(state.path())?.sync_all()?;
    for name in old.iter().filter(|name| *name != STAGE) {
        remove(&state.path().join(name))?;
    }
    for name in entries(&stage)? {
        std::fs::rename(stage.join(&name), state.path().join(&name))?;
    }
    remove(&stage)?;
    File::open(state.path())?.sync_all()?;
    std::fs::remove_file(state.restoring())?;
    File::open(state.path())?.sync_all()?;
    Ok(files.len())
}

/// The files that are state, relative to the folder, in order.
fn files(state_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for_each(state_dir, &mut |path| {
        let file = path.strip_prefix(state_dir).unwrap_or(path);
        // What begins with a dot is how the folder is kept, or was about to be written; what SQLite
        // keeps beside a database comes with it.
        let hidden = |part: &OsStr| part.as_encoded_bytes().starts_with(b".");
        let beside = |part: &OsStr| {
            let name = part.to_string_lossy();
            [".db-wal", ".db-shm", ".db-journal"]
                .iter()
                .any(|ending| name.ends_with(ending))
        };
        if !file.iter().any(hidden)
            && !file.file_name().is_some_and(beside)
            && std::fs::metadata(path)?.is_file()
        {
            files.push(file.to_owned());
        }
        Ok(())
    })?;
    files.sort();
    Ok(files)
}

fn is_database(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "db")
}

/// What a backup has by its own list: digests and files.
fn listed(backup: &Path) -> Result<Vec<(String, PathBuf)>, BackupError> {
    let not_whole = |reason: String| BackupError::NotWhole {
        path: backup.to_owned(),
        reason,
    };
    let sums = std::fs::read_to_string(backup.join(SUMS));
    let sums = sums.map_err(|error| not_whole(format!("{SUMS} cannot be read: {error}")))?;
    let line = |line: &str| {
        let (sum, file) = line.split_once("  ")?;
        let file = Path::new(file);
        // A path that leads out of the folder was not written by a backup.
        let inside = file
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        inside.then(|| (sum.to_owned(), file.to_owned()))
    };
    sums.lines()
        .map(|text| line(text).ok_or_else(|| not_whole(format!("{SUMS} has the line {text:?}"))))
        .collect()
}

/// The names in a folder that are not how a state folder is kept.
fn entries(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !is_ours(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether there is nothing in the way: no such thing, or an empty folder.
fn is_empty(path: &Path) -> io::Result<bool> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

fn copy_plain(from: &Path, to: &Path) -> io::Result<()> {
    private::create_file(to)?;
    let mut target = std::fs::OpenOptions::new().write(true).open(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    private::create_file(path)?;
    std::fs::write(path, content)?;
    File::open(path)?.sync_all()
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let (mut file, mut piece) = (File::open(path)?, vec![0; 64 << 10]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hasher.update(&piece[..read]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// Brings the names in a folder and in those below it to disk.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for_each(folder, &mut |path| match path.is_dir() {
        true => File::open(path)?.sync_all(),
        false => Ok(()),
    })?;
    File::open(folder)?.sync_all()
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
#[path = "tests/backup.rs"]
mod tests;
