//! Components as they were built some time ago are served as those of today.

use std::process::Stdio;

use crate::support::{Host, fixture, hmac, post, signet};

/// The test guest as it would have been built against the last candidate of WASI 0.3.
fn candidate(folder: &std::path::Path) -> std::path::PathBuf {
    let bytes = std::fs::read(fixture("fixture-guest-verify")).unwrap();
    let text = wasmprinter::print_bytes(bytes).unwrap();
    assert!(text.contains("wasi:http/handler@0.3.0\""));
    let text = text.replace("@0.3.0\"", "@0.3.0-rc-2026-03-15\"");
    let path = folder.join("candidate.wasm");
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

#[test]
fn a_guest_of_the_last_candidate_of_wasi_0_3_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::of(candidate(folder.path()))
        .link("fermyon:hmac@0.1.0", &hmac(), "")
        .start();
    // Of `printf body | openssl dgst -sha256 -hmac secret`.
    let tag = "DC46983557FEA127B43AF721467EB9B3FDE2338FE3E14F51952AA8478C13D355";
    let ask = |tag: &str| post(host.address(), "/", &[("x-signature", tag)], b"body").status;
    assert_eq!((ask(tag), ask("0")), (200, 401));
}

#[test]
fn what_is_renamed_on_its_way_in_is_shown_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let output = signet()
        .args(["inspect", "--json"])
        .arg(candidate(folder.path()))
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["exports"][0], "wasi:http/handler@0.3.0-rc-2026-03-15");
    assert_eq!(
        json["status"]["wasi:http/types@0.3.0-rc-2026-03-15"],
        "host"
    );
}
