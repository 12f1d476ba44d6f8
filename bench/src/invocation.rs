//! A command: as it is run, and as a stranger types it. Comes in: a program and its arguments; goes out: a
//! process to be, and one line. The line has the paths from the project's folder, and tools by their names.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One command.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    program: PathBuf,
    shown: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    cpus: Option<String>,
}

impl Invocation {
    /// A program that was built here, shown by its path; by its name where that is not in the project's folder.
    pub(crate) fn built(program: &Path, root: &Path) -> Self {
        let within = program.strip_prefix(root).ok();
        let name = program.file_name().map(Path::new);
        let shown = within.or(name).unwrap_or(program);
        Self::tool(program, &shown.display().to_string())
    }

    /// A program that is shown by a name.
    pub(crate) fn tool(program: &Path, shown: &str) -> Self {
        Self {
            program: program.to_owned(),
            shown: shown.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            cpus: None,
        }
    }

    /// One more argument.
    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub(crate) fn args<T: Into<String>>(mut self, more: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    /// An environment variable.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// On these CPUs alone, as `taskset -c` writes them.
    pub(crate) fn on(mut self, cpus: Option<&str>) -> Self {
        self.cpus = cpus.map(str::to_owned);
        self
    }

    /// The process to be, in the project's folder.
    pub(crate) fn command(&self, root: &Path) -> Command {
        let mut command = match &self.cpus {
            Some(cpus) => {
                let mut taskset = Command::new("taskset");
                taskset.args(["-c", cpus]).arg(&self.program);
                taskset
            }
            None => Command::new(&self.program),
        };
        command.args(&self.arguments).current_dir(root);
        // A backtrace for each error is a cost of development, whichever host makes more of them.
        command.env_remove("RUST_BACKTRACE");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The line that repeats it, typed in the project's folder.
    pub(crate) fn line(&self, root: &Path) -> String {
        let mut words = Vec::new();
        for (name, value) in &self.environment {
            words.push(format!("{name}={}", quoted(&within(root, value))));
        }
        if let Some(cpus) = &self.cpus {
            words.push(format!("taskset -c {cpus}"));
        }
        words.push(quoted(&within(root, &self.shown)));
        let arguments = self.arguments.iter();
        words.extend(arguments.map(|argument| quoted(&within(root, argument))));
        words.join(" ")
    }
}

/// The text without the path of the project's folder.
fn within(root: &Path, text: &str) -> String {
    text.replace(&format!("{}/", root.display()), "")
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Whether a program can be found by its name.
pub(crate) fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path);
    folders
        .map(|folder| folder.join(OsStr::new(name)))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_a_stranger_types_in_the_projects_folder() {
        let root = Path::new("/somewhere/signet");
        let invocation = Invocation::built(&root.join("target/release/signet"), root)
            .args(["run", "/somewhere/signet/target/compare/a.toml"])
            .args(["-H", "X-Signature: A"])
            .env("RUST_LOG", "off")
            .on(Some("1"));
        assert_eq!(
            invocation.line(root),
            "RUST_LOG=off taskset -c 1 target/release/signet run target/compare/a.toml -H 'X-Signature: A'"
        );
    }

    #[test]
    fn where_a_tool_stands_on_this_machine_is_not_shown() {
        let elsewhere = Path::new("/home/somebody/bin/signet");
        let root = Path::new("/somewhere/signet");
        assert_eq!(Invocation::built(elsewhere, root).line(root), "signet");
        assert_eq!(Invocation::tool(elsewhere, "signet").line(root), "signet");
    }

    #[test]
    fn a_word_with_a_quote_stays_one_word() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
