//! One room behind all its faces: what a guest writes through one it reads through each other, and each
//! refuses in its own words.

use crate::support::{Host, fixture};

const SQL: [&str; 4] = ["fermyon-2.0", "spin-3.0", "spin-3.1", "spin-3.1-sync"];
const CONFIG: [&str; 4] = [
    "config-2024-09-27",
    "config-draft",
    "config-rc.1",
    "config-runtime",
];
const VARIABLES: [&str; 2] = ["fermyon-2.0", "spin-3.0"];

fn guest() -> Host {
    Host::of(fixture("fixture-guest-faces"))
}

#[test]
fn what_one_face_of_sqlite_writes_every_other_reads() {
    let host = guest().with("sqlite_databases = [\"default\"]").start();
    assert_eq!(host.get("/sql/fermyon-2.0/create?default"), "\n");
    let mut expected = vec!["face,whole,part,words,bytes,absent".to_owned()];
    for face in SQL {
        assert_eq!(host.get(&format!("/sql/{face}/write?default")), "\n");
        expected.push(format!(
            "[Value::Text(\"{face}\"), Value::Integer(-9223372036854775808), Value::Real(-0.5), \
             Value::Text(\"grün\"), Value::Blob([0, 255]), Value::Null]"
        ));
        for reader in SQL {
            let rows = host.get(&format!("/sql/{reader}/read?default"));
            assert_eq!(rows, expected.join("\n"), "{reader} after {face}");
        }
    }
}

#[test]
fn every_face_of_sqlite_refuses_in_its_own_words() {
    let host = guest()
        .with("sqlite_databases = [\"default\", \"unconfigured\"]")
        .start();
    for face in SQL {
        let open = |label: &str| host.get(&format!("/sql/{face}/open?{label}"));
        assert_eq!(open("default"), "opened", "{face}");
        assert_eq!(open("secret"), "Error::AccessDenied", "{face}");
        assert_eq!(open("unconfigured"), "Error::NoSuchDatabase", "{face}");
        let failed = host.get(&format!("/sql/{face}/fail?default"));
        assert_eq!(failed, "Error::Io(\"no such table: nowhere\")", "{face}");
    }
}

#[test]
fn every_face_of_variables_gives_the_same_value() {
    let host = guest().variable("greeting", "hello").start();
    let get = |face: &str| host.get(&format!("/variables/{face}/get?greeting"));
    for face in VARIABLES {
        assert_eq!(get(face), "Ok(\"hello\")", "{face}");
    }
    for face in CONFIG {
        assert_eq!(get(face), "Ok(Some(\"hello\"))", "{face}");
    }
}

#[test]
fn every_face_of_variables_refuses_in_its_own_words() {
    let host = guest().variable("greeting", "hello").start();
    let get = |face: &str, name: &str| host.get(&format!("/variables/{face}/get?{name}"));
    for face in VARIABLES {
        for (name, error) in [("other", "Undefined"), ("NOT-A-NAME", "InvalidName")] {
            let said = get(face, name);
            let expected = format!("Err(Error::{error}(\"variable `{name}` ");
            assert!(said.starts_with(&expected), "{face}: {said}");
        }
    }
    for face in CONFIG {
        for name in ["other", "NOT-A-NAME"] {
            assert_eq!(get(face, name), "Ok(None)", "{face}: {name}");
        }
    }
}

#[test]
fn all_variables_are_those_of_the_component_and_no_others() {
    let other = fixture("fixture-guest-faces");
    let host = guest()
        .variable("token", "hunter2")
        .and("greeting = \"hello {{ token }}\"")
        .and(&format!(
            "[component.other]\nsource = \"{}\"\n\
             [component.other.variables]\nforeign = \"{{{{ token }}}}\"",
            other.display()
        ))
        .start();
    for face in CONFIG {
        let all = host.get(&format!("/variables/{face}/all"));
        let expected = "Ok([(\"greeting\", \"hello hunter2\"), (\"token\", \"hunter2\")])";
        assert_eq!(all, expected, "{face}");
    }
    let none = guest().start().get("/variables/config-rc.1/all");
    assert_eq!(none, "Ok([])");
}
