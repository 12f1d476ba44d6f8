//! What the cache keeps, what it refuses to take, and what goes.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn component() -> Vec<u8> {
    wat::parse_str("(component (core module (func (export \"f\"))))").unwrap()
}

fn load(folder: &Path) -> Origin {
    origin(&Cache::open(folder).unwrap(), &component())
}

fn origin(cache: &Cache, bytes: &[u8]) -> Origin {
    cache.load(&Engine::default(), "test", bytes).unwrap().1
}

fn numbered(number: u32) -> Vec<u8> {
    let text = format!("(component (core module (func (result i32) i32.const {number})))");
    wat::parse_str(text).unwrap()
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

#[test]
fn what_was_not_used_for_the_longest_time_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::default();
    let filled = Cache::open(folder.path()).unwrap();
    let all: Vec<_> = (0..4).map(numbered).collect();
    let mut now = SystemTime::now();
    for bytes in &all {
        origin(&filled, bytes);
        let entry = File::open(filled.entry(&engine, bytes).unwrap()).unwrap();
        // Each a day after the one before.
        entry.set_modified(now).unwrap();
        now += Duration::from_secs(86_400);
    }
    let size = filled.kept(&engine, &all[0]).unwrap();
    // The first is used again, by a host that is there when the folder is pruned.
    let cache = Cache::open(folder.path()).unwrap();
    assert_eq!(origin(&cache, &all[0]), Origin::Cached);
    cache.prune(4 * size);
    assert!(all.iter().all(|bytes| cache.kept(&engine, bytes).is_some()));
    cache.prune(2 * size);
    let left = all.iter().map(|bytes| cache.kept(&engine, bytes).is_some());
    assert_eq!(left.collect::<Vec<_>>(), [true, false, false, true]);
    cache.prune(0);
    let left = all.iter().map(|bytes| cache.kept(&engine, bytes).is_some());
    assert_eq!(left.collect::<Vec<_>>(), [true, false, false, false]);
}

#[test]
fn loading_an_entry_is_using_it() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path());
    let path = entry(folder.path());
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    File::open(&path).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(load(folder.path()), Origin::Cached);
    let used_at = fs::metadata(&path).unwrap().modified().unwrap();
    assert!(used_at > long_ago);
}

#[test]
fn what_was_left_half_written_goes() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| {
        let path = folder.path().join(format!("{}{name}", UNFINISHED.0));
        fs::write(&path, "half").unwrap();
        path
    });
    let long_ago = SystemTime::UNIX_EPOCH;
    File::open(&old).unwrap().set_modified(long_ago).unwrap();
    Cache::open(folder.path()).unwrap().prune(BOUND);
    assert!(!old.exists() && new.exists());
}

#[test]
fn an_entry_that_is_removed_goes_on_working() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, bytes) = (Engine::default(), component());
    load(folder.path());
    let cache = Cache::open(folder.path()).unwrap();
    let (component, origin) = cache.load(&engine, "test", &bytes).unwrap();
    assert_eq!(origin, Origin::Cached);
    fs::remove_file(entry(folder.path())).unwrap();
    assert!(component.serialize().is_ok());
}
