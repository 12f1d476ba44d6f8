//! Which files have changed, by looking at them again and again. Comes in: paths; goes out: those whose
//! content is another one since they were last reported. Works on every file system, shared folders of
//! containers among them, where the system's own notices do not. Never reads a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// What tells one content of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    modified: Option<SystemTime>,
    length: u64,
    /// Another one if the file was written beside its place and moved there.
    inode: u64,
}

/// Looks at files.
#[derive(Debug, Default)]
pub(in crate::app) struct Looks {
    /// As they were when they were reported.
    reported: BTreeMap<PathBuf, Option<Print>>,
    /// As they were at the last look.
    seen: BTreeMap<PathBuf, Option<Print>>,
}

impl Looks {
    /// From here on, files that are not known yet are taken as they are.
    pub(super) fn note(&mut self, paths: BTreeSet<PathBuf>) {
        self.reported.retain(|path, _| paths.contains(path));
        for path in paths {
            let now = print(&path);
            self.reported.entry(path).or_insert(now);
        }
    }

    /// As [`note`](Self::note), but a file that is not known yet counts as changed.
    pub(super) fn expect(&mut self, paths: BTreeSet<PathBuf>) {
        self.reported.retain(|path, _| paths.contains(path));
        for path in paths {
            self.reported.entry(path).or_insert(None);
        }
    }

    /// The files that changed since they were reported or noted. While any of them still changes from one
    /// look to the next, none is reported: somebody is writing, and what belongs together comes together.
    /// A file that is not there is being replaced: it is reported when it is back.
    pub(super) fn changed(&mut self) -> BTreeSet<PathBuf> {
        let paths = self.reported.keys().cloned();
        let now: BTreeMap<_, _> = paths.map(|path| (path.clone(), print(&path))).collect();
        let before = std::mem::replace(&mut self.seen, now);
        let is_new = |(path, now): &(&PathBuf, &Option<Print>)| {
            now.is_some() && self.reported.get(*path) != Some(*now)
        };
        let changed: Vec<_> = self.seen.iter().filter(is_new).collect();
        if changed
            .iter()
            .any(|(path, now)| before.get(*path) != Some(*now))
        {
            return BTreeSet::new();
        }
        let changed: BTreeSet<_> = changed.into_iter().map(|(path, _)| path.clone()).collect();
        for path in &changed {
            self.reported.insert(path.clone(), self.seen[path]);
        }
        changed
    }
}

fn print(path: &std::path::Path) -> Option<Print> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = fs::metadata(path).ok()?;
    Some(Print {
        modified: meta.modified().ok(),
        length: meta.len(),
        inode: meta.ino(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &std::path::Path) -> (Looks, BTreeSet<PathBuf>) {
        let paths = BTreeSet::from([path.to_owned()]);
        let mut looks = Looks::default();
        looks.note(paths.clone());
        (looks, paths)
    }

    #[test]
    fn a_change_is_reported_once_when_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        fs::write(&path, "one").unwrap();
        let (mut looks, all) = one(&path);
        assert!(looks.changed().is_empty());
        fs::write(&path, "half").unwrap();
        assert!(looks.changed().is_empty(), "it was just written");
        fs::write(&path, "half and half").unwrap();
        assert!(looks.changed().is_empty(), "it was written again");
        assert_eq!(looks.changed(), all);
        assert!(looks.changed().is_empty(), "it was reported");
    }

    #[test]
    fn a_file_that_is_away_is_reported_when_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        fs::write(&path, "one").unwrap();
        let (mut looks, all) = one(&path);
        fs::remove_file(&path).unwrap();
        assert!(looks.changed().is_empty());
        assert!(looks.changed().is_empty());
        fs::write(&path, "two, longer").unwrap();
        assert!(looks.changed().is_empty());
        assert_eq!(looks.changed(), all);
    }

    #[test]
    fn what_is_written_together_is_reported_together() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.wasm", "b.wasm"].map(|name| folder.path().join(name));
        let mut looks = Looks::default();
        looks.note(paths.iter().cloned().collect());
        fs::write(&paths[0], "one").unwrap();
        assert!(looks.changed().is_empty());
        fs::write(&paths[1], "one").unwrap();
        assert!(looks.changed().is_empty(), "the second is not at rest");
        assert_eq!(looks.changed().len(), 2);
    }

    #[test]
    fn a_file_that_was_not_there_is_reported_where_it_is_expected() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "one").unwrap();
        let (mut looks, mut all) = one(&old);
        fs::write(&new, "one").unwrap();
        all.insert(new.clone());
        looks.expect(all);
        assert!(looks.changed().is_empty(), "it was just written");
        assert_eq!(looks.changed(), BTreeSet::from([new]));
    }

    #[test]
    fn a_file_that_is_moved_into_place_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, beside) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "one").unwrap();
        let (mut looks, all) = one(&path);
        fs::write(&beside, "two").unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        fs::File::open(&beside).unwrap().set_modified(time).unwrap();
        fs::rename(&beside, &path).unwrap();
        assert!(looks.changed().is_empty());
        assert_eq!(looks.changed(), all);
    }
}
