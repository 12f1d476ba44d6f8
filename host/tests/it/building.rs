//! `signet build` and `--build`: what is run, in which order, where, and what becomes of a failure.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::signet;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"t\"\n\
                    [[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n";

/// A folder with an app whose components are built by these commands.
fn app(builds: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = HEAD.to_owned();
    for (name, build) in builds {
        text += &format!(
            "[component.{name}]\nsource = \"{name}.wasm\"\n[component.{name}.build]\n{build}\n"
        );
    }
    std::fs::write(folder.path().join("spin.toml"), text).unwrap();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    folder
}

fn output(command: &mut Command) -> Output {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap()
}

fn build(folder: &Path, arguments: &[&str]) -> Output {
    output(signet().arg("build").args(arguments).current_dir(folder))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn components_are_built_in_their_order_and_their_output_is_seen() {
    let folder = app(&[
        ("a", "command = [\"echo one\", \"echo two\"]"),
        ("b", "command = \"basename $PWD\"\nworkdir = \"inner\""),
    ]);
    for arguments in [
        &[][..],
        &["spin.toml"],
        &["--from", "."],
        &["-f", "spin.toml"],
    ] {
        let built = build(folder.path(), arguments);
        assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
        assert_eq!(text(&built.stdout), "one\ntwo\ninner\n");
        assert!(text(&built.stderr).contains("building a: echo two\nbuilding b: basename"));
    }
    let one = build(folder.path(), &["-c", "b"]);
    assert_eq!(text(&one.stdout), "inner\n");
}

#[test]
fn the_first_failure_ends_a_build_with_exit_code_1() {
    let folder = app(&[
        ("a", "command = [\"exit 7\", \"echo never\"]"),
        ("b", "command = \"echo never\""),
    ]);
    for command in [
        &["build"][..],
        &["up", "--build"],
        &["run", "--build", "spin.toml"],
    ] {
        let failed = output(signet().args(command).current_dir(folder.path()));
        assert_eq!(failed.status.code(), Some(1));
        assert_eq!(text(&failed.stdout), "");
        let said = text(&failed.stderr);
        assert!(
            said.contains("a is not built: `exit 7` failed with exit status: 7"),
            "{said}"
        );
    }
}

#[test]
fn what_cannot_be_built_is_said() {
    let folder = app(&[("a", "command = \"true\"\nworkdir = \"nowhere\"")]);
    let missing = build(folder.path(), &[]);
    assert_eq!(missing.status.code(), Some(1));
    let said = text(&missing.stderr);
    assert!(said.contains("could not be started in ./nowhere"), "{said}");
    let nobody = build(folder.path(), &["-c", "nobody"]);
    assert_eq!(nobody.status.code(), Some(2));
    let said = text(&nobody.stderr);
    assert!(
        said.contains("no component nobody has a build command; there is a"),
        "{said}"
    );
}
