//! Routing against a model: a search through the segments that tries what is most specific first.

use proptest::prelude::*;

use super::{Pattern, Router};
use crate::cases::cases;

/// A route of a small world, so that many fit the same path.
fn route() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("ab"), Just(":")];
    let segments = prop::collection::vec(segment, 0..4);
    let end = prop_oneof![Just(""), Just("/"), Just("/..."), Just("/*"), Just("/.../")];
    (segments, end).prop_map(|(segments, end)| {
        let number = |(at, segment): (usize, &&str)| match *segment {
            // No two parameters of a route have one name.
            ":" => format!("/:p{at}"),
            exact => format!("/{exact}"),
        };
        let start: String = segments.iter().enumerate().map(number).collect();
        match (start.as_str(), end) {
            ("", "") => "/".to_owned(),
            (start, end) => format!("{start}{end}"),
        }
    })
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![Just("a"), Just("b"), Just("ab"), Just("c"), Just("")],
        0..5,
    )
    .prop_map(|segments| format!("/{}", segments.join("/")))
}

/// Routes of which no two fit the same paths.
fn routes() -> impl Strategy<Value = Vec<Pattern>> {
    prop::collection::vec(route(), 0..12).prop_map(|routes| {
        let mut kept: Vec<Pattern> = Vec::new();
        for pattern in routes.iter().map(|route| Pattern::parse(route).unwrap()) {
            if !kept.iter().any(|have| have.same_paths(&pattern)) {
                kept.push(pattern);
            }
        }
        kept
    })
}

/// A route's segments, and whether it ends in a wildcard.
fn segments(route: &str) -> (Vec<&str>, bool) {
    let mut segments: Vec<_> = route
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let wildcard = segments
        .last()
        .is_some_and(|last| matches!(*last, "..." | "*"));
    if wildcard {
        segments.pop();
    }
    (segments, wildcard)
}

/// The route for what is left of the path, of those that fit what came before it.
fn model<'r>(routes: &[(&'r str, Vec<&'r str>, bool)], path: &[&str]) -> Option<&'r str> {
    let below = |wanted: &dyn Fn(&str) -> bool| -> Vec<_> {
        let fits = routes
            .iter()
            .filter(|(_, left, _)| left.first().is_some_and(|first| wanted(first)));
        fits.map(|(route, left, wildcard)| (*route, left[1..].to_vec(), *wildcard))
            .collect()
    };
    let ended = |wildcard: bool| {
        let found = routes
            .iter()
            .find(|(_, left, with)| left.is_empty() && *with == wildcard);
        found.map(|(route, ..)| *route)
    };
    let [first, rest @ ..] = path else {
        return ended(false).or_else(|| ended(true));
    };
    if routes.is_empty() {
        return None;
    }
    model(&below(&|segment| segment == *first), rest)
        .or_else(|| {
            model(
                &below(&|segment| segment.starts_with(':') && !first.is_empty()),
                rest,
            )
        })
        .or_else(|| ended(true))
}

/// The segments of a path; one slash at its end means nothing.
fn path_segments(path: &str) -> Vec<&str> {
    match path.strip_prefix('/') {
        None | Some("") => Vec::new(),
        Some(rest) => rest.strip_suffix('/').unwrap_or(rest).split('/').collect(),
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn the_route_is_the_one_that_the_model_finds(patterns in routes(), path in path()) {
        let router = Router::new(patterns.iter().map(|pattern| (pattern.clone(), ())).collect());
        let taken_apart: Vec<_> = patterns
            .iter()
            .map(|pattern| {
                let (segments, wildcard) = segments(pattern.as_str());
                (pattern.as_str(), segments, wildcard)
            })
            .collect();
        let found = router.route(&path);
        let expected = model(&taken_apart, &path_segments(&path));
        prop_assert_eq!(found.as_ref().map(|found| found.pattern.as_str()), expected);
        if let Some(found) = found {
            // The pieces put together again are the path.
            let (segments, wildcard) = segments(found.pattern.as_str());
            let mut values = found.params.iter().map(|(_, value)| *value);
            let mut whole = String::new();
            for segment in segments {
                let value = if segment.starts_with(':') { values.next() } else { Some(segment) };
                whole.extend(["/", value.unwrap_or("no value")]);
            }
            whole.push_str(found.trailing);
            prop_assert_eq!(values.next(), None);
            prop_assert!(whole == path || (!wildcard && format!("{whole}/") == path), "{} is {}", whole, path);
        }
    }

    #[test]
    fn the_order_of_routes_changes_nothing(
        (patterns, shuffled) in routes().prop_flat_map(|routes| (Just(routes.clone()), Just(routes).prop_shuffle())),
        path in path(),
    ) {
        let router = |patterns: Vec<Pattern>| Router::new(patterns.into_iter().map(|one| (one, ())).collect());
        let (one, other) = (router(patterns), router(shuffled));
        prop_assert_eq!(one.route(&path), other.route(&path));
    }

    #[test]
    fn any_text_is_a_route_or_is_refused(route in "/?([a:.*/?# é]|\\PC){0,12}", path in "\\PC{0,12}") {
        if let Ok(pattern) = Pattern::parse(&route) {
            prop_assert_eq!(pattern.to_string(), route.as_str());
            let found = Router::new(vec![(pattern, ())]).route(&path).is_some();
            prop_assert!(!found || path.starts_with('/'));
        }
    }
}
