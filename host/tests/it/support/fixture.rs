//! The components that only tests and benchmarks use, built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// The component of a test guest. All of them are built when one is first asked for.
pub(crate) fn fixture(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let packages = fixtures().into_iter();
        let named = packages.flat_map(|package| ["--package".to_owned(), package]);
        build(&named.collect::<Vec<_>>())
    });
    folder.join(format!("{}.wasm", name.replace('-', "_")))
}

/// Builds guests and gives the folder with their components.
pub(crate) fn build(arguments: &[String]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root())
        .args(["build", "--profile", "guest", "--target", "wasm32-wasip2"]);
    for variable in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        cargo.env_remove(variable);
    }
    cargo.args(arguments);
    let status = cargo.arg("--target-dir").arg(&target).status().unwrap();
    assert!(status.success(), "the test guests do not compile");
    target.join("wasm32-wasip2/guest")
}

/// The packages of the test guests: one for each folder that has one.
fn fixtures() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("host/tests/fixture")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().path());
    folders
        .filter(|folder| folder.join("Cargo.toml").exists())
        .map(|folder| format!("fixture-{}", folder.file_name().unwrap().to_string_lossy()))
        .collect()
}
