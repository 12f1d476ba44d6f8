//! The folder in which a host keeps databases, stores and the values it made. One process has it at a
//! time, and nobody but its owner reads in it. Comes in: a path; goes out: a [`StateDir`], which is the
//! right to use the folder for as long as it lives. Never mends permissions, never breaks a lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::file::private;

/// The file whose lock is the right to use the folder. In it stands the holder's process id.
const LOCK: &str = ".lock";
/// Stands in the folder while its content is being replaced.
const RESTORING: &str = ".restoring";
/// The copies of files that components may read, for as long as a host runs.
const COPIES: &str = ".files";

/// Why the state folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The folder cannot be made or read, or others can read in it.
    #[error("the state folder {} cannot be used", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system says, or whose it has to be.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the state folder {} is in use by {holder}: stop it first, or name another folder with --state-dir", path.display())]
    Held {
        /// The folder.
        path: PathBuf,
        /// Who has it, in words.
        holder: String,
    },
    /// Its content was being replaced when that ended.
    #[error("the state folder {} was not restored to the end: run signet restore --force again", .0.display())]
    HalfRestored(PathBuf),
}

/// The right to use a state folder.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Its lock goes with it, however the process ends.
    _lock: File,
}

impl StateDir {
    /// Takes the folder, made if it is not there, for a host.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let state = Self::visit(path)?;
        // Those of a host that had no time to remove them.
        match std::fs::remove_dir_all(copies(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unusable(path)(error));
            }
            _ => {}
        }
        for_each(path, &mut |entry| private::check(entry)).map_err(unusable(path))?;
        Ok(state)
    }

    /// Takes a folder that a host has left, for whoever looks into it: nothing in it is put in order.
    pub fn visit(path: &Path) -> Result<Self, StateError> {
        let state = Self::claim(path)?;
        if path.join(RESTORING).exists() {
            return Err(StateError::HalfRestored(path.to_owned()));
        }
        Ok(state)
    }

    /// Takes the folder, whatever is in it.
    pub(super) fn claim(path: &Path) -> Result<Self, StateError> {
        let ready = private::create_folder(path).and_then(|()| private::check(path));
        ready.map_err(unusable(path))?;
        let mut lock = lock_file(&path.join(LOCK)).map_err(unusable(path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Held {
                    path: path.to_owned(),
                    holder: holder(&mut lock),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(path)(error)),
        }
        sign(&mut lock).map_err(unusable(path))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that says that the content is being replaced.
    pub(super) fn restoring(&self) -> PathBuf {
        self.path.join(RESTORING)
    }
}

/// The folder for copies of files that components may read; not made before it is used.
pub(super) fn copies(state_dir: &Path) -> PathBuf {
    state_dir.join(COPIES)
}

/// Whether a name in the folder is not state but how the folder is kept.
pub(super) fn is_ours(name: &std::ffi::OsStr) -> bool {
    name == LOCK || name == RESTORING || name == COPIES
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> StateError {
    move |source| StateError::Unusable {
        path: path.to_owned(),
        source,
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).open(path)
}

fn sign(lock: &mut File) -> io::Result<()> {
    let signed = lock
        .set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| write!(lock, "{}", std::process::id()));
    match signed {
        // The lock holds without a name on it; on a full disk a host still serves what it has.
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
        signed => signed,
    }
}

/// The words for whoever signed the lock.
fn holder(lock: &mut File) -> String {
    let mut id = String::new();
    match lock.read_to_string(&mut id) {
        Ok(_) if !id.is_empty() => format!("process {id}"),
        _ => "another process".to_owned(),
    }
}

/// Shows every file and folder below `folder`. What goes away meanwhile was no part of it.
pub(super) fn for_each(
    folder: &Path,
    show: &mut impl FnMut(&Path) -> io::Result<()>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        match show(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            shown => shown?,
        }
        if entry.file_type()?.is_dir() {
            for_each(&path, show)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_folder_has_one_holder_and_says_who() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let held = StateDir::open(&state).unwrap();
        let words = StateDir::open(&state).unwrap_err().to_string();
        let process = format!("process {}", std::process::id());
        assert!(words.contains(&process), "{words}");
        drop(held);
        StateDir::open(&state).unwrap();
    }

    #[test]
    fn what_others_may_read_is_refused_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        drop(StateDir::open(&state).unwrap());
        let inner = state.join("app");
        private::create_folder(&inner).unwrap();
        let file = inner.join("default.db");
        private::create_file(&file).unwrap();
        for (path, wide, narrow) in [
            (&state, 0o750, 0o700),
            (&inner, 0o701, 0o700),
            (&file, 0o644, 0o600),
        ] {
            let chmod =
                |mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            chmod(wide);
            let error = anyhow::Error::from(StateDir::open(&state).unwrap_err());
            let cure = format!("chmod {narrow:o} {}", path.display());
            assert!(format!("{error:#}").contains(&cure), "{error:#}");
            chmod(narrow);
            StateDir::open(&state).unwrap();
        }
    }

    #[test]
    fn a_folder_that_is_half_restored_is_not_served() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        private::create_file(&state.join(RESTORING)).unwrap();
        let error = StateDir::open(&state).unwrap_err();
        assert!(matches!(error, StateError::HalfRestored(_)), "{error}");
    }
}
