//! What can stand behind flags that are Spin's: variables and environment as pairs or from files, statements
//! from the command line or from a file. Comes in: one argument; goes out: what it means. Never shows what
//! is in a file: it may be a secret.

use std::collections::BTreeMap;
use std::path::Path;

use crate::app::first::Script;

/// What one `--variable` sets.
#[derive(Debug, Clone)]
pub(super) struct Variables(pub(super) Vec<(String, String)>);

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// `NAME=VALUE`, `NAME=@FILE` for the text of a file, or `@FILE.toml` and `@FILE.json` for many.
pub(super) fn variables(text: &str) -> Result<Variables, String> {
    if let Some(file) = text.strip_prefix('@') {
        return Ok(Variables(many(file)?.into_iter().collect()));
    }
    let (name, value) = pair(text)?;
    let value = match value.strip_prefix('@') {
        Some(file) => read(file)?,
        None => value,
    };
    Ok(Variables(vec![(name, value)]))
}

fn many(file: &str) -> Result<BTreeMap<String, String>, String> {
    // Neither parser may quote what it read.
    let ending = Path::new(file)
        .extension()
        .and_then(|ending| ending.to_str());
    match ending {
        Some("json") => serde_json::from_str(&read(file)?).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("{file}:{line}:{column}: it must be a JSON object of strings")
        }),
        Some("toml") => toml::from_str(&read(file)?)
            .map_err(|_| format!("{file} must be TOML, with a string for each name")),
        _ => Err(format!(
            "{file} must end with .toml or .json; for the value of one variable write NAME=@{file}"
        )),
    }
}

/// `STATEMENT`, or `@FILE` or `@FILE:LABEL` for the statements of a file.
pub(super) fn script(text: &str) -> Result<Script, String> {
    let Some(place) = text.strip_prefix('@') else {
        return Ok(Script::new("default", text, text));
    };
    let (file, label) = place.split_once(':').unwrap_or((place, "default"));
    if file.trim().is_empty() || label.trim().is_empty() {
        return Err("write it as @FILE or @FILE:LABEL".to_owned());
    }
    Ok(Script::new(label, text, &read(file)?))
}

fn read(file: &str) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_one_by_one_or_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let of = |text: &str| variables(text).map(|found| found.0);
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            Ok(owned.collect::<Vec<(String, String)>>())
        };
        assert_eq!(of("a=b=c"), pairs(&[("a", "b=c")]));
        let text = file("text", "two\nlines");
        assert_eq!(of(&format!("a=@{text}")), pairs(&[("a", "two\nlines")]));
        let json = file("v.json", "{ \"a\": \"1\", \"b\": \"2\" }");
        assert_eq!(of(&format!("@{json}")), pairs(&[("a", "1"), ("b", "2")]));
        let toml = file("v.toml", "a = \"1\"\nb = \"2\"\n");
        assert_eq!(of(&format!("@{toml}")), pairs(&[("a", "1"), ("b", "2")]));
    }

    #[test]
    fn what_is_no_variable_is_said_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.json", "{ \"a\": hidden }"),
            ("b.json", "{ \"a\": [\"hidden\"] }"),
            ("a.toml", "a = hidden"),
            ("b.toml", "a = [\"hidden\"]"),
            ("c.yaml", "a: hidden"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let words = variables(&format!("@{}", path.display())).unwrap_err();
            assert!(words.contains(name) && !words.contains("hidden"), "{words}");
        }
        for text in ["a", "@nowhere.json", "a=@nowhere"] {
            assert!(variables(text).is_err(), "{text}");
        }
    }

    #[test]
    fn scripts_are_for_the_default_database_unless_they_say_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sql");
        std::fs::write(&path, "SELECT 1").unwrap();
        let of = |text: &str| {
            let script = script(text).unwrap();
            (script.label.to_string(), script.sql)
        };
        let expected = |label: &str, sql: &str| (label.to_owned(), sql.to_owned());
        assert_eq!(of("SELECT 2"), expected("default", "SELECT 2"));
        let file = format!("@{}", path.display());
        assert_eq!(of(&file), expected("default", "SELECT 1"));
        assert_eq!(
            of(&format!("{file}:orders")),
            expected("orders", "SELECT 1")
        );
        for text in ["@", "@:orders", "@a.sql:", "@nowhere.sql"] {
            assert!(script(text).is_err(), "{text}");
        }
    }
}
