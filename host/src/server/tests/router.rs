//! Which route answers a path, case by case.

use super::*;

fn router(routes: &[&'static str]) -> Router<&'static str> {
    Router::new(
        routes
            .iter()
            .map(|route| (Pattern::parse(route).unwrap(), *route))
            .collect(),
    )
}

fn found(routes: &[&'static str], path: &str) -> Option<&'static str> {
    router(routes).route(path).map(|found| *found.value)
}

#[test]
fn exact_routes_fit_their_path_with_or_without_a_slash_at_the_end() {
    for routes in [["/a/b"], ["/a/b/"]] {
        for path in ["/a/b", "/a/b/"] {
            assert_eq!(found(&routes, path), Some(routes[0]), "{path}");
        }
        for path in [
            "/a", "/a/b/c", "/a/bc", "/a//b", "//a/b", "/a/b//", "/A/b", "a/b", "",
        ] {
            assert_eq!(found(&routes, path), None, "{path}");
        }
    }
    assert_eq!(found(&["/"], "/"), Some("/"));
    assert_eq!(found(&["/"], "/a"), None);
}

#[test]
fn a_wildcard_fits_its_prefix_and_all_below() {
    for path in ["/", "/a", "/a/b/", "//x"] {
        assert_eq!(found(&["/..."], path), Some("/..."), "{path}");
    }
    for path in ["/a", "/a/", "/a/b/c"] {
        assert_eq!(found(&["/a/..."], path), Some("/a/..."), "{path}");
        assert_eq!(found(&["/a/*"], path), Some("/a/*"), "{path}");
    }
    assert_eq!(found(&["/a/..."], "/ab"), None);
}

#[test]
fn a_path_without_its_slash_fits_no_route() {
    for path in ["", "a", "*", "a/b"] {
        for route in ["/...", "/", "/a", "/:x"] {
            assert_eq!(found(&[route], path), None, "{path} in {route}");
        }
    }
}

#[test]
fn trailing_keeps_its_slashes() {
    let router = router(&["/test/..."]);
    for (path, trailing) in [
        ("/test", ""),
        ("/test/", "/"),
        ("/test/hello", "/hello"),
        ("/test/hello/", "/hello/"),
    ] {
        assert_eq!(router.route(path).unwrap().trailing, trailing, "{path}");
    }
}

#[test]
fn parameters_stand_for_one_segment_each() {
    let router = router(&["/users/:id/keys/:key/..."]);
    let found = router.route("/users/7/keys/a%2Fb/x/y").unwrap();
    assert_eq!(found.params, [("id", "7"), ("key", "a%2Fb")]);
    assert_eq!(found.trailing, "/x/y");
    assert!(router.route("/users//keys/k").is_none());
}

#[test]
fn the_most_specific_route_answers_in_whatever_order_they_stand() {
    let mut routes = ["/...", "/a/...", "/a/:x", "/a/b", "/a/b/...", "/:x/b", "/a"];
    for _ in 0..routes.len() {
        routes.rotate_left(1);
        for (path, expected) in [
            ("/a", "/a"),
            ("/a/b", "/a/b"),
            ("/a/b/c", "/a/b/..."),
            ("/a/c", "/a/:x"),
            ("/a/c/d", "/a/..."),
            ("/c/b", "/:x/b"),
            ("/c", "/..."),
        ] {
            assert_eq!(found(&routes, path), Some(expected), "{path} in {routes:?}");
        }
    }
}

#[test]
fn a_route_below_a_base_is_known_with_it_and_without() {
    let pattern = Pattern::below("/base", "/a/...").unwrap();
    assert_eq!(pattern.as_str(), "/base/a/...");
    assert_eq!(pattern.split(), ("/base", "/a/..."));
    assert_eq!(Pattern::below("", "/a").unwrap().split(), ("", "/a"));
    assert_eq!(
        Pattern::below("/base", "a").unwrap_err(),
        PatternError::Relative("a".into())
    );
}

#[test]
fn what_answers_outlives_the_path() {
    let router = router(&["/a"]);
    let path = String::from("/a");
    let value = router.route(&path).map(|found| found.value);
    drop(path);
    assert_eq!(value, Some(&"/a"));
}

#[test]
fn routes_that_fit_the_same_paths_are_recognised() {
    let same = |one: &str, other: &str| {
        Pattern::parse(one)
            .unwrap()
            .same_paths(&Pattern::parse(other).unwrap())
    };
    assert!(same("/a/:x", "/a/:y/"));
    assert!(same("/a/...", "/a/*"));
    assert!(!same("/a", "/a/..."));
    assert!(!same("/a/:x", "/a/x"));
}

#[test]
fn what_is_no_route_is_refused() {
    use PatternError as E;
    let error = |text: &str| Pattern::parse(text).unwrap_err();
    assert_eq!(error("a"), E::Relative("a".into()));
    assert_eq!(error(""), E::Relative("".into()));
    assert_eq!(error("/a//b"), E::EmptySegment("/a//b".into()));
    assert_eq!(error("/.../a"), E::Wildcard("/.../a".into()));
    assert_eq!(error("/a..."), E::Wildcard("/a...".into()));
    assert_eq!(error("/:"), E::Parameter("/:".into()));
    assert_eq!(error("/:a.json"), E::Parameter("/:a.json".into()));
    assert_eq!(
        error("/:a/:a"),
        E::Repeated {
            route: "/:a/:a".into(),
            name: "a".into()
        }
    );
    assert_eq!(
        error("/a?b"),
        E::Character {
            route: "/a?b".into(),
            character: '?'
        }
    );
}
