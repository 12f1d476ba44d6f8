//! Components of one app that ask one another, in process: as far as it is granted, without end for no one,
//! and as over HTTP in all that a guest can see.

use std::fmt::Write as _;

use crate::support::{Host, Served, fixture, get, request};

/// A manifest's lines for one more component of WASI 0.3.
fn component(name: &str, route: &str, more: &str) -> String {
    format!(
        "[[trigger.http]]\nroute = {route}\ncomponent = \"{name}\"\n[component.{name}]\n\
         source = \"{}\"\n{more}\n[component.{name}.dependencies]\n\
         \"fixture:test/probe\" = {{ path = \"{}\" }}\n",
        fixture("fixture-guest").display(),
        fixture("fixture-dependency").display(),
    )
}

/// And for one of WASI 0.2.
fn old(name: &str, more: &str) -> String {
    format!(
        "[[trigger.http]]\nroute = {{ private = true }}\ncomponent = \"{name}\"\n[component.{name}]\n\
         source = \"{}\"\n{more}\n",
        fixture("fixture-guest-p2").display(),
    )
}

const PRIVATE: &str = "{ private = true }";

/// Who may call the components of its app.
fn caller(granted: &str) -> Host {
    Host::of(fixture("fixture-guest"))
        .link("fixture:test/probe", &fixture("fixture-dependency"), "")
        .with(&format!("allowed_outbound_hosts = [{granted}]"))
}

fn ask(host: &Served, url: &str) -> String {
    host.get(&format!("/ask?{url}"))
}

#[test]
fn a_private_component_answers_those_of_its_app_that_are_granted_it_and_no_client() {
    let host = caller("\"http://hidden.spin.internal\"")
        .and(&component("hidden", PRIVATE, ""))
        .and(&component("other", "\"/other/...\"", ""))
        .start();
    let hello = "status 200: hello";
    assert_eq!(ask(&host, "http://hidden.spin.internal/hello"), hello);
    assert_eq!(ask(&host, "http://HIDDEN.spin.internal./hello"), hello);
    for denied in [
        "http://other.spin.internal/hello",
        "http://nobody.spin.internal/hello",
        "http://self/hello",
        "http://hidden.spin.internal:8080/hello",
        "https://hidden.spin.internal/hello",
    ] {
        let said = ask(&host, denied);
        assert_eq!(said, "ErrorCode::HttpRequestDenied", "{denied}");
    }
    // From outside there is no way to it, whatever the client calls it.
    let outside = [("host", "hidden.spin.internal")];
    let answer = request(host.address(), "GET", "/hello", &outside, b"");
    assert_eq!(answer.status, 400, "{}", answer.body);
    let said = get(host.address(), "/header?spin-matched-route").body;
    assert_eq!(said, "/...");
}

#[test]
fn all_components_may_be_granted_and_one_that_is_not_there_is_a_name_that_does_not_resolve() {
    let host = caller("\"http://*.spin.internal\"")
        .and(&component("hidden", PRIVATE, ""))
        .start();
    let said = ask(&host, "http://hidden.spin.internal/hello");
    assert_eq!(said, "status 200: hello");
    for nobody in ["nobody", "hidden.hidden", ""] {
        let said = ask(&host, &format!("http://{nobody}.spin.internal/hello"));
        let expected = if nobody.is_empty() {
            // No name at all is no host either.
            said.starts_with("ErrorCode::")
        } else {
            said.starts_with("ErrorCode::DnsError") && said.contains(&format!("`{nobody}`"))
        };
        assert!(expected, "{nobody}: {said}");
    }
}

#[test]
fn a_callee_is_told_who_it_is_and_that_there_is_no_client() {
    let host = caller("\"http://*.spin.internal\", \"http://self\"")
        .and(&component("hidden", PRIVATE, ""))
        .and(&component("users", "\"/users/:id/...\"", ""))
        .start();
    let url = "http://hidden.spin.internal/a/header";
    for (name, expected) in [
        ("spin-path-info", "/a/header"),
        ("spin-full-url", &format!("{url}?spin-full-url")),
        ("spin-matched-route", "/..."),
        ("spin-component-route", ""),
        ("spin-client-addr", "0.0.0.0:0"),
    ] {
        let said = ask(&host, &format!("{url}?{name}"));
        assert_eq!(said, format!("status 200: {expected}"), "{name}");
    }
    // The app itself is asked as from outside, and routes.
    let address = host.address();
    for own in ["self", "self.alt", "self:1234"] {
        for (name, expected) in [
            ("spin-path-match-id", "7".to_owned()),
            ("spin-path-info", "/header".to_owned()),
            (
                "spin-full-url",
                format!("http://{address}/users/7/header?spin-full-url"),
            ),
        ] {
            let said = ask(&host, &format!("http://{own}/users/7/header?{name}"));
            assert_eq!(said, format!("status 200: {expected}"), "{own}: {name}");
        }
    }
}

#[test]
fn a_path_of_the_app_itself_that_no_route_has_is_a_404() {
    let source = fixture("fixture-guest-p2");
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("spin.toml");
    let mut text = "spin_manifest_version = 2\n[application]\nname = \"test\"\n".to_owned();
    writeln!(
        text,
        "[[trigger.http]]\nroute = \"/ask\"\ncomponent = \"guest\"\n[component.guest]\n\
         source = \"{}\"\nallowed_outbound_hosts = [\"http://self\"]",
        source.display()
    )
    .unwrap();
    std::fs::write(&manifest, text).unwrap();
    let host = crate::support::serve(&manifest, &[]);
    let said = ask(&host, "http://self.alt/nowhere");
    assert!(said.starts_with("status 404: "), "{said}");
}

