//! `docs/limits.md` says what the code does.

use std::fmt::Write as _;

use super::*;

const PAGE: &str = include_str!("../../../../docs/limits.md");

/// The keys and defaults of the table below `title`, as the page has them.
fn documented(title: &str) -> String {
    let (_, section) = PAGE
        .split_once(&format!("\n## {title}\n"))
        .unwrap_or_else(|| panic!("docs/limits.md has no section `{title}`"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut rows = String::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert!(!cells[3].is_empty(), "nothing is said of {}", cells[1]);
        writeln!(rows, "{} {}", cells[1], cells[2]).unwrap();
    }
    rows
}

/// The same from the code.
fn coded<T>(bounds: &[Bound<T>], default: &T) -> String {
    let mut rows = String::new();
    for bound in bounds {
        let value = bound.value(default);
        let value = value.map_or("none".to_owned(), |value| value.to_string());
        writeln!(rows, "`{}` {value}", bound.key).unwrap();
    }
    rows
}

#[test]
fn the_page_has_every_limit_and_its_default() {
    assert_eq!(
        documented("A component"),
        coded(COMPONENT, &Default::default())
    );
    assert_eq!(documented("The host"), coded(HOST, &Default::default()));
    assert_eq!(
        documented("Outbound requests"),
        coded(OUTBOUND, &Default::default())
    );
    assert_eq!(documented("SQL"), coded(SQLITE, &Default::default()));
    assert_eq!(
        documented("Key-value"),
        coded(KEY_VALUE, &Default::default())
    );
    assert_eq!(documented("A queue"), coded(QUEUE, &Default::default()));
    assert_eq!(documented("All queues"), coded(QUEUES, &Default::default()));
    let tables = PAGE.matches("| key | default |").count();
    assert_eq!(
        tables, 7,
        "a table of the page is not held against the code"
    );
}

#[test]
fn what_is_set_is_what_is_read_back() {
    fn check<T: Default>(bounds: &'static [Bound<T>]) {
        for bound in bounds {
            let mut set = T::default();
            (bound.set)(&mut set, 7);
            assert_eq!(bound.value(&set), Some(7), "{}", bound.key);
        }
    }
    check(COMPONENT);
    check(HOST);
    check(OUTBOUND);
    check(SQLITE);
    check(KEY_VALUE);
    check(QUEUE);
    check(QUEUES);
}
