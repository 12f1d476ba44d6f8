//! One key-value room behind all its faces: what a guest writes through one it reads through each other, what
//! they count and swap is the same, and each refuses in its own words.

use crate::support::{Host, Served, fixture};

const FACES: [&str; 4] = ["draft", "draft2", "fermyon-2.0", "spin-3.0"];
const DRAFTS: [&str; 2] = ["draft", "draft2"];

fn guest() -> Host {
    Host::of(fixture("fixture-guest-faces"))
        .with("key_value_stores = [\"default\", \"unconfigured\"]")
}

/// What the face answers for this action on the store `default`.
fn ask(host: &Served, face: &str, action: &str, arguments: &str) -> String {
    host.get(&format!("/kv/{face}/{action}?default{arguments}"))
}

#[test]
fn what_one_face_of_key_value_writes_every_other_reads() {
    let host = guest().start();
    let mut keys: Vec<&str> = Vec::new();
    for writer in FACES {
        let set = ask(&host, writer, "set", &format!("&{writer}&value"));
        assert_eq!(set, "()", "{writer}");
        keys.push(writer);
        for reader in FACES {
            let there = || ask(&host, reader, "exists", &format!("&{writer}"));
            let value = ask(&host, reader, "get", &format!("&{writer}"));
            assert_eq!(value, "Some(\"value\")", "{reader} after {writer}");
            assert_eq!(there(), "true", "{reader} after {writer}");
            assert_eq!(ask(&host, reader, "keys", ""), keys.join(" "), "{reader}");
        }
    }
    for eraser in FACES {
        assert_eq!(ask(&host, eraser, "delete", "&draft"), "()", "{eraser}");
        for reader in FACES {
            let value = ask(&host, reader, "get", "&draft");
            assert_eq!(value, "None", "{reader} after {eraser}");
        }
        assert_eq!(ask(&host, eraser, "set", "&draft&again"), "()", "{eraser}");
    }
}

#[test]
fn every_face_of_key_value_refuses_in_its_own_words() {
    let host = guest().host("key_value.max_open_stores = 1").start();
    let full = "key-value stores and compare-and-swap handles already: drop one";
    for face in FACES {
        let open = |label: &str| host.get(&format!("/kv/{face}/open?{label}"));
        assert_eq!(open("secret"), "Error::AccessDenied", "{face}");
        assert_eq!(open("unconfigured"), "Error::NoSuchStore", "{face}");
        assert_eq!(open("default"), "opened", "{face}");
        let said = ask(&host, face, "open-twice", "");
        match face.starts_with("draft") {
            true => assert!(
                said.starts_with("Error::Other(") && said.contains(full),
                "{said}"
            ),
            false => assert_eq!(said, "Error::StoreTableFull", "{face}"),
        }
    }
    let host = guest().host("key_value.max_value_bytes = 7").start();
    for face in FACES {
        let said = ask(&host, face, "set", "&key&too+long");
        let words = "Error::Other(\"value has 8 bytes: it takes at most 7\")";
        assert_eq!(said, words, "{face}");
    }
}

#[test]
fn what_both_drafts_count_adds_up() {
    let host = guest().start();
    let add = |face: &str, delta: i64| ask(&host, face, "increment", &format!("&count&{delta}"));
    assert_eq!(add("draft", 5), "5");
    assert_eq!(add("draft2", -2), "3");
    assert_eq!(add("draft", 1), "4");
    assert_eq!(add("draft2", -14), "-10");
    // The first draft has no word for a negative sum, and leaves the counter as it is.
    let words = "sum is beyond what the counter, or the interface, can hold: nothing was added";
    assert_eq!(add("draft", 9), format!("Error::Other(\"{words}\")"));
    assert_eq!(add("draft2", 0), "-10");
    assert_eq!(add("draft", 11), "1");
    // Every face sees the same eight bytes.
    for face in FACES {
        let value = ask(&host, face, "get", "&count");
        assert_eq!(
            value,
            format!("Some({:?})", "\u{1}\0\0\0\0\0\0\0"),
            "{face}"
        );
    }
}