#[test]
fn components_of_both_versions_of_wasi_ask_one_another() {
    let all = "allowed_outbound_hosts = [\"http://*.spin.internal\"]";
    let host = caller("\"http://*.spin.internal\"")
        .and(&old("old", all))
        .and(&old("older", ""))
        .start();
    let old = "http://old.spin.internal";
    assert_eq!(
        ask(&host, &format!("{old}/hello")),
        "status 200: hello from 0.2"
    );
    let through = |name: &str| {
        ask(
            &host,
            &format!("{old}/ask?http://{name}.spin.internal/hello"),
        )
    };
    assert_eq!(through("older"), "status 200: status 200: hello from 0.2");
    assert_eq!(through("guest"), "status 200: status 200: hello");
    let header = format!("{old}/header?spin-path-info");
    assert_eq!(ask(&host, &header), "status 200: /header");
    let denied = "http://older.spin.internal/ask?http://old.spin.internal/hello";
    let said = ask(&host, denied);
    assert!(said.contains("HttpRequestDenied"), "{said}");
}

#[test]
fn a_circle_of_components_ends_in_a_typed_error_and_the_thread_goes_on() {
    let all = "allowed_outbound_hosts = [\"http://*.spin.internal\"]";
    let host = caller("\"http://*.spin.internal\"")
        .and(&old("old", all))
        .threads(1)
        .start();
    for name in ["guest", "old"] {
        for _ in 0..3 {
            let said = host.get(&format!("/circle?{name}"));
            assert!(said.contains("LoopDetected"), "{name}: {said}");
            assert_eq!(said.matches("status 200").count(), 16, "{name}: {said}");
            assert_eq!(host.get("/hello"), "hello");
        }
    }
}

#[test]
fn a_circle_ends_earlier_where_there_is_no_room_for_it() {
    let host = caller("\"http://*.spin.internal\"")
        .with("tool.signet.max_requests = 4")
        .threads(1)
        .start();
    let said = host.get("/circle?guest");
    assert!(said.contains("status 503"), "{said}");
    assert_eq!(said.matches("status 200").count(), 3, "{said}");
    assert_eq!(host.get("/hello"), "hello");

    let host = caller("\"http://*.spin.internal\"")
        .host("server.max_requests = 4")
        .start();
    let said = host.get("/circle?guest");
    assert!(said.contains("status 503"), "{said}");
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn bodies_go_through_both_ways_as_they_come() {
    let host = caller("\"http://hidden.spin.internal\"")
        .and(&component("hidden", PRIVATE, "tool.signet.memory_mb = 4"))
        .start();
    let all = 8 << 20;
    let hidden = "http://hidden.spin.internal";
    let said = host.get(&format!("/upload?{hidden}/echo"));
    assert_eq!(said, format!("status 200, {all} bytes"));
    let said = host.get(&format!("/fetch-body?{hidden}/long?1000000"));
    assert_eq!(said, "status 200, 1000000 bytes");
    let said = host.get(&format!("/fetch-body?{hidden}/late?200"));
    assert_eq!(said, "status 200, 12 bytes");
}

#[test]
fn a_callee_has_its_own_bounds() {
    let bounds = "tool.signet.request_timeout_ms = 300\ntool.signet.response_timeout_ms = 300\n\
                  tool.signet.max_request_body_bytes = 1000\ntool.signet.max_response_body_bytes = 100000";
    let host = caller("\"http://hidden.spin.internal\"")
        .and(&component("hidden", PRIVATE, bounds))
        .threads(1)
        .start();
    let fetch = |path: &str| host.get(&format!("/fetch-body?http://hidden.spin.internal{path}"));
    assert!(fetch("/sleep?60000").starts_with("status 504"));
    assert!(fetch("/loop").starts_with("status 504"));
    assert!(fetch("/long?200000").starts_with("status 500"));
    let said = fetch("/endless");
    assert!(
        said.contains("HttpResponseBodySize(Some(100000))"),
        "{said}"
    );
    let said = fetch("/never-ends");
    assert!(
        said.starts_with("status 200, then ErrorCode::HttpResponse"),
        "{said}"
    );
    let said = host.get("/upload?http://hidden.spin.internal/read");
    assert!(said.starts_with("status 413"), "{said}");
    assert_eq!(fetch("/hello"), "status 200, 5 bytes");
}

#[test]
fn a_callees_trap_is_a_500_to_its_caller_and_nothing_to_anyone_else() {
    let host = caller("\"http://*.spin.internal\"")
        .and(&component("hidden", PRIVATE, ""))
        .and(&old("old", ""))
        .threads(1)
        .start();
    for callee in ["hidden", "old"] {
        let said = ask(&host, &format!("http://{callee}.spin.internal/trap"));
        assert!(said.starts_with("status 500: "), "{callee}: {said}");
        assert!(!said.contains("unreachable"), "{callee}: {said}");
        let said = ask(&host, &format!("http://{callee}.spin.internal/hello"));
        assert!(said.starts_with("status 200: hello"), "{callee}: {said}");
    }
    let half = host.get("/fetch-body?http://hidden.spin.internal/half?100000");
    assert_eq!(half, "status 200, then ErrorCode::HttpResponseIncomplete");
}
