//! Compiled components on disk, so that a warm start compiles nothing. Comes in: component bytes; goes
//! out: a compiled component. Keyed by content and by everything the Engine's compiler depends on.
//! Never trusts an entry: it lives in a folder that only its owner can write, and its digest is
//! checked before its code is loaded. What does not hold is compiled again and replaced.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Where a component came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Compiled now; how long it took.
    Compiled(Duration),
    /// Loaded from the cache.
    Cached,
}

/// A folder of compiled components.
#[derive(Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

/// The digest in front of the code.
const DIGEST: usize = 32;

impl Cache {
    /// No cache: everything is compiled at each start.
    pub fn none() -> Self {
        Self { folder: None }
    }

    /// Opens the folder, makes it if needed. A folder that others can write is refused: whoever writes
    /// there chooses the machine code that the host runs.
    pub fn open(folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let meta = fs::metadata(folder)?;
        // A file just made by this process shows who this process is, without asking the C library.
        let probe = tempfile::Builder::new()
            .prefix(".owner")
            .tempfile_in(folder)?;
        let me = probe.as_file().metadata()?.uid();
        if meta.uid() != me {
            let message = format!(
                "{} belongs to another user: choose another folder with SIGNET_CACHE_DIR",
                folder.display()
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        if meta.mode() & 0o022 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "{} can be written by others: empty it and run `chmod 700 {0}`, or choose another folder with SIGNET_CACHE_DIR",
                    folder.display()
                ),
            ));
        }
        Ok(Self {
            folder: Some(folder.to_owned()),
        })
    }

    /// The compiled form of `bytes`, from the cache if it holds there, compiled otherwise.
    pub fn load(
        &self,
        engine: &Engine,
        name: &str,
        bytes: &[u8],
    ) -> wasmtime::Result<(Component, Origin)> {
        let path = self
            .folder
            .as_ref()
            .map(|folder| folder.join(entry_name(engine, bytes)));
        if let Some(path) = &path {
            match read(engine, path) {
                Ok(Some(component)) => {
                    tracing::debug!(component = name, "loaded from the cache");
                    return Ok((component, Origin::Cached));
                }
                Ok(None) => {}
                Err(reason) => tracing::warn!(
                    component = name, entry = %path.display(), %reason,
                    "the cache entry does not hold, compiling again"
                ),
            }
        }
        let started = Instant::now();
        let component = Component::new(engine, bytes)?;
        let took = started.elapsed();
        tracing::info!(component = name, ms = took.as_millis() as u64, "compiled");
        if let Some(path) = &path
            && let Err(reason) = write(path, &component)
        {
            tracing::warn!(component = name, entry = %path.display(), %reason, "the compiled code was not kept");
        }
        Ok((component, Origin::Compiled(took)))
    }
}

fn entry_name(engine: &Engine, bytes: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(bytes);
    format!("{}.cwasm", hex(&hasher.0.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lets `Hash` feed SHA-256, so that the file's name does not depend on the standard library's hasher.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    }
}

fn read(engine: &Engine, path: &Path) -> wasmtime::Result<Option<Component>> {
    let file = match fs::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some((digest, code)) = file.split_at_checked(DIGEST) else {
        wasmtime::bail!("the file is too short");
    };
    wasmtime::ensure!(
        digest_of(path, code).as_slice() == digest,
        "the digest differs"
    );
    #[expect(unsafe_code, reason = "the one place that loads compiled code")]
    // SAFETY: the code was written by `write` below from a component that this host compiled: the
    // folder admits no other writer (checked in `open`) and the digest shows that nothing changed
    // since. Wasmtime itself checks that its version and settings are those of this Engine.
    let component = unsafe { Component::deserialize(engine, code)? };
    Ok(Some(component))
}

/// The digest of an entry: of its name too, so that an entry cannot stand for another.
fn digest_of(path: &Path, code: &[u8]) -> [u8; DIGEST] {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    Sha256::new()
        .chain_update(name)
        .chain_update(code)
        .finalize()
        .into()
}

fn write(path: &Path, component: &Component) -> wasmtime::Result<()> {
    let code = component.serialize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // Under another name first: a start that dies half-way leaves no half entry. Temporary files are
    // readable by their owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&digest_of(path, &code))?;
    file.write_all(&code)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn component() -> Vec<u8> {
        wat::parse_str("(component (core module (func (export \"f\"))))").unwrap()
    }

    fn load(folder: &Path) -> Origin {
        let engine = Engine::default();
        Cache::open(folder)
            .unwrap()
            .load(&engine, "test", &component())
            .unwrap()
            .1
    }

    fn entry(folder: &Path) -> PathBuf {
        fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .find(|p| p.extension().is_some())
            .unwrap()
    }

    #[test]
    fn second_load_compiles_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(load(folder.path()), Origin::Compiled(_)));
        assert_eq!(load(folder.path()), Origin::Cached);
    }

    #[test]
    fn corrupt_entry_is_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        load(folder.path());
        for damage in [&b""[..], b"short", &[7; 4096]] {
            fs::write(entry(folder.path()), damage).unwrap();
            assert!(matches!(load(folder.path()), Origin::Compiled(_)));
            assert_eq!(load(folder.path()), Origin::Cached);
        }
        let mut flipped = fs::read(entry(folder.path())).unwrap();
        *flipped.last_mut().unwrap() ^= 1;
        fs::write(entry(folder.path()), flipped).unwrap();
        assert!(matches!(load(folder.path()), Origin::Compiled(_)));
    }

    #[test]
    fn folder_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::open(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