#[test]
fn what_is_no_counter_is_an_error_and_no_trap() {
    let host = guest().start();
    ask(&host, "spin-3.0", "set", "&text&forty-one");
    for face in DRAFTS {
        let said = ask(&host, face, "increment", "&text&1");
        let words =
            "value has 9 bytes and is no counter: that has 8, a little-endian 64-bit integer";
        assert_eq!(said, format!("Error::Other(\"{words}\")"), "{face}");
        assert_eq!(ask(&host, face, "get", "&text"), "Some(\"forty-one\")");
    }
}

#[test]
fn a_swap_loses_to_a_write_of_any_face_and_wins_when_it_has_seen_it() {
    let host = guest().start();
    for face in FACES {
        ask(&host, "draft2", "set", &format!("&{face}&first"));
        let said = ask(
            &host,
            "draft2",
            "swap",
            &format!("&{face}&mine&{face}&theirs"),
        );
        let expected = "saw Ok(Some(\"first\")), lost, saw Ok(Some(\"theirs\")), swapped: true";
        assert_eq!(said, expected, "{face}");
        let value = ask(&host, face, "get", &format!("&{face}"));
        assert_eq!(value, "Some(\"mine\")", "{face}");
    }
    // Whoever writes what was there already has changed nothing.
    let said = ask(&host, "draft2", "swap", "&draft&other&draft&mine");
    assert_eq!(said, "saw Ok(Some(\"mine\")), swapped at once");
    // What is not there can be seen as well.
    let said = ask(&host, "draft2", "swap", "&new&mine&spin-3.0&theirs");
    assert_eq!(
        said,
        "saw Ok(None), lost, saw Ok(Some(\"theirs\")), swapped: true"
    );
}

#[test]
fn many_keys_go_in_one_call_through_both_drafts() {
    let host = guest().host("key_value.max_keys_per_call = 3").start();
    for (writer, reader) in [("draft", "draft2"), ("draft2", "draft")] {
        assert_eq!(ask(&host, writer, "set-many", "&a=1&b=2"), "()");
        for face in FACES {
            assert_eq!(ask(&host, face, "keys", ""), "a b", "{face} after {writer}");
        }
        let got = ask(&host, reader, "get-many", "&b&absent&a");
        let expected = match reader {
            "draft" => "[Some((\"b\", [50])), None, Some((\"a\", [49]))]",
            _ => "[(\"b\", Some([50])), (\"absent\", None), (\"a\", Some([49]))]",
        };
        assert_eq!(got, expected, "{reader}");
        // One key that may not be takes all others along.
        let said = ask(&host, writer, "set-many", "&c=3&=4");
        assert!(said.contains("key has 0 bytes"), "{said}");
        for many in ["set-many", "get-many", "delete-many"] {
            let said = ask(&host, writer, many, "&c&d&e&f");
            assert!(
                said.contains("call names 4 keys: it takes at most 3"),
                "{said}"
            );
        }
        assert_eq!(ask(&host, reader, "keys", ""), "a b");
        assert_eq!(ask(&host, reader, "delete-many", "&a&absent&b"), "()");
        assert_eq!(ask(&host, writer, "keys", ""), "");
    }
}

#[test]
fn keys_are_listed_page_by_page_through_both_drafts() {
    let host = guest().host("key_value.max_keys_per_call = 500").start();
    for face in DRAFTS {
        for range in ["&0&500", "&500&1000"] {
            assert_eq!(ask(&host, face, "fill", range), "()", "{face}");
        }
        // No page is empty, and none is promised that is.
        assert_eq!(ask(&host, face, "pages", ""), "500 500", "{face}");
        assert_eq!(ask(&host, face, "fill", "&1000&1201"), "()", "{face}");
        assert_eq!(ask(&host, face, "pages", ""), "500 500 201", "{face}");
        let all = ask(&host, "fermyon-2.0", "keys", "");
        assert_eq!(all.split(' ').count(), 1201);
        assert_eq!(ask(&host, face, "keys", ""), all, "{face}");
        // What is told may be removed before the next page: nothing is skipped.
        assert_eq!(ask(&host, face, "drain", ""), "500 500 201", "{face}");
        assert_eq!(ask(&host, face, "pages", ""), "0", "{face}");
    }
}
