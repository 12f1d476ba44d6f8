//! What `signet check` says of manifests: each `manifests/NAME.toml` has a `manifests/NAME.txt` with what is
//! printed and the exit code. `SIGNET_BLESS=1 cargo test -p signet --test it manifests` writes what is said now;
//! `git diff` then shows whether it reads well.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::signet;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/manifests")
}

/// The files of the folder with this ending, in order.
fn files(ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    files
}

/// What is said of the manifest, as a person in its folder sees it.
fn said(manifest: &Path) -> String {
    let output = signet()
        .arg("check")
        .arg(manifest.file_name().unwrap())
        .current_dir(folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let mut said = String::from_utf8(output.stderr).unwrap();
    said += &String::from_utf8(output.stdout).unwrap();
    writeln!(said, "exit code {}", output.status.code().unwrap()).unwrap();
    said
}

#[test]
fn each_manifest_is_judged_as_its_text_says() {
    let bless = std::env::var_os("SIGNET_BLESS").is_some();
    let mut other = String::new();
    let manifests = files("toml");
    for manifest in &manifests {
        let (said, file) = (said(manifest), manifest.with_extension("txt"));
        if bless {
            std::fs::write(&file, said).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != said {
            writeln!(other, "{} is not what is said:\n{said}", file.display()).unwrap();
        }
    }
    assert!(other.is_empty(), "{other}");
    assert!(manifests.len() >= 25, "only {} manifests", manifests.len());
    assert_eq!(
        files("txt").len(),
        manifests.len(),
        "a text has no manifest"
    );
}

#[test]
fn what_is_valid_is_valid_and_what_is_a_warning_is_no_mistake() {
    for manifest in files("toml") {
        let name = manifest.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(manifest.with_extension("txt")).unwrap();
        let (good, warns) = (text.ends_with("exit code 0\n"), text.contains("warning: "));
        let expected = match name.split('-').next() {
            Some("valid") => (true, false),
            Some("warning") => (true, true),
            _ => (false, false),
        };
        assert_eq!((good, warns), expected, "{name}:\n{text}");
    }
}
