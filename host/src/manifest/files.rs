//! `files` and `exclude_files` of a component: what of its app's folder a guest may read. Comes in: the
//! component's table; goes out: patterns and places. Never looks whether there is anything.

use std::path::{Component, Path, PathBuf};

use glob::Pattern;

use super::reader::{Item, Table};

/// The files of one component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// What is taken.
    pub mounts: Vec<Mount>,
    /// What is left out, whatever takes it. As in Spin, `*` of these goes over slashes.
    pub exclude: Vec<Pattern>,
}

/// One entry of `files`. All paths are relative: on the host to the manifest's folder, for the guest to `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A file, or all of a folder, at its own path.
    Path(PathBuf),
    /// All files that a pattern fits, each at its own path.
    Pattern(Pattern),
    /// A file or all of a folder, somewhere else.
    Placed {
        /// Where it is.
        source: PathBuf,
        /// Where the guest sees it.
        destination: PathBuf,
    },
}

/// Reads a component's files.
pub(super) fn read(table: &Table<'_>) -> Files {
    let mounts = table
        .get("files")
        .iter()
        .flat_map(Item::list)
        .collect::<Vec<_>>();
    let exclude = table.texts("exclude_files").into_iter();
    Files {
        mounts: mounts.iter().filter_map(mount).collect(),
        exclude: exclude
            .filter_map(|(text, item)| pattern(&item, text))
            .collect(),
    }
}

fn mount(item: &Item<'_>) -> Option<Mount> {
    if !item.is_table() {
        let text = item.words()?;
        if text.contains(['*', '?', '[']) {
            return Some(Mount::Pattern(pattern(item, text)?));
        }
        let path = inside(item, text)?;
        if path.as_os_str().is_empty() {
            item.mistake(
                "a whole folder is written `\"./**/*\"`, or `{ source = \".\", destination = \"/\" }`",
            );
            return None;
        }
        return Some(Mount::Path(path));
    }
    let table = item.table()?;
    table.only(&["source", "destination"]);
    let source = table.require("source", "write the file or the folder");
    let destination = table.require(
        "destination",
        "write where the component sees it, such as `/`",
    );
    let (source, destination) = (source?, destination?);
    let from = inside(&source, source.words()?);
    let text = destination.words()?;
    // Spin takes a destination without its first slash too.
    let to = inside(&destination, text.trim_start_matches('/'));
    Some(Mount::Placed {
        source: from?,
        destination: to?,
    })
}

fn pattern(item: &Item<'_>, text: &str) -> Option<Pattern> {
    let path = inside(item, text)?;
    Pattern::new(&path.to_string_lossy())
        .map_err(|error| item.mistake(format!("`{text}` is no pattern: {}", error.msg)))
        .ok()
}

/// A path without `.`, that leads nowhere but down.
fn inside(item: &Item<'_>, text: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in Path::new(text).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                item.mistake(format!(
                    "`{text}` leads out of its folder: files are taken from the manifest's folder, and seen below `/`"
                ));
                return None;
            }
        }
    }
    Some(path)
}
