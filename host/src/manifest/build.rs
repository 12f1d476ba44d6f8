//! `[component.NAME.build]`: the commands that make a component's file. Comes in: the component's table;
//! goes out: commands, and the folder they run in. Never runs one.

use std::path::{Path, PathBuf};

use super::reader::{Item, Table};

/// How one component is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The component.
    pub component: String,
    /// What the shell runs, one after another.
    pub commands: Vec<String>,
    /// Where it runs them.
    pub workdir: PathBuf,
    /// Patterns of the files that it is built from, relative to `workdir`.
    pub watch: Vec<String>,
}

/// Reads how `component` is built; none if it says nothing of that.
pub(super) fn read(component: &Table<'_>, name: &str) -> Option<Build> {
    let table = component.table("build")?;
    table.only(&["command", "workdir", "watch"]);
    let command = table.require("command", "write what the shell is to run");
    let workdir = table.get("workdir").map_or_else(
        || Some(table.source.beside("")),
        |item| self::workdir(&item),
    );
    let watch = table.texts("watch").into_iter();
    Some(Build {
        component: name.to_owned(),
        watch: watch.map(|(text, _)| text.to_owned()).collect(),
        commands: commands(&command?)?,
        workdir: workdir?,
    })
}

/// One command, or several in their order.
fn commands(item: &Item<'_>) -> Option<Vec<String>> {
    if !item.is_list() {
        return Some(vec![item.words()?.to_owned()]);
    }
    let list = item.list();
    if list.is_empty() {
        item.mistake(format!("`{}` must not be empty", item.name()));
    }
    list.iter()
        .map(|command| command.words().map(str::to_owned))
        .collect()
}

/// Relative, as in Spin, and free to lead out of the manifest's folder: what is built there is run by
/// whoever types the command, with all that they may do.
fn workdir(item: &Item<'_>) -> Option<PathBuf> {
    let text = item.words()?;
    if Path::new(text).has_root() {
        item.mistake(format!(
            "`{}` must be relative: it begins at the manifest's folder",
            item.name()
        ));
        return None;
    }
    Some(item.source.beside(text))
}
