//! Builds the three guests for wasm32-wasip2 and embeds them: `signet` runs with no file beside it.
//!
//! The guests have a target folder of their own, `guests` in the host's, so that both profiles of the
//! host share one build of them. `SIGNET_GUESTS=DIR` uses `hmac.wasm`, `producer.wasm` and
//! `consumer.wasm` from a folder instead and builds nothing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
/// SIMD, a part of WebAssembly 2.0: SHA-256 takes two thirds of the time with it (docs/performance.md).
const FLAGS: &str = "-Ctarget-feature=+simd128";
const GUESTS: [&str; 3] = ["hmac", "producer", "consumer"];

fn main() {
    println!("cargo::rerun-if-env-changed=SIGNET_GUESTS");
    let root = PathBuf::from(required("CARGO_MANIFEST_DIR")).join("..");
    let built = match env::var_os("SIGNET_GUESTS") {
        // A relative folder is meant from where the project is.
        Some(folder) => prebuilt(root.join(folder)),
        None => build(&root),
    };
    let out = PathBuf::from(required("OUT_DIR"));
    for guest in GUESTS {
        let file = built.join(format!("{guest}.wasm"));
        if let Err(error) = fs::copy(&file, out.join(format!("{guest}.wasm"))) {
            fail(&format!("{} cannot be read: {error}", file.display()));
        }
    }
}

/// A folder of components that somebody else built.
fn prebuilt(folder: PathBuf) -> PathBuf {
    for guest in GUESTS {
        println!(
            "cargo::rerun-if-changed={}",
            folder.join(format!("{guest}.wasm")).display()
        );
    }
    folder
}

/// Builds the guests with a nested cargo and returns the folder with their components.
fn build(root: &Path) -> PathBuf {
    for path in ["Cargo.toml", "Cargo.lock", "wit"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    for guest in GUESTS {
        // Not the whole folder: a manifest or a migration beside the source rebuilds nothing.
        let package = root.join(format!("guest-{guest}"));
        println!(
            "cargo::rerun-if-changed={}",
            package.join("Cargo.toml").display()
        );
        println!("cargo::rerun-if-changed={}", package.join("src").display());
    }
    let folder = target_folder().join("guests");
    require_target();
    for guest in GUESTS {
        build_guest(root, &folder, guest);
    }
    for guest in GUESTS {
        let from = folder
            .join(TARGET)
            .join("guest")
            .join(format!("guest_{guest}.wasm"));
        let to = folder.join(format!("{guest}.wasm"));
        let bytes =
            fs::read(&from).unwrap_or_else(|error| fail(&format!("{}: {error}", from.display())));
        if let Err(error) = fs::write(&to, bytes) {
            fail(&format!("{}: {error}", to.display()));
        }
    }
    folder
}

/// Builds one guest. Not all at once: cargo would join the features of what they depend on, and `hmac`
/// would get the standard library, which imports WASI.
fn build_guest(root: &Path, folder: &Path, guest: &str) {
    let mut cargo = Command::new(required("CARGO"));
    cargo
        .current_dir(root)
        .args([
            "build",
            "--profile",
            "guest",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(folder);
    cargo.args(["--package", &format!("guest-{guest}")]);
    // What the outer cargo sets for the host must not reach the guests: flags for another target,
    // and clippy in the compiler's place.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let inherited = ["CARGO_FEATURE_", "CARGO_CFG_", "CARGO_PROFILE_"]
            .iter()
            .any(|start| text.starts_with(start))
            || [
                "RUSTFLAGS",
                "CARGO_ENCODED_RUSTFLAGS",
                "RUSTC_WRAPPER",
                "RUSTC_WORKSPACE_WRAPPER",
                "CARGO_TARGET_DIR",
                "CARGO_BUILD_TARGET",
            ]
            .contains(&&*text);
        if inherited {
            cargo.env_remove(&name);
        }
    }
    // Nor must a person's own flags, such as a linker for the host: these win over every configuration.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", FLAGS);
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(_) => fail(&format!(
            "guest-{guest} does not compile: see the errors above"
        )),
        Err(error) => fail(&format!(
            "cargo cannot be started for guest-{guest}: {error}"
        )),
    }
}

/// The target folder of the build that runs this script.
fn target_folder() -> PathBuf {
    let out = PathBuf::from(required("OUT_DIR"));
    // OUT_DIR is TARGET/[TRIPLE/]PROFILE/build/PACKAGE-HASH/out, and TARGET holds CACHEDIR.TAG.
    match out
        .ancestors()
        .skip(1)
        .find(|folder| folder.join("CACHEDIR.TAG").exists())
    {
        Some(folder) => folder.to_owned(),
        None => out.ancestors().nth(4).unwrap_or(&out).to_owned(),
    }
}

/// Adds the wasm target where it is missing.
fn require_target() {
    let libdir = Command::new(required("RUSTC"))
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .ok()
        .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    if libdir.is_some_and(|folder| folder.exists()) {
        return;
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    if let Ok(toolchain) = env::var("RUSTUP_TOOLCHAIN") {
        rustup.args(["--toolchain", &toolchain]);
    }
    if !rustup.status().is_ok_and(|status| status.success()) {
        fail(&format!(
            "the Rust target {TARGET} is missing and could not be added. Type: rustup target add {TARGET} \
             (without rustup: install your Rust's standard library for {TARGET}, or set SIGNET_GUESTS to a folder \
             with hmac.wasm, producer.wasm and consumer.wasm)"
        ));
    }
}

fn required(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| fail(&format!("{name} is not set: this script is run by cargo")))
}

fn fail(message: &str) -> ! {
    eprintln!("\nsignet: {message}\n");
    std::process::exit(1);
}
