//! `docs/interfaces.md` says what the linker gives, interface by interface, and names tests that exist.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::inspect::{Inspection, inspect};
use super::{admit, linker, refused};

const PAGE: &str = include_str!("../../../../docs/interfaces.md");

const SECTIONS: [&str; 5] = ["Provided", "Renamed", "Refused", "Exported", "Not here"];

/// A row of a table: the interfaces' full names, what is said of them, and the tests that hold it.
struct Row {
    names: Vec<String>,
    what: String,
    tests: Vec<String>,
}

/// The rows of the table below `title`.
fn rows(title: &str) -> Vec<Row> {
    let (_, section) = PAGE
        .split_once(&format!("\n## {title}\n"))
        .unwrap_or_else(|| panic!("docs/interfaces.md has no section `{title}`"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<_> = rows.map(row).collect();
    assert!(!rows.is_empty(), "section `{title}` has no table");
    rows
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let [_, package, version, interfaces, what, tests, _] = cells[..] else {
        panic!("a row has not five cells: {line}");
    };
    assert!(!what.is_empty(), "nothing is said of {line}");
    let (package, version) = (quoted(package).concat(), quoted(version).concat());
    let names = quoted(interfaces)
        .iter()
        .map(|interface| match &*version {
            "" => format!("{package}/{interface}"),
            version => format!("{package}/{interface}@{version}"),
        })
        .collect();
    Row {
        names,
        what: what.to_owned(),
        tests: quoted(tests),
    }
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

fn names(title: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in rows(title).into_iter().flat_map(|row| row.names) {
        assert!(
            found.insert(name.clone()),
            "{name} has two rows in `{title}`"
        );
    }
    found
}

#[test]
fn the_page_has_every_interface_that_is_provided_and_no_other() {
    let (page, code) = (names("Provided"), linker::provided().collect());
    let unwritten: Vec<_> = BTreeSet::difference(&code, &page).collect();
    let untrue: Vec<_> = page.difference(&code).collect();
    assert!(
        unwritten.is_empty(),
        "provided, and not in docs/interfaces.md: {unwritten:?}"
    );
    assert!(
        untrue.is_empty(),
        "in docs/interfaces.md, and not provided: {untrue:?}"
    );
}

#[test]
fn what_is_renamed_is_provided() {
    for name in names("Renamed") {
        assert!(!linker::provides(&name), "{name} needs no other name");
        let seen = admitted(&format!("(component (import \"{name}\" (instance)))"));
        assert!(linker::provides(&seen.imports[0]), "{name}");
    }
}

#[test]
fn the_page_has_every_interface_that_is_refused_and_its_words() {
    let page: BTreeSet<_> = rows("Refused")
        .into_iter()
        .flat_map(|row| {
            row.names
                .into_iter()
                .map(move |name| (name, row.what.clone()))
        })
        .collect();
    let code = refused::REFUSED
        .iter()
        .flat_map(|(package, interfaces, words)| {
            let names = interfaces
                .iter()
                .map(move |name| format!("{package}/{name}"));
            names.map(|name| (name, (*words).to_owned()))
        });
    assert_eq!(page, code.collect());
}

#[test]
fn what_is_not_here_is_neither_provided_nor_refused() {
    for name in names("Not here") {
        assert!(!linker::provides(&name), "{name}");
        assert!(refused::words(&name).is_none(), "{name}");
    }
}

#[test]
fn what_is_exported_is_taken_for_a_handler() {
    for name in names("Exported") {
        let text =
            format!("(component (instance $handler) (export \"{name}\" (instance $handler)))");
        assert!(admitted(&text).http.is_some(), "{name}");
    }
}

/// What a component looks like when it is loaded.
fn admitted(text: &str) -> Inspection {
    let bytes = wat::parse_str(text).unwrap();
    inspect(&admit::admit(Cow::Owned(bytes)).unwrap()).unwrap()
}

#[test]
fn every_test_that_the_page_names_exists() {
    let mut tests = BTreeSet::new();
    for folder in ["src", "tests/it"] {
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut tests,
        );
    }
    assert!(tests.len() > 200, "only {} tests were found", tests.len());
    assert_eq!(
        PAGE.matches("\n## ").count(),
        SECTIONS.len(),
        "a section of the page is not held against the code"
    );
    for row in SECTIONS.into_iter().flat_map(rows) {
        assert!(!row.tests.is_empty(), "no test holds {:?}", row.names);
        for test in row.tests {
            assert!(tests.contains(&test), "{:?}: there is no {test}", row.names);
        }
    }
}

/// The names of the tests in the files below a folder.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // `#[test]` and `#[tokio::test]`.
            for after in text.split("test]\n").skip(1) {
                let name = after.split_once("fn ").map_or(after, |(_, name)| name);
                tests.extend(name.split_once("()").map(|(name, _)| name.to_owned()));
            }
        }
    }
}
