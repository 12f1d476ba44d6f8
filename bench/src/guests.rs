//! The components that are served. Comes in: the project's sources; goes out: files with the same bytes for
//! every host. Linked ones are linked once, by `signet compose`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use wasm_encoder::{ComponentSection as _, CustomSection};

/// The components, built.
#[derive(Debug)]
pub(crate) struct Guests {
    /// Says hello, WASI 0.2.
    pub(crate) hello_p2: PathBuf,
    /// Says hello, WASI 0.3.
    pub(crate) hello_p3: PathBuf,
    /// Computes without end, WASI 0.3.
    pub(crate) loops: PathBuf,
    /// Verifies its body, linked with `hmac`, WASI 0.3.
    pub(crate) verify: PathBuf,
    /// Signs and verifies; it is linked into others.
    pub(crate) hmac: PathBuf,
    /// An older app with a table, WASI 0.2.
    pub(crate) registrations: PathBuf,
}

const TARGET: &str = "wasm32-wasip2";

impl Guests {
    /// Builds them below `out`.
    pub(crate) fn build(root: &Path, out: &Path, signet: &Path) -> Result<Self> {
        let hmac = build(root, out, "guest-hmac")?;
        let plain = build(root, out, "fixture-guest-verify")?;
        Ok(Self {
            hello_p2: build(root, out, "bench-guest-hello-p2")?,
            hello_p3: build(root, out, "bench-guest-hello-p3")?,
            loops: build(root, out, "bench-guest-loops")?,
            registrations: build(root, out, "bench-guest-registrations")?,
            verify: compose(out, signet, &plain, &hmac)?,
            hmac,
        })
    }
}

/// Builds one guest. One at a time: together they would get one another's features.
fn build(root: &Path, out: &Path, package: &str) -> Result<PathBuf> {
    let folder = out.join("guests");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root);
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "guest",
        "--target",
        TARGET,
    ]);
    cargo
        .args(["--package", package, "--target-dir"])
        .arg(&folder);
    // A person's flags for the host are not for guests; these are those of the built-in ones.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+simd128");
    cargo.env_remove("CARGO_BUILD_TARGET");
    let status = cargo.status().context("cargo cannot be started")?;
    ensure!(
        status.success(),
        "{package} does not compile: see above; the target is added by: rustup target add {TARGET}"
    );
    let built = folder.join(TARGET).join("guest");
    let built = built.join(format!("{}.wasm", package.replace('-', "_")));
    let file = components(out)?.join(format!("{package}.wasm"));
    fs::copy(&built, &file).with_context(|| format!("{} cannot be copied", built.display()))?;
    Ok(file)
}

/// Where the components stand.
fn components(out: &Path) -> Result<PathBuf> {
    let folder = out.join("components");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn compose(out: &Path, signet: &Path, guest: &Path, hmac: &Path) -> Result<PathBuf> {
    let manifest = out.join("components/verify.toml");
    let table = format!(
        "[component.guest.dependencies]\n\"fermyon:hmac@0.1.0\" = {{ path = \"{}\" }}\n",
        hmac.display()
    );
    fs::write(&manifest, app("verify", guest, &table))?;
    let linked = out.join("components/verify-linked.wasm");
    let mut signet = Command::new(signet);
    signet.arg("compose").arg(&manifest).arg("-o").arg(&linked);
    let output = signet.output().context("signet cannot be started")?;
    ensure!(
        output.status.success(),
        "signet compose: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(linked)
}

/// The manifest of an app of one component.
pub(crate) fn app(name: &str, component: &Path, more: &str) -> String {
    format!(
        "spin_manifest_version = 2\n[application]\nname = \"{name}\"\n\n[[trigger.http]]\nroute = \"/...\"\n\
         component = \"guest\"\n\n[component.guest]\nsource = \"{}\"\n{more}",
        component.display()
    )
}

/// A component that does what another one does and is not the same: its bytes end in a section that nobody reads.
pub(crate) fn varied(component: &Path, number: usize) -> Result<Vec<u8>> {
    let mut bytes = fs::read(component)?;
    let section = CustomSection {
        name: "signet-bench".into(),
        data: number.to_string().into_bytes().into(),
    };
    section.append_to_component(&mut bytes);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varied_component_is_another_one_and_begins_the_same() {
        let file = std::env::temp_dir().join(format!("signet-bench-{}.wasm", std::process::id()));
        let empty = *b"\0asm\x0d\0\x01\0";
        fs::write(&file, empty).unwrap();
        let (one, two) = (varied(&file, 1).unwrap(), varied(&file, 2).unwrap());
        fs::remove_file(&file).unwrap();
        assert_ne!(one, two);
        assert!(one.starts_with(&empty) && one.ends_with(b"signet-bench1"));
    }
}
