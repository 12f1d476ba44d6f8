//! The laws of backup and restore, without a host: what is whole, what is refused, what is private.

use super::*;

/// A state folder with a value in it.
fn state(folder: &Path, value: &str) -> PathBuf {
    let state = folder.join(format!("state {value}"));
    write_private(&state.join("variables/token"), value.as_bytes()).unwrap();
    state
}

fn token(state: &Path) -> String {
    std::fs::read_to_string(state.join("variables/token")).unwrap()
}

#[test]
fn what_was_backed_up_is_restored_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let (target, new) = (folder.path().join("backup"), folder.path().join("new"));
    assert_eq!(backup(&state(folder.path(), "one"), &target).unwrap(), 1);
    assert_eq!(restore(&target, &new, false).unwrap(), 1);
    assert_eq!(token(&new), "one");
    for path in [&target, &new] {
        for_each(path, &mut private::check).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    StateDir::open(&new).unwrap();
}

#[test]
fn a_backup_is_not_written_over_anything() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(folder.path(), "one");
    for taken in [folder.path().to_owned(), state.join("variables/token")] {
        let error = backup(&state, &taken).unwrap_err();
        let expected = matches!(error.downcast_ref(), Some(BackupError::TargetExists(_)));
        assert!(expected, "{error:#}");
    }
    let error = backup(&state, &state.join("backup")).unwrap_err();
    let expected = matches!(error.downcast_ref(), Some(BackupError::TargetInside(_)));
    assert!(expected, "{error:#}");
    let error = backup(&folder.path().join("absent"), &folder.path().join("new")).unwrap_err();
    let expected = matches!(error.downcast_ref(), Some(BackupError::NoState(_)));
    assert!(expected, "{error:#}");
}

#[test]
fn state_is_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("backup");
    backup(&state(folder.path(), "one"), &target).unwrap();
    let state = state(folder.path(), "two");
    write_private(&state.join("app/left"), b"").unwrap();
    let error = restore(&target, &state, false).unwrap_err();
    let expected = matches!(error.downcast_ref(), Some(BackupError::StateExists(_)));
    assert!(expected, "{error:#}");
    assert_eq!(token(&state), "two");
    restore(&target, &state, true).unwrap();
    assert_eq!(token(&state), "one");
    assert!(!state.join("app").exists());
}

#[test]
fn state_that_a_host_uses_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("backup");
    let state = state(folder.path(), "one");
    backup(&state, &target).unwrap();
    let host = StateDir::open(&state).unwrap();
    let error = restore(&target, &state, true).unwrap_err();
    assert!(
        format!("{error:#}").contains("in use by process"),
        "{error:#}"
    );
    drop(host);
    restore(&target, &state, true).unwrap();
}

#[test]
fn a_backup_that_is_not_whole_is_refused_and_the_state_stays() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(folder.path(), "one");
    let target = folder.path().join("backup");
    backup(&state, &target).unwrap();
    let spoil = |file: &str, content: &[u8]| {
        let path = target.join(file);
        let kept = std::fs::read(&path).unwrap();
        std::fs::write(&path, content).unwrap();
        let error = restore(&target, &state, true).unwrap_err();
        let expected = matches!(error.downcast_ref(), Some(BackupError::NotWhole { .. }));
        assert!(expected, "{error:#}");
        assert_eq!(token(&state), "one");
        std::fs::write(&path, kept).unwrap();
    };
    spoil("variables/token", b"other");
    spoil(SUMS, b"no list");
    spoil(SUMS, b"00  ../outside");
    restore(&target, &state, true).unwrap();
}

#[test]
fn a_restore_that_was_interrupted_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(folder.path(), "one");
    let target = folder.path().join("backup");
    backup(&state, &target).unwrap();
    std::fs::write(state.join(".restoring"), "").unwrap();
    assert!(StateDir::open(&state).is_err());
    restore(&target, &state, true).unwrap();
    StateDir::open(&state).unwrap();
}
