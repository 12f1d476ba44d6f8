//! The laws of staging: what is taken, where it lands, what is refused.

use std::os::unix::fs::symlink;

use super::*;
use crate::manifest::read_app;

/// A folder with files in it, each with its own name as its content.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file).unwrap();
    }
    folder
}

fn stage(folder: &Path, lines: &str, most: usize, most_bytes: u64) -> Result<TempDir, FilesError> {
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"t\"\n[[trigger.http]]\nroute = \"/...\"\n\
         component = \"a\"\n[component.a]\nsource = \"a.wasm\"\n{lines}\n"
    );
    let app = read_app(&text, &folder.join("spin.toml")).unwrap();
    let state_dir = folder.join(".signet");
    private::create_folder(&state_dir).unwrap();
    let stage = Stage {
        folder,
        state_dir: &state_dir,
        copies: &state_dir.join(".files"),
        most,
        most_bytes,
    };
    Ok(stage.copy(&app.components[0].files)?.unwrap())
}

/// The files of a folder: where each is, and what is in it.
fn listing(folder: &Path) -> Vec<String> {
    let files = WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = files
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let line = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(folder).unwrap().display();
        format!("{path}: {}", std::fs::read_to_string(entry.path()).unwrap())
    };
    files.map(line).collect()
}

fn taken(folder: &Path, lines: &str) -> Vec<String> {
    listing(stage(folder, lines, 100, 10_000).unwrap().path())
}

fn refused(folder: &Path, lines: &str) -> String {
    stage(folder, lines, 100, 10_000).unwrap_err().to_string()
}

#[test]
fn patterns_keep_paths_and_places_move_them() {
    let folder = folder(&[
        "a.txt",
        "static/b.css",
        "static/in/c.css",
        "static/in/.d",
        "other/e",
    ]);
    let folder = folder.path();
    assert_eq!(
        taken(folder, "files = [\"static/*\"]"),
        ["static/b.css: static/b.css"]
    );
    assert_eq!(
        taken(folder, "files = [\"./static/**/*\", \"a.txt\"]"),
        [
            "a.txt: a.txt",
            "static/b.css: static/b.css",
            "static/in/.d: static/in/.d",
            "static/in/c.css: static/in/c.css"
        ]
    );
    assert_eq!(taken(folder, "files = [\"static/in/\"]").len(), 2);
    assert_eq!(
        taken(
            folder,
            "files = [{ source = \"static\", destination = \"/\" }, { source = \"a.txt\", destination = \"/x/y\" }]"
        ),
        [
            "b.css: static/b.css",
            "in/.d: static/in/.d",
            "in/c.css: static/in/c.css",
            "x/y: a.txt"
        ]
    );
    assert_eq!(
        taken(
            folder,
            "files = [\"**/*\"]\nexclude_files = [\"static/*\", \"a.*\"]"
        ),
        ["other/e: other/e"],
        "a star of exclude_files goes over slashes, and the state folder is nobody's"
    );
    assert!(taken(folder, "files = [\".signet/**/*\", \"nothing/*\"]").is_empty());
}

#[test]
fn copies_are_their_owners_alone_and_gone_with_the_last_who_has_them() {
    let folder = folder(&["a"]);
    let copies = stage(folder.path(), "files = [\"a\"]", 1, 1).unwrap();
    private::check(copies.path()).unwrap();
    private::check(&copies.path().join("a")).unwrap();
    let path = copies.path().to_owned();
    drop(copies);
    assert!(!path.exists());
}

#[test]
fn links_are_followed_inside_and_refused_outside() {
    let folder = folder(&["in/a", "b/c"]);
    let folder = folder.path();
    let outside = self::folder(&["secret"]);
    symlink("../b/c", folder.join("in/file")).unwrap();
    symlink("../b", folder.join("in/folder")).unwrap();
    symlink("nowhere", folder.join("in/broken")).unwrap();
    assert_eq!(
        taken(folder, "files = [\"in/**/*\"]"),
        ["in/a: in/a", "in/file: b/c", "in/folder/c: b/c"]
    );
    symlink(outside.path().join("secret"), folder.join("b/file")).unwrap();
    symlink(outside.path(), folder.join("b/folder")).unwrap();
    for entry in [
        "\"b/file\"",
        "\"b/folder/secret\"",
        "\"b/folder\"",
        "\"b/f*\"",
        "\"b/folder/*\"",
        "\"**/*\"",
    ] {
        let words = refused(folder, &format!("files = [{entry}]"));
        assert!(
            words.contains("leads out of the manifest's folder"),
            "{entry}: {words}"
        );
    }
    // Who does not ask for it does not meet it.
    assert_eq!(taken(folder, "files = [\"b/c*\"]"), ["b/c: b/c"]);
    let without = "files = [\"b/**/*\"]\nexclude_files = [\"b/file\", \"b/folder\"]";
    assert_eq!(taken(folder, without), ["b/c: b/c"]);
    symlink("..", folder.join("in/round")).unwrap();
    assert!(refused(folder, "files = [\"in/**/*\"]").contains("in/round"));
}

#[test]
fn there_is_a_limit_to_files_and_bytes() {
    let folder = folder(&["a", "b", "c"]);
    let all = "files = [\"?\"]";
    assert!(stage(folder.path(), all, 3, 3).is_ok());
    let words = stage(folder.path(), all, 2, 3).unwrap_err().to_string();
    assert!(words.contains("more than 2 files"), "{words}");
    let words = stage(folder.path(), all, 3, 2).unwrap_err().to_string();
    assert!(words.contains("more than 2 bytes"), "{words}");
}

#[test]
fn what_cannot_be_placed_is_said() {
    let folder = folder(&["a", "b"]);
    for (lines, part) in [
        ("files = [\"c\"]", "names c, which is not there"),
        (
            "files = [{ source = \"c\", destination = \"/\" }]",
            "names c, which is not there",
        ),
        (
            "files = [{ source = \"a\", destination = \"/\" }]",
            "the file a at `/`",
        ),
        (
            "files = [\"a\", { source = \"b\", destination = \"/a\" }]",
            "a and b both at /a",
        ),
    ] {
        let words = refused(folder.path(), lines);
        assert!(words.contains(part), "{lines}: {words}");
    }
}
