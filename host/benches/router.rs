//! The component for a path, among few routes and among many.

use divan::{Bencher, black_box};
use signet::server::router::{Pattern, Router};

fn main() {
    divan::main();
}

/// A router with so many routes: every third one has a parameter, every third one takes all below it.
fn routes(count: usize) -> Router<usize> {
    let route = |number: usize| {
        let text = match number % 3 {
            0 => format!("/api/v1/route-{number}"),
            1 => format!("/api/v1/route-{number}/:name/details"),
            _ => format!("/api/v1/route-{number}/..."),
        };
        (Pattern::parse(&text).unwrap(), number)
    };
    Router::new((0..count).map(route).collect())
}

#[divan::bench(args = [10, 1000])]
fn last_route(bencher: Bencher<'_, '_>, count: usize) {
    let router = routes(count);
    let path = format!("/api/v1/route-{}/", count - count % 3 - 1);
    bencher.bench_local(|| router.route(black_box(&path)).is_some());
}

#[divan::bench(args = [10, 1000])]
fn no_route(bencher: Bencher<'_, '_>, count: usize) {
    let router = routes(count);
    bencher.bench_local(|| router.route(black_box("/api/v1/elsewhere")).is_some());
}
