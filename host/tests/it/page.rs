//! `docs/bring-your-own.md` is run as it stands: its files are written where it says, its commands are typed in
//! one shell, and what it says comes out does come out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{root, signet};

/// One fenced block of a page: what stands after the fence, and what is in it.
struct Block {
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            found.push(Block {
                info: info.to_owned(),
                text: text.fold(String::new(), |text, line| text + line + "\n"),
            });
        }
    }
    found
}

/// The page's own ports, each with a free one that stands for it in the test.
fn ports() -> BTreeMap<&'static str, String> {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap();
    // All at once, so that they differ.
    let listeners = ["3000", "3002", "3003"].map(|port| (port, free()));
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
    listeners
        .iter()
        .map(|(name, listener)| (*name, port(listener)))
        .collect()
}

/// The page as one script of the shell, and the lines that it promises.
fn script(page: &str) -> (String, Vec<String>) {
    // What still runs at the end is told to stop, and waited for.
    let mut script =
        String::from("set -eu\nSTARTED=\ntrap 'kill $STARTED 2>/dev/null || true; wait' EXIT\n");
    let mut promised = Vec::new();
    for (at, block) in blocks(page).into_iter().enumerate() {
        let file = block
            .info
            .split_once("title=\"")
            .map(|(_, rest)| rest.trim_end_matches('"'));
        match (block.info.as_str(), file) {
            (_, Some(file)) => {
                let text = &block.text;
                writeln!(script, "cat >{file} <<'END_{at}'\n{text}END_{at}").unwrap();
            }
            ("sh", None) => {
                script += &block.text.replace(" &\n", " & STARTED=\"$STARTED $!\"\n");
            }
            ("text", None) => promised.extend(block.text.lines().map(str::to_owned)),
            _ => {}
        }
    }
    (script, promised)
}

#[test]
fn what_the_page_on_bringing_a_component_says_is_so() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("SIGNET_REQUIRE_EXAMPLES").is_none(),
            "curl is missing"
        );
        eprintln!("the page is left out for want of curl");
        return;
    }
    let mut page = std::fs::read_to_string(root().join("docs/bring-your-own.md")).unwrap();
    for (port, free) in ports() {
        page = page.replace(port, &free);
    }
    let (script, promised) = script(&page);
    assert!(promised.len() >= 4, "the page promises {promised:?}");
    // What cargo built in an earlier run is used again.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-rust");
    std::fs::create_dir_all(&target).unwrap();
    let link = format!("cd hooks\nln -s '{}' target\n", target.display());
    let script = script.replace("cd hooks\n", &link);
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_signet")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    // With the environment of `signet` in the tests; both streams in one, as a person reads them.
    let mut shell = Command::new("sh");
    for (name, value) in signet().get_envs() {
        shell.env(name, value.unwrap());
    }
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR"] {
        shell.env_remove(variable);
    }
    let output = shell
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .env("PATH", path)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}:\n{said}", output.status);
    for line in promised {
        // Not whole lines: what `curl` shows before need not end with one.
        assert!(said.contains(&line), "{line:?} is not in:\n{said}");
    }
}

#[test]
fn a_page_is_read_block_by_block() {
    let page = "a\n```sh\nb &\n```\n```rust title=\"src/c.rs\"\nd\n```\n```text\ne\nf\n```\n```console\n$ g\n```\n";
    let (script, promised) = script(page);
    assert!(
        script.ends_with("\nb & STARTED=\"$STARTED $!\"\ncat >src/c.rs <<'END_1'\nd\nEND_1\n"),
        "{script}"
    );
    assert_eq!(promised, ["e", "f"]);
}
