//! Routes: the same one answers in whatever order they stand, and what it says of the path is in the
//! path. The last line of the input is the path, the others are routes.

use signet::server::router::{Pattern, Router};

/// Puts the routes in forwards and backwards and asks both routers for the path.
pub fn router(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (routes, path) = text.rsplit_once('\n').unwrap_or(("", &text));
    let mut patterns: Vec<Pattern> = Vec::new();
    for pattern in routes.lines().filter_map(|line| Pattern::parse(line).ok()) {
        if !patterns.iter().any(|have| have.same_paths(&pattern)) {
            patterns.push(pattern);
        }
    }
    let routes_of = |patterns: &[Pattern]| patterns.iter().cloned().map(|one| (one, ())).collect();
    let forwards = Router::new(routes_of(&patterns));
    patterns.reverse();
    let backwards = Router::new(routes_of(&patterns));
    let found = forwards.route(path);
    assert_eq!(found, backwards.route(path), "{patterns:?}");
    if let Some(found) = found {
        assert!(path.ends_with(found.trailing));
        assert!(found.trailing.is_empty() || found.trailing.starts_with('/'));
        let names: Vec<_> = found.params.iter().map(|(name, _)| *name).collect();
        assert!(found.pattern.parameters().eq(names));
        for (_, value) in found.params {
            assert!(!value.is_empty() && !value.contains('/') && path.contains(value));
        }
    }
}
