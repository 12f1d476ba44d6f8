//! Compiling ahead: what `signet compile` leaves is what a start finds, and what it cannot compile it
//! says, with an exit code.

use std::path::Path;
use std::process::Output;

use crate::support::{Host, fixture, signet};

/// `signet compile` with these arguments in a folder, and a cache of its own there.
fn compile(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = signet();
    command.current_dir(folder).arg("compile").args(arguments);
    command.args(["--cache-dir", "cache"]);
    command.stdout(std::process::Stdio::piped());
    command.output().unwrap()
}

fn words(output: &Output) -> String {
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{error}")
}

/// How many entries there are.
fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("cache")).unwrap().count()
}

#[test]
fn what_was_compiled_ahead_is_found_by_every_start() {
    let folder = tempfile::tempdir().unwrap();
    let guest = fixture("fixture-guest-p2");
    let guest = guest.to_str().unwrap();
    let first = compile(folder.path(), &[guest]);
    assert_eq!(first.status.code(), Some(0), "{}", words(&first));
    assert!(words(&first).contains("compiled in"), "{}", words(&first));
    let again = compile(folder.path(), &[guest]);
    assert!(words(&again).contains("found"), "{}", words(&again));
    assert_eq!(entries(folder.path()), 1);
    // With bounds of its own, of its memory too, and with a watch: the code is the same.
    let host = || Host::of(fixture("fixture-guest-p2")).cache(&folder.path().join("cache"));
    for host in [
        host(),
        host().with("tool.signet.memory_mb = 16"),
        host().host("[server]\nmax_instances = 7").watch(),
    ] {
        let (app, ..) = host.open().unwrap();
        assert_eq!(app.compiled(), 0);
    }
}

#[test]
fn manifests_are_compiled_with_what_they_link_and_bare_components_with_flags() {
    let folder = tempfile::tempdir().unwrap();
    let (guest, probe) = (fixture("fixture-guest"), fixture("fixture-dependency"));
    let manifest = format!(
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
         [component.guest]\nsource = \"{}\"\n\
         [component.guest.dependencies]\n\"fixture:test/probe\" = {{ path = \"{}\" }}\n",
        guest.display(),
        probe.display()
    );
    std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
    let link = format!("fixture:test/probe={}", probe.display());
    let arguments = ["spin.toml", guest.to_str().unwrap(), "--link", &link];
    let output = compile(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    let lines: Vec<_> = words(&output).lines().map(str::to_owned).collect();
    let line = |name: &str, how: &str| {
        let mut of = lines.iter().filter(|line| line.starts_with(name));
        of.any(|line| line.contains(how) && line.contains("MiB in the cache"))
    };
    assert!(line("test/guest: ", "compiled in"), "{lines:?}");
    // Linked to the same component the same way, it is the same bytes.
    assert!(line("serve/component: ", "found"), "{lines:?}");
    assert_eq!(entries(folder.path()), 1);
}

#[test]
fn what_cannot_be_compiled_ahead_is_told_apart() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.wasm"), b"\0asm of no kind").unwrap();
    let guest = fixture("fixture-guest");
    // Its dependency is missing.
    let unlinked = guest.to_str().unwrap();
    for (file, code, words_of_it) in [
        ("no.wasm", 2, "no.wasm cannot be read"),
        ("bad.wasm", 2, "component"),
        (unlinked, 2, "fixture:test/probe"),
    ] {
        let output = compile(folder.path(), &[file]);
        assert_eq!(output.status.code(), Some(code), "{}", words(&output));
        assert!(words(&output).contains(words_of_it), "{}", words(&output));
    }
    let cache = folder.path().join("cache");
    let open = std::fs::Permissions::from_mode(0o777);
    let _ = std::fs::create_dir(&cache);
    std::fs::set_permissions(&cache, open).unwrap();
    let good = fixture("fixture-guest-p2");
    let output = compile(folder.path(), &[good.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("chmod 700"), "{}", words(&output));
}
