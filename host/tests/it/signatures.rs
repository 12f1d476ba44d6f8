//! `signet sign` and `signet verify`, as a shell sees them: every scheme, every reason in words, and the official
//! libraries of Standard Webhooks in both directions.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{root, signet};

/// Runs the binary; `secret` is the environment's.
fn run(arguments: &[&str], secret: Option<&str>, body: &[u8]) -> Output {
    let mut command = signet();
    command.args(arguments).env_remove("SIGNET_SECRET");
    if let Some(secret) = secret {
        command.env("SIGNET_SECRET", secret);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Wrong usage is told before standard input is read.
    let _ = child.stdin.take().unwrap().write_all(body);
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const STANDARD: [&str; 4] = [
    "--scheme",
    "standard",
    "--id",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
];

/// What `verify` says of the published webhook, with these arguments in place of those that they replace.
fn judge(change: &[(&str, &str)], body: &[u8]) -> (i32, String) {
    let mut arguments = vec![
        ("--scheme", "standard"),
        ("--id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("--timestamp", "1614265330"),
        ("--now", "1614265330"),
        ("--signature", SIGNATURE),
        ("--secret", SECRET),
    ];
    for (name, value) in change {
        match arguments.iter_mut().find(|(own, _)| own == name) {
            Some(argument) => argument.1 = value,
            None => arguments.push((name, value)),
        }
    }
    let flat: Vec<_> = arguments
        .into_iter()
        .flat_map(|(name, value)| [name, value])
        .collect();
    let output = run(&[&["verify"], &flat[..]].concat(), None, body);
    assert_eq!(text(&output.stdout), "");
    (code(&output), text(&output.stderr))
}

#[test]
fn the_published_vectors_come_out_of_sign_and_nothing_else_does() {
    let file = root().join("guest-hmac/tests/standard-webhooks.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for case in vectors["valid"].as_array().unwrap() {
        let of = |name: &str| case[name].as_str().unwrap();
        let at = case["timestamp"].to_string();
        let what = ["--scheme", "standard", "--id", of("id"), "--timestamp", &at];
        let signed = run(
            &[&["sign"], &what[..]].concat(),
            Some(of("secret")),
            of("body").as_bytes(),
        );
        assert_eq!(text(&signed.stdout), format!("{}\n", of("signature")));
        assert_eq!((code(&signed), text(&signed.stderr)), (0, String::new()));
        let verify = ["verify", "--signature", of("signature"), "--now", &at];
        let verify = [&verify[..], &what[..]].concat();
        let secret = run(&verify, Some(of("secret")), of("body").as_bytes());
        assert_eq!((code(&secret), text(&secret.stderr)), (0, String::new()));
        if let Some(public) = case["public"].as_str() {
            let verify = [&verify[..], &["--public", public]].concat();
            assert_eq!(code(&run(&verify, None, of("body").as_bytes())), 0);
            assert_eq!(code(&run(&verify, None, b"another")), 1);
        }
    }
}

#[test]
fn each_refusal_exits_1_with_its_own_reason() {
    for (change, reason) in [
        (("--timestamp", "hello"), "1 to 12 decimal digits"),
        (("--timestamp", "1614265330abc"), "1 to 12 decimal digits"),
        (("--timestamp", "1614265330.9"), "1 to 12 decimal digits"),
        (("--timestamp", ""), "1 to 12 decimal digits"),
        (("--timestamp", "-1614265330"), "1 to 12 decimal digits"),
        (("--now", "1614265631"), "301 s ago"),
        (("--now", "1614265029"), "301 s in the future"),
        (("--signature", "v1,"), "signature 1 is malformed"),
        (
            ("--signature", &SIGNATURE[..40]),
            "signature 1 is malformed",
        ),
        (
            ("--signature", &SIGNATURE.replace("1OE=", "1OF=")),
            "signature 1 is malformed",
        ),
        (
            ("--signature", &SIGNATURE.replace("1OE=", "1OA=")),
            "signed with another key",
        ),
        (
            ("--signature", &SIGNATURE.replace("v1", "v2")),
            "known version",
        ),
        (("--signature", ""), "is empty"),
        (("--id", "a.1"), "without a full stop"),
        (("--id", ""), "1 to 256 characters"),
        (
            ("--secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            "signed with another key",
        ),
    ] {
        let (code, words) = judge(&[change], BODY);
        assert_eq!(code, 1, "{change:?} {words}");
        assert!(words.contains(reason), "{change:?} {words}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
    let (code, words) = judge(&[], b"another");
    assert!(code == 1 && words.contains("changed on its way"), "{words}");
}

#[test]
fn what_fits_exits_0_whatever_stands_beside_it() {
    let bad = SIGNATURE.replace("v1,g", "v1,h");
    let list = format!("{bad} {} {SIGNATURE}", bad.replace("v1,", "v2,"));
    for change in [
        &[("--signature", &*list)][..],
        &[("--now", "1614265629")],
        &[("--now", "1614265031")],
        &[("--now", "1614269999"), ("--tolerance", "100000")],
        &[("--secret", &SECRET[6..])],
    ] {
        assert_eq!(judge(change, BODY), (0, String::new()), "{change:?}");
    }
    for body in [&b""[..], b"\xff\xfe\x00"] {
        let at = ["--timestamp", "1614265330"];
        let signed = run(
            &[&["sign"], &STANDARD[..], &at].concat(),
            Some(SECRET),
            body,
        );
        let signature = text(&signed.stdout);
        assert_eq!(
            judge(&[("--signature", signature.trim_end())], body),
            (0, String::new())
        );
    }
}

#[test]
fn a_key_or_an_option_that_cannot_be_used_exits_2_with_the_cure() {
    for (change, cure) in [
        (("--secret", ""), "key 1 is empty"),
        (("--secret", "whsec_"), "key 1 is empty"),
        (
            ("--secret", "whsec_c2hvcnQ="),
            "make one of 24 to 64 random bytes",
        ),
        (("--secret", "whsec_x"), "is not base64"),
        (("--public", "whpk_AAAA"), "ed25519 key"),
        (("--secret-file", "/nowhere"), "/nowhere"),
        (("--now", "soon"), "--now"),
    ] {
        let (code, words) = judge(&[change], BODY);
        assert_eq!(code, 2, "{change:?} {words}");
        assert!(words.contains(cure), "{change:?} {words}");
        assert!(!words.contains("c2hvcnQ"), "{words}");
    }
    for (arguments, cure) in [
        (&["sign"][..], "set SIGNET_SECRET"),
        (&["sign", "--secret", "s", "--id", "a"], "leave it out"),
        (
            &[
                "sign",
                "--secret",
                "s",
                "--scheme",
                "github",
                "--timestamp",
                "1",
            ],
            "leave it out",
        ),
        (
            &["sign", "--secret", "s", "--scheme", "slack"],
            "give --timestamp",
        ),
        (
            &[
                "sign",
                "--secret",
                "s",
                "--scheme",
                "standard",
                "--timestamp",
                "1",
            ],
            "give --id",
        ),
        (
            &["sign", "--secret", "s", "--secret", "t"],
            "sign once with each",
        ),
        (&["sign", "--secret", ""], "key is empty"),
        (
            &["sign", "--secret", "", "--scheme", "github"],
            "key 1 is empty",
        ),
        (
            &[
                "sign",
                "--secret",
                SECRET,
                "--scheme",
                "standard",
                "--id",
                "a.b",
                "--timestamp",
                "1",
            ],
            "full stop",
        ),
        (
            &[
                "sign",
                "--secret",
                SECRET,
                "--scheme",
                "standard",
                "--id",
                "a",
                "--timestamp",
                "1000000000000",
            ],
            "12 digits",
        ),
        (
            &["sign", "--secret", "s", "--scheme", "nobody"],
            "possible values: hex, standard",
        ),
        (&["verify", "--secret", "s"], "--signature"),
        (
            &[
                "verify",
                "--secret",
                "s",
                "--signature",
                "x",
                "--scheme",
                "slack",
            ],
            "give --timestamp",
        ),
        (
            &["verify", "--public", "s", "--signature", "x"],
            "leave it out",
        ),
    ] {
        let output = run(arguments, None, b"body");
        let words = text(&output.stderr);
        assert_eq!(
            (code(&output), text(&output.stdout)),
            (2, String::new()),
            "{arguments:?} {words}"
        );
        assert!(words.contains(cure), "{arguments:?} {words}");
    }
}

#[test]
fn several_keys_sign_and_a_file_holds_one_to_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(
        &file,
        format!("{SECRET}\nwhsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"),
    )
    .unwrap();
    let sign = [
        "--timestamp",
        "1614265330",
        "--secret-file",
        file.to_str().unwrap(),
    ];
    let signed = text(&run(&[&["sign"], &STANDARD[..], &sign].concat(), None, BODY).stdout);
    assert!(signed.starts_with(&format!("{SIGNATURE} v1,")), "{signed}");
    for secret in [SECRET, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let change = [("--signature", signed.trim_end()), ("--secret", secret)];
        assert_eq!(judge(&change, BODY), (0, String::new()));
    }
}

#[test]
fn the_senders_schemes_verify_what_they_sign_and_nothing_else() {
    let at = now().to_string();
    for (scheme, timed) in [
        ("hex", false),
        ("github", false),
        ("shopify", false),
        ("slack", true),
        ("stripe", true),
    ] {
        let mut arguments = vec!["--scheme", scheme];
        if timed {
            arguments.extend(["--timestamp", &at]);
        }
        let signed = run(
            &[&["sign"], &arguments[..]].concat(),
            Some("a secret"),
            b"body",
        );
        assert_eq!(code(&signed), 0, "{scheme} {}", text(&signed.stderr));
        let signature = text(&signed.stdout);
        let verify = [
            &["verify", "--signature", signature.trim_end()],
            &arguments[..],
        ]
        .concat();
        for (secret, body, expected) in [
            ("a secret", "body", 0),
            ("another", "body", 1),
            ("a secret", "bodi", 1),
        ] {
            let output = run(&verify, Some(secret), body.as_bytes());
            assert_eq!(code(&output), expected, "{scheme} {}", text(&output.stderr));
            assert_eq!(output.stderr.is_empty(), expected == 0);
        }
        if timed {
            let late = run(
                &[&verify[..], &["--now", "1"]].concat(),
                Some("a secret"),
                b"body",
            );
            assert_eq!(code(&late), 1);
            assert!(text(&late.stderr).contains("in the future"), "{scheme}");
        }
    }
    // Stripe's header taken apart, and two times that differ.
    let signed = run(
        &["sign", "--scheme", "stripe", "--timestamp", &at],
        Some("s"),
        b"",
    );
    let header = text(&signed.stdout);
    let alone = header.trim_end().split_once(',').unwrap().1;
    for (signature, timestamp, expected) in [
        (alone, &*at, 0),
        (header.trim_end(), "1", 1),
        (alone, "1", 1),
    ] {
        let arguments = [
            "verify",
            "--scheme",
            "stripe",
            "--signature",
            signature,
            "--timestamp",
            timestamp,
        ];
        assert_eq!(code(&run(&arguments, Some("s"), b"")), expected);
    }
}

#[test]
fn the_official_library_for_rust_verifies_what_we_sign_and_signs_what_we_verify() {
    let oracle = standardwebhooks::Webhook::new(SECRET).unwrap();
    let at = now();
    let text_at = at.to_string();
    let what = [
        "--scheme",
        "standard",
        "--id",
        "msg_1",
        "--timestamp",
        &text_at,
    ];
    for body in ["", "{}", r#"{"name":"né"}"#] {
        let theirs = oracle
            .sign("msg_1", i64::try_from(at).unwrap(), body.as_bytes())
            .unwrap();
        let verify = [&["verify", "--signature", &theirs], &what[..]].concat();
        assert_eq!(code(&run(&verify, Some(SECRET), body.as_bytes())), 0);
        assert_eq!(code(&run(&verify, Some(SECRET), b"another")), 1);
        let ours = text(
            &run(
                &[&["sign"], &what[..]].concat(),
                Some(SECRET),
                body.as_bytes(),
            )
            .stdout,
        );
        let mut headers = http::HeaderMap::new();
        headers.insert("webhook-id", "msg_1".parse().unwrap());
        headers.insert("webhook-timestamp", text_at.parse().unwrap());
        headers.insert("webhook-signature", ours.trim_end().parse().unwrap());
        oracle.verify(body.as_bytes(), &headers).unwrap();
        assert!(oracle.verify(b"another", &headers).is_err());
    }
}

/// Runs the cross-check of an oracle in `examples/`, where its library is installed or has to be.
fn oracle(folder: &str, installed: &str, program: impl Fn(&Path) -> PathBuf, script: &str) {
    let folder = root().join("examples").join(folder);
    let required = std::env::var_os("SIGNET_REQUIRE_EXAMPLES").is_some();
    if !required && !folder.join(installed).exists() {
        eprintln!(
            "left out for want of its library: sh {}/build.sh",
            folder.display()
        );
        return;
    }
    let mut build = Command::new("sh");
    assert!(
        build
            .arg(folder.join("build.sh"))
            .status()
            .unwrap()
            .success()
    );
    let mut check = Command::new(program(&folder));
    check.arg(script).arg(env!("CARGO_BIN_EXE_signet"));
    let output = check.current_dir(&folder).output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("both directions"));
}

#[test]
fn the_official_library_for_python_agrees_in_both_directions() {
    let python = |folder: &Path| folder.join(".venv/bin/python");
    oracle("signatures-python", ".venv/installed", python, "check.py");
}

#[test]
fn the_official_library_for_javascript_agrees_in_both_directions() {
    let node = |_: &Path| PathBuf::from("node");
    oracle(
        "signatures-javascript",
        "node_modules/installed",
        node,
        "check.js",
    );
}
