//! The files that a component may read: copies of those its manifest names, in a folder that the guest sees
//! as `/`. Comes in: what the manifest says and where it stands; goes out: a folder that is gone when nobody
//! has it any more. Never copies what is outside of the manifest's folder, by whatever way it is reached.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use glob::MatchOptions;
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::file::private;
use crate::manifest::{Files, Mount};

/// Why a component does not get its files.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is nothing of this name.
    #[error("`files` names {}, which is not there", .0.display())]
    Missing(PathBuf),
    /// A symbolic link.
    #[error(
        "`files` takes {}, which leads out of the manifest's folder to {}: copy it in, or name it in `exclude_files`",
        path.display(),
        target.display()
    )]
    Outside {
        /// The link, relative to the manifest's folder.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A file was to be a folder.
    #[error("`files` places the file {} at `/`: write the whole path that the component is to see", .0.display())]
    NoName(PathBuf),
    /// Two files, one place.
    #[error("`files` places {} and {} both at /{}", one.display(), other.display(), at.display())]
    Twice {
        /// One file.
        one: PathBuf,
        /// The other.
        other: PathBuf,
        /// What the guest is to see.
        at: PathBuf,
    },
    /// Too many.
    #[error("`files` comes to more than {0} files: name less, or raise `max_files`")]
    TooMany(usize),
    /// Too much.
    #[error("`files` comes to more than {0} bytes: name less, or raise `max_files_bytes`")]
    TooLarge(u64),
    /// The system says no.
    #[error("{} cannot be read or copied", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// As Spin has it: `*` stays in its folder, `**` goes below.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Where files come from and where copies go.
pub(super) struct Stage<'a> {
    /// The folder of the manifest.
    pub(super) folder: &'a Path,
    /// The host's folder, of which no guest sees anything, wherever it is.
    pub(super) state_dir: &'a Path,
    /// Where the folders of copies are made.
    pub(super) copies: &'a Path,
    /// How many files there may be.
    pub(super) most: usize,
    /// How many bytes they may have together.
    pub(super) most_bytes: u64,
}

impl Stage<'_> {
    /// A folder with the files; none for a component that names none.
    pub(super) fn copy(&self, files: &Files) -> Result<Option<TempDir>, FilesError> {
        if files.mounts.is_empty() {
            return Ok(None);
        }
        let wanted = self.collect(files)?;
        let copies = private::create_folder(self.copies)
            .and_then(|()| private_folder(self.copies))
            .map_err(io_error(self.copies))?;
        let mut left = self.most_bytes;
        for (to, from) in &wanted {
            let to = copies.path().join(to);
            let copied = copy(from, &to, left).map_err(io_error(from))?;
            left = left
                .checked_sub(copied)
                .ok_or(FilesError::TooLarge(self.most_bytes))?;
        }
        Ok(Some(copies))
    }

    /// What the guest is to see, and where it is.
    fn collect(&self, files: &Files) -> Result<BTreeMap<PathBuf, PathBuf>, FilesError> {
        let folder = if self.folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            self.folder
        };
        let mut collection = Collection {
            root: folder.canonicalize().map_err(io_error(folder))?,
            // It is there, unless this is a test.
            state_dir: self.state_dir.canonicalize().ok(),
            files,
            most: self.most,
            found: BTreeMap::new(),
        };
        for mount in &files.mounts {
            collection.mount(mount)?;
        }
        Ok(collection.found)
    }
}

/// The files of one component, as they are found.
struct Collection<'a> {
    root: PathBuf,
    state_dir: Option<PathBuf>,
    files: &'a Files,
    most: usize,
    found: BTreeMap<PathBuf, PathBuf>,
}

