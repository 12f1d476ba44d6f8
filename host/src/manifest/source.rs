//! Where a component's file is: a path, or a `file:` URL. Comes in: what stands in the manifest; goes out: a
//! path, and the digest that the file must have. Never fetches anything: what is on another machine is a
//! mistake, with the way to mend it.

use std::path::PathBuf;

use url::Url;

use super::reader::{Item, Table};

/// A component's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// What it must be, if the manifest says so.
    pub(super) digest: Option<Digest>,
}

/// The SHA-256 of a file, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The file behind `source = ...`.
pub(super) fn read(item: &Item<'_>) -> Option<Source> {
    if item.is_table() {
        let table = item.table()?;
        return match table.get("url") {
            Some(_) => of_url(&table, &[]),
            None => {
                table.only(&["registry", "package", "version"]);
                in_registry(item, &table, "write its path");
                None
            }
        };
    }
    let path = path(item, item.words()?)?;
    Some(Source { path, digest: None })
}

/// The file behind `{ url, digest }`, where `others` may stand too.
pub(super) fn of_url(table: &Table<'_>, others: &[&str]) -> Option<Source> {
    table.only(&[&["url", "digest"], others].concat());
    let url = table.get("url")?;
    let digest = table.require("digest", "write `sha256:` and the file's digest");
    let text = url.words()?;
    if !text.starts_with("file:") {
        elsewhere(&url, text);
        return None;
    }
    let path = path(&url, text);
    let digest = Some(self::digest(&digest?)?);
    Some(Source {
        path: path?,
        digest,
    })
}

/// Reports that a component is in a registry; `cure` says what to write once it is here.
pub(super) fn in_registry(item: &Item<'_>, table: &Table<'_>, cure: &str) {
    let word = |key| table.text(key).unwrap_or("NAME");
    let package = match table.text("version") {
        Some(version) => format!("{}@{version}", word("package")),
        None => word("package").to_owned(),
    };
    item.mistake(format!(
        "`{}` is in a registry, and this host downloads nothing: get it, such as with `wkg get {package}`, and {cure}",
        item.name()
    ));
}

/// A path relative to the manifest's folder, or a `file:` URL.
pub(super) fn path(item: &Item<'_>, text: &str) -> Option<PathBuf> {
    if !text.starts_with("file:") {
        if text.contains("://") {
            elsewhere(item, text);
            return None;
        }
        return item.file();
    }
    // `file:name` is no absolute URL: it is taken as what was meant.
    let place = text.trim_start_matches("file:");
    if !place.starts_with('/') {
        return Some(item.source.beside(place));
    }
    let path = Url::parse(text)
        .ok()
        .and_then(|url| url.to_file_path().ok());
    if path.is_none() {
        item.mistake(format!(
            "`{text}` names no file of this machine: write `file:///` and its whole path"
        ));
    }
    path
}

fn elsewhere(item: &Item<'_>, text: &str) {
    item.mistake(format!(
        "`{}` is on another machine, and this host downloads nothing: get `{text}`, and write its path",
        item.name()
    ));
}

fn digest(item: &Item<'_>) -> Option<Digest> {
    let text = item.text()?;
    let digits = text.strip_prefix("sha256:").filter(|digits| {
        digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    if digits.is_none() {
        item.mistake(format!(
            "`{}` is no digest: write `sha256:` and 64 hexadecimal digits, as `sha256sum` prints them",
            item.name()
        ));
    }
    digits.map(|digits| Digest(digits.to_ascii_lowercase()))
}
