//! Who may read a file: its owner and nobody else, because what guests store may be a signing key.
//! Comes in: a path; goes out: a new file that is private, or an old one that proved to be. Never
//! changes the permissions of a file that is there already: whoever widened them may have read it.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Somebody else than its owner may use a file or a folder.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is open to others than its owner (mode {mode:o}): chmod {cure} {}",
    path.display(),
    path.display()
)]
pub struct Wide {
    path: PathBuf,
    mode: u32,
    cure: u32,
}

/// Makes a folder that only its owner can enter, and those above it, unless they are there.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}

/// Makes the file and the folders above it, unless they are there. One that is there must be private;
/// it is not opened, because to close a file gives up every lock that the process has on it.
pub fn create_file(path: &Path) -> io::Result<()> {
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        create_folder(parent)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check(path),
        created => created.map(drop),
    }
}

/// Whether the file or folder is its owner's alone; the error says what to do.
pub fn check(path: &Path) -> io::Result<()> {
    let metadata = std::fs::metadata(path)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
        if mode & 0o077 != 0 {
            let cure = if metadata.is_dir() { 700 } else { 600 };
            let path = path.to_owned();
            let wide = Wide { path, mode, cure };
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, wide));
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::{check, create_file};
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_file_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/default.db");
        create_file(&path).unwrap();
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[test]
    fn a_file_that_is_there_keeps_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("default.db");
        create_file(&path).unwrap();
        std::fs::write(&path, b"kept").unwrap();
        create_file(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    }

    #[test]
    fn what_others_may_read_is_refused_with_the_cure() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("default.db");
        create_file(&path).unwrap();
        for mode in [0o640, 0o604, 0o602] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = create_file(&path).unwrap_err().to_string();
            let cure = format!("chmod 600 {}", path.display());
            assert!(error.contains(&cure), "{error}");
        }
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o750)).unwrap();
        let error = check(directory.path()).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }
}
