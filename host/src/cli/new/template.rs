//! The files of a new project, embedded from `host/templates/`; interfaces and `hmac` are the host's own. In
//! comes a language and a name; out go paths and contents. It never writes one.

use super::Language;
use crate::builtin;

/// A path in the project, and the file that stands for it here.
type File = (&'static str, &'static str);

const RUST: &[File] = &[
    (
        ".gitignore",
        include_str!("../../../templates/rust/gitignore"),
    ),
    (
        "Cargo.lock",
        include_str!("../../../templates/rust/Cargo.lock"),
    ),
    (
        "Cargo.toml",
        include_str!("../../../templates/rust/Cargo.toml"),
    ),
    (
        "README.md",
        include_str!("../../../templates/rust/README.md"),
    ),
    (
        "spin.toml",
        include_str!("../../../templates/rust/spin.toml"),
    ),
    (
        "src/lib.rs",
        include_str!("../../../templates/rust/src/lib.rs"),
    ),
    (
        "wit/world.wit",
        include_str!("../../../templates/rust/world.wit"),
    ),
    HMAC,
];

const PYTHON: &[File] = &[
    (
        ".gitignore",
        include_str!("../../../templates/python/gitignore"),
    ),
    (
        "README.md",
        include_str!("../../../templates/python/README.md"),
    ),
    ("app.py", include_str!("../../../templates/python/app.py")),
    (
        "build.sh",
        include_str!("../../../templates/python/build.sh"),
    ),
    (
        "requirements.txt",
        include_str!("../../../templates/python/requirements.txt"),
    ),
    (
        "spin.toml",
        include_str!("../../../templates/python/spin.toml"),
    ),
    (
        "wit/world.wit",
        include_str!("../../../templates/python/world.wit"),
    ),
    HMAC,
];

const JAVASCRIPT: &[File] = &[
    (
        ".gitignore",
        include_str!("../../../templates/javascript/gitignore"),
    ),
    (
        "README.md",
        include_str!("../../../templates/javascript/README.md"),
    ),
    (
        "app.js",
        include_str!("../../../templates/javascript/app.js"),
    ),
    (
        "package.json",
        include_str!("../../../templates/javascript/package.json"),
    ),
    (
        "spin.toml",
        include_str!("../../../templates/javascript/spin.toml"),
    ),
    (
        "wit/world.wit",
        include_str!("../../../templates/javascript/world.wit"),
    ),
    (
        "wit/deps/wasi-http/http.wit",
        include_str!("../../../templates/javascript/wasi-http.wit"),
    ),
    // The SDKs of the other languages bring these themselves.
    (
        "wit/deps/fermyon-spin/key-value.wit",
        include_str!("../../../../wit/deps/fermyon-spin/key-value.wit"),
    ),
    (
        "wit/deps/fermyon-spin/variables.wit",
        include_str!("../../../../wit/deps/fermyon-spin/variables.wit"),
    ),
    HMAC,
];

const HMAC: File = (
    "wit/deps/fermyon-hmac/hmac.wit",
    include_str!("../../../../wit/deps/fermyon-hmac/hmac.wit"),
);

/// All files of a project with this name.
pub(super) fn files(language: Language, name: &str) -> Vec<(&'static str, Vec<u8>)> {
    let texts = match language {
        Language::Rust => RUST,
        Language::Python => PYTHON,
        Language::Javascript => JAVASCRIPT,
    };
    let named = |(path, text): &File| (*path, text.replace("{{name}}", name).into_bytes());
    let hmac = builtin::component("hmac").map(|bytes| ("hmac.wasm", bytes.to_vec()));
    texts.iter().map(named).chain(hmac).collect()
}
