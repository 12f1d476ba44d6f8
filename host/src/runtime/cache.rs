//! Compiled components on disk, so that a warm start compiles nothing. Comes in: component bytes; goes
//! out: a compiled component. Keyed by content and by everything the Engine's compiler depends on.
//! Never trusts an entry: it lives in a folder that only its owner can write, and its digest is
//! checked before its code is loaded. What does not hold is compiled again and replaced. What was not
//! used for the longest time goes when there is too much.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

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
    /// The entries that were taken from it or put into it.
    used: Mutex<BTreeSet<PathBuf>>,
}

/// The digest behind the code, which is mapped into memory from the beginning of the file.
const DIGEST: usize = 32;

/// How many bytes of entries a folder keeps.
pub const BOUND: u64 = 2 << 30;

/// What a file is called while it is written, and the age at which nobody writes it any more.
const UNFINISHED: (&str, Duration) = (".unfinished", Duration::from_secs(3600));

impl Cache {
    /// No cache: everything is compiled at each start.
    pub fn none() -> Self {
        Self {
            folder: None,
            used: Mutex::default(),
        }
    }

    /// Opens the folder, makes it if needed. A folder that others can write is refused: whoever writes
    /// there chooses the machine code that the host runs. One that only the administrator can write is
    /// read; it may have been filled ahead.
    pub fn open(folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
        if !folder.is_dir() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let meta = fs::metadata(folder)?;
        let me = rustix::process::geteuid().as_raw();
        if meta.uid() != me && meta.uid() != ADMINISTRATOR {
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
            used: Mutex::default(),
        })
    }

    /// The compiled form of `bytes`, from the cache if it holds there, compiled otherwise.
    pub fn load(
        &self,
        engine: &Engine,
        name: &str,
        bytes: &[u8],
    ) -> wasmtime::Result<(Component, Origin)> {
        let path = self.entry(engine, bytes);
        if let Some(path) = &path {
            self.used().insert(path.clone());
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

    /// How large the entry for `bytes` is, if there is one.
    pub fn kept(&self, engine: &Engine, bytes: &[u8]) -> Option<u64> {
        let meta = fs::metadata(self.entry(engine, bytes)?).ok()?;
        Some(meta.len())
    }

    /// Removes entries until the others have no more than `bound` bytes: first those that were not used
    /// for the longest time, and never one that this cache has used itself. Whoever else uses one has it
    /// in memory, and compiles it again at the next start.
    pub fn prune(&self, bound: u64) {
        let Some(folder) = &self.folder else { return };
        let mut entries = entries(folder);
        let mut size: u64 = entries.iter().map(|entry| entry.size).sum();
        entries.sort_by_key(|entry| entry.used_at);
        for entry in entries {
            if size <= bound {
                break;
            }
            if self.used().contains(&entry.path) {
                continue;
            }
            if let Err(reason) = fs::remove_file(&entry.path) {
                tracing::debug!(entry = %entry.path.display(), %reason, "an entry could not be removed");
                continue;
            }
            size -= entry.size;
            tracing::debug!(entry = %entry.path.display(), "an entry was removed: the cache had grown too large");
        }
    }

    fn entry(&self, engine: &Engine, bytes: &[u8]) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.join(entry_name(engine, bytes)))
    }

    fn used(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The user who can write everything anyway.
const ADMINISTRATOR: u32 = 0;

/// A file of the folder.
struct Entry {
    path: PathBuf,
    size: u64,
    used_at: SystemTime,
}

/// The entries of a folder. On the way, what a host left half written that died is removed.
fn entries(folder: &Path) -> Vec<Entry> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, Ok(meta)) = (entry.path(), entry.metadata()) else {
            continue;
        };
        let used_at = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        if path.extension().is_some_and(|kind| kind == EXTENSION) {
            let size = meta.len();
            found.push(Entry {
                path,
                size,
                used_at,
            });
        } else if entry
            .file_name()
            .to_string_lossy()
            .starts_with(UNFINISHED.0)
            && used_at.elapsed().is_ok_and(|age| age > UNFINISHED.1)
        {
            let _ = fs::remove_file(path);
        }
    }
    found
}

/// How an entry's name ends.
const EXTENSION: &str = "cwasm";

/// The form of an entry: part of its name, so that entries of another form are not looked at.
const FORM: &[u8] = b"code, digest";

fn entry_name(engine: &Engine, bytes: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(FORM);
    hasher.0.update(bytes);
    format!("{}.{EXTENSION}", hex(&hasher.0.finalize()))
}

/// Bytes as lower-case hexadecimal digits, as digests are written.
pub fn hex(bytes: &[u8]) -> String {
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
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(code) = file.metadata()?.len().checked_sub(DIGEST as u64) else {
        wasmtime::bail!("the file is too short");
    };
    let found = digest_of(path, &mut (&mut file).take(code))?;
    let mut kept = [0; DIGEST];
    file.read_exact(&mut kept)?;
    wasmtime::ensure!(found == kept, "the digest differs");
    // When it was used, for whoever prunes. A folder filled ahead may be another's to write.
    let _ = file.set_modified(SystemTime::now());
    #[expect(unsafe_code, reason = "the one place that loads compiled code")]
    // SAFETY: the code was written by `write` below from a component that this host compiled: the
    // folder admits no other writer (checked in `open`), the digest shows that nothing changed since,
    // and entries are replaced and removed, never changed. Wasmtime itself checks that its version and
    // settings are those of this Engine. The file is mapped: what no guest uses is not even read.
    let mapped = unsafe { Component::deserialize_file(engine, path) };
    mapped.map(Some).or_else(|reason| {
        // Where nothing on a file system may be executed, code is not mapped from it.
        tracing::debug!(entry = %path.display(), %reason, "the entry could not be mapped");
        let code = fs::read(path)?;
        #[expect(unsafe_code, reason = "the one place that loads compiled code")]
        // SAFETY: as above.
        let copied = unsafe { Component::deserialize(engine, code)? };
        Ok(Some(copied))
    })
}

/// The digest of an entry: of its name too, so that an entry cannot stand for another.
fn digest_of(path: &Path, code: &mut impl io::Read) -> io::Result<[u8; DIGEST]> {
    let mut hasher = Sha256::new();
    hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    let mut piece = vec![0; 1 << 18];
    loop {
        match code.read(&mut piece)? {
            0 => return Ok(hasher.finalize().into()),
            read => hasher.update(&piece[..read]),
        }
    }
}

fn write(path: &Path, component: &Component) -> wasmtime::Result<()> {
    let code = component.serialize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // Under another name first: a start that dies half-way leaves no half entry. Temporary files are
    // readable by their owner alone.
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED.0)
        .tempfile_in(folder)?;
    file.write_all(&code)?;
    file.write_all(&digest_of(path, &mut code.as_slice())?)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
#[path = "tests/cache.rs"]
mod tests;
