//! One room behind all its faces: what a guest writes through one it reads through each other, and each
//! refuses in its own words.

use crate::support::{Host, fixture};

const SQL: [&str; 4] = ["fermyon-2.0", "spin-3.0", "spin-3.1", "spin-3.1-sync"];
const VARIABLES: [&str; 4] = ["config-draft", "config-rc.1", "fermyon-2.0", "spin-3.0"];

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
    for face in VARIABLES {
        let said = host.get(&format!("/variables/{face}/get?greeting"));
        let expected = match face.starts_with("config") {
            true => "Ok(Some(\"hello\"))",
            false => "Ok(\"hello\")",
        };
        assert_eq!(said, expected, "{face}");
    }
}

#[test]
fn every_face_of_variables_refuses_in_its_own_words() {
    let host = guest().variable("greeting", "hello").start();
    for face in VARIABLES {
        let get = |name: &str| host.get(&format!("/variables/{face}/get?{name}"));
        let (other, invalid) = (get("other"), get("NOT-A-NAME"));
        if face.starts_with("config") {
            assert_eq!((&*other, &*invalid), ("Ok(None)", "Ok(None)"), "{face}");
        } else {
            assert!(
                other.contains("Error::Undefined(\"variable `other`"),
                "{other}"
            );
            assert!(
                invalid.contains("Error::InvalidName(\"variable `NOT-A-NAME`"),
                "{invalid}"
            );
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
    for face in ["config-draft", "config-rc.1"] {
        let all = host.get(&format!("/variables/{face}/all"));
        let expected = "Ok([(\"greeting\", \"hello hunter2\"), (\"token\", \"hunter2\")])";
        assert_eq!(all, expected, "{face}");
    }
    let none = guest().start().get("/variables/config-rc.1/all");
    assert_eq!(none, "Ok([])");
}