impl Collection<'_> {
    fn mount(&mut self, mount: &Mount) -> Result<(), FilesError> {
        match mount {
            Mount::Path(path) => self.path(path, path),
            Mount::Placed {
                source,
                destination,
            } => self.path(source, destination),
            Mount::Pattern(pattern) => {
                let whole = Path::new(pattern.as_str());
                let fixed = fixed(whole);
                let depth = match pattern.as_str().contains("**") {
                    true => usize::MAX,
                    false => whole.iter().count() - fixed.iter().count(),
                };
                let before = self.found.len();
                self.walk(&fixed, depth, &mut |path| {
                    pattern
                        .matches_path_with(path, OPTIONS)
                        .then(|| path.to_owned())
                })?;
                if self.found.len() == before {
                    tracing::warn!(
                        pattern = pattern.as_str(),
                        "`files` has a pattern that fits no file"
                    );
                }
                Ok(())
            }
        }
    }

    /// A file, or all files below a folder.
    fn path(&mut self, source: &Path, destination: &Path) -> Result<(), FilesError> {
        let place = self.root.join(source);
        let metadata = place.metadata();
        let metadata = metadata.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FilesError::Missing(source.to_owned()),
            _ => io_error(&place)(error),
        })?;
        if metadata.is_dir() {
            return self.walk(source, usize::MAX, &mut |path| {
                path.strip_prefix(source)
                    .ok()
                    .map(|below| destination.join(below))
            });
        }
        if destination.as_os_str().is_empty() {
            return Err(FilesError::NoName(source.to_owned()));
        }
        self.add(source, destination.to_owned())
    }

    /// Adds the files below a folder, no more than `depth` names below, that `place` finds a place for.
    fn walk(
        &mut self,
        folder: &Path,
        depth: usize,
        place: &mut dyn FnMut(&Path) -> Option<PathBuf>,
    ) -> Result<(), FilesError> {
        let base = self.root.join(folder);
        if !base.exists() {
            return Ok(());
        }
        let walk = WalkDir::new(&base).max_depth(depth).follow_links(true);
        let mut walk = walk.into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // A link that leads nowhere is no file.
                Err(error)
                    if error.io_error().map(io::Error::kind) == Some(io::ErrorKind::NotFound) =>
                {
                    continue;
                }
                Err(error) => {
                    let path = error.path().unwrap_or(&base).to_owned();
                    return Err(io_error(&path)(error.into()));
                }
            };
            let path = entry.path();
            let path = path.strip_prefix(&self.root).unwrap_or(path).to_owned();
            if entry.file_type().is_dir() {
                if entry.depth() < depth && !self.enters(&path)? {
                    walk.skip_current_dir();
                }
            } else if entry.file_type().is_file()
                && let Some(to) = place(&path)
            {
                self.add(&path, to)?;
            }
        }
        Ok(())
    }

    /// Whether files are looked for in this folder.
    fn enters(&self, path: &Path) -> Result<bool, FilesError> {
        Ok(!self.is_excluded(path) && self.real(path)?.is_some())
    }

    fn add(&mut self, path: &Path, to: PathBuf) -> Result<(), FilesError> {
        if self.is_excluded(path) {
            return Ok(());
        }
        let Some(real) = self.real(path)? else {
            return Ok(());
        };
        if let Some(other) = self.found.get(&to)
            && *other != real
        {
            let shown = other.strip_prefix(&self.root).unwrap_or(other);
            return Err(FilesError::Twice {
                one: shown.to_owned(),
                other: path.to_owned(),
                at: to,
            });
        }
        self.found.insert(to, real);
        if self.found.len() > self.most {
            return Err(FilesError::TooMany(self.most));
        }
        Ok(())
    }

    fn is_excluded(&self, path: &Path) -> bool {
        let exclude = &self.files.exclude;
        exclude.iter().any(|pattern| pattern.matches_path(path))
    }

    /// Where a path of the manifest's folder leads; none if that is the host's own folder.
    fn real(&self, path: &Path) -> Result<Option<PathBuf>, FilesError> {
        let place = self.root.join(path);
        let real = place.canonicalize().map_err(io_error(&place))?;
        if !real.starts_with(&self.root) {
            return Err(FilesError::Outside {
                path: path.to_owned(),
                target: real,
            });
        }
        let is_ours = |ours: &PathBuf| real.starts_with(ours);
        Ok((!self.state_dir.as_ref().is_some_and(is_ours)).then_some(real))
    }
}

/// The folder that all files of a pattern are below: its parts before the first with a wildcard.
fn fixed(pattern: &Path) -> PathBuf {
    let plain = |part: &&std::ffi::OsStr| !part.to_string_lossy().contains(['*', '?', '[']);
    pattern.iter().take_while(plain).collect()
}

fn private_folder(beside: &Path) -> io::Result<TempDir> {
    let mut folder = tempfile::Builder::new();
    folder.permissions(PermissionsExt::from_mode(0o700));
    folder.tempdir_in(beside)
}

/// Copies at most one byte more than `left`. A copy is its owner's alone, and as old as its original.
fn copy(from: &Path, to: &Path, left: u64) -> io::Result<u64> {
    private::create_file(to)?;
    let source = File::open(from)?;
    let mut target = OpenOptions::new().write(true).open(to)?;
    let modified = source.metadata()?.modified();
    let copied = io::copy(&mut source.take(left.saturating_add(1)), &mut target)?;
    if let Ok(modified) = modified {
        target.set_modified(modified)?;
    }
    Ok(copied)
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> FilesError {
    move |source| FilesError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[path = "tests/files.rs"]
mod tests;
