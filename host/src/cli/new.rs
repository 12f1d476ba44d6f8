//! `signet new`: a guest project that builds and runs, in a folder of its own. In comes a language and a name;
//! out go files. It never writes into a folder that is there.

mod template;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::{Failure, print};
use crate::manifest::is_component_name;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  signet new rust hooks")]
pub(super) struct Arguments {
    /// What the component is written in.
    language: Language,
    /// The name of the component, and of the folder to make.
    name: String,
}

/// A language that there is a template for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    /// With spin-sdk, for WASI 0.3.
    Rust,
    /// With componentize-py and the Spin SDK, for WASI 0.3.
    Python,
    /// With componentize-js, for WASI 0.2.
    Javascript,
}

pub(super) fn new(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { language, name } = arguments;
    if !is_name(name) {
        return Err(Failure::input(anyhow::anyhow!(
            "name `{name}` is not valid: use lower-case letters and digits, with single dashes between words, and a \
             letter first"
        )));
    }
    let folder = Path::new(name);
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::input(anyhow::anyhow!(
                "{name} is there already: take another name, or another folder to work in"
            )));
        }
        made => made.with_context(|| format!("{name} cannot be made"))?,
    }
    for (path, contents) in template::files(*language, name) {
        let path = folder.join(path);
        write(&path, &contents).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    print(&format!(
        "made {name}. Next:\n  cd {name}\n  signet build\n  signet run spin.toml\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether a component and a package of each language can have this name.
fn is_name(text: &str) -> bool {
    is_component_name(text) && text == text.to_lowercase() && text.len() <= 64
}

fn write(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_of_a_component_and_of_a_folder() {
        for name in ["hooks", "my-hooks-2", "a"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../up",
            "a/b",
            "/abs",
            "Hooks",
            "HOOKS",
            "a_b",
            "a--b",
            "-a",
            "a-",
            "2a",
            "a b",
            "grün",
            "a.b",
            &"a".repeat(65),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn every_template_has_a_manifest_without_mistakes() {
        for language in Language::value_variants() {
            let files = template::files(*language, "my-hooks");
            for (path, contents) in &files {
                let text = String::from_utf8_lossy(contents);
                assert!(!text.contains("{{name}}"), "{path} has a placeholder left");
            }
            let (_, manifest) = files.iter().find(|(path, _)| *path == "spin.toml").unwrap();
            let text = String::from_utf8(manifest.clone()).unwrap();
            for text in [text.clone(), uncommented(&text)] {
                let app = crate::manifest::read_app(&text, Path::new("spin.toml")).unwrap();
                assert_eq!(app.components[0].name, "my-hooks");
                assert!(app.warnings.is_empty(), "{:?}", app.warnings);
            }
        }
    }

    /// The manifest with the lines that it has as comments.
    fn uncommented(text: &str) -> String {
        let line = |line: &str| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with(['[', '"']) || rest.contains(" = ") => {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    }
}
