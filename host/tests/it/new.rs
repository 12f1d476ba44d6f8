//! `signet new`: each template is a project that builds and answers.

use std::path::Path;
use std::process::Output;

use crate::support::{serve, signet};

/// Set in CI: the tools of other languages than Rust are then brought in from their registries.
const REQUIRED: &str = "SIGNET_REQUIRE_EXAMPLES";

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = signet();
    command.stdout(std::process::Stdio::piped());
    command
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn a_project_is_made_once_and_what_is_there_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for language in ["rust", "python", "javascript"] {
        let made = run(folder.path(), &["new", language, language]);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let said = String::from_utf8(made.stdout).unwrap();
        assert_eq!(
            said,
            format!(
                "made {language}. Next:\n  cd {language}\n  signet build\n  signet run spin.toml\n"
            )
        );
        let manifest = folder.path().join(language).join("spin.toml");
        std::fs::write(&manifest, "mine").unwrap();
        let again = run(folder.path(), &["new", language, language]);
        assert_eq!(again.status.code(), Some(2), "{again:?}");
        let said = String::from_utf8(again.stderr).unwrap();
        assert!(
            said.contains(&format!("{language} is there already")),
            "{said}"
        );
        assert_eq!(std::fs::read_to_string(&manifest).unwrap(), "mine");
    }
}

#[test]
fn a_name_that_leads_elsewhere_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    for name in ["../outside", "a/b", "Hooks", "my_hooks", "."] {
        let refused = run(&inside, &["new", "rust", name]);
        assert_eq!(refused.status.code(), Some(2), "{name} {refused:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(
            said.contains(&format!("name `{name}` is not valid")),
            "{said}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 0);
}

// That in Rust is built and run by the page in docs/ that begins with it.

#[test]
fn the_project_in_python_builds_and_answers() {
    builds_and_answers("python");
}

#[test]
fn the_project_in_javascript_builds_and_answers() {
    builds_and_answers("javascript");
}

fn builds_and_answers(language: &str) {
    if std::env::var_os(REQUIRED).is_none() {
        eprintln!("the project in {language} is left out: {REQUIRED} brings its tools");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["new", language, "hooks"]);
    let project = folder.path().join("hooks");
    // As it is made, and with everything that it has as a comment.
    for comments in [true, false] {
        if !comments {
            uncomment(&project.join("spin.toml"), "# ");
            uncomment(&project.join("wit/world.wit"), "// ");
        }
        let built = run(&project, &["build"]);
        let said = String::from_utf8_lossy(&built.stderr);
        assert_eq!(built.status.code(), Some(0), "{language}: {said}");
        let app = serve(&project.join("spin.toml"), &[]);
        assert_eq!(app.get("/there"), "Hello from hooks, /there\n");
        assert!(app.stop().contains("GET /there\n"));
    }
}

/// Takes the comment signs away before what is not prose.
fn uncomment(file: &Path, sign: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let line = |line: &str| {
        let rest = line.trim_start().strip_prefix(sign);
        let code = rest
            .filter(|rest| rest.contains(" = ") || rest.starts_with('[') || rest.ends_with(';'));
        format!("{}\n", code.unwrap_or(line))
    };
    let lines: String = text.lines().map(line).collect();
    std::fs::write(file, lines).unwrap();
}
