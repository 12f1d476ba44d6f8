//! What is counted is shown, under the names that `docs/operations.md` has.

use std::time::Duration;

use super::*;

const PAGE: &str = include_str!("../../../docs/operations.md");

fn line<'t>(text: &'t str, start: &str) -> &'t str {
    text.lines()
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("{start} is not in {text}"))
}

#[test]
fn what_is_counted_is_shown_under_the_components_name() {
    let metrics = Metrics::default();
    let component = metrics.component("shop", "hooks");
    component.asked().answered(204);
    drop(component.asked());
    let present = Present::new(&component.instances);
    let labels = "app=\"shop\",component=\"hooks\"";
    let text = metrics.text();
    for (name, status, count) in [
        ("requests_total", ",status=\"2xx\"", 1),
        ("requests_total", ",status=\"none\"", 1),
        ("requests_total", ",status=\"5xx\"", 0),
        ("request_duration_seconds_count", "", 1),
        ("requests_under_way", "", 0),
        ("instances", "", 1),
    ] {
        let name = format!("signet_{name}{{{labels}{status}}} ");
        assert_eq!(line(&text, &name), format!("{name}{count}"));
    }
    drop(present);
    assert!(line(&metrics.text(), "signet_instances{").ends_with(" 0"));
}

#[test]
fn buckets_count_all_that_is_shorter() {
    let histogram = histogram::Histogram::default();
    for milliseconds in [1, 30, 60_000] {
        histogram.observe(Duration::from_millis(milliseconds));
    }
    let mut registry = Registry::default();
    registry.register("took", "x", histogram);
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry).unwrap();
    for (end, count) in [
        ("0.0005", 0),
        ("0.001", 1),
        ("0.05", 2),
        ("30", 2),
        ("+Inf", 3),
    ] {
        let name = format!("took_bucket{{le=\"{end}\"}} ");
        assert_eq!(line(&text, &name), format!("{name}{count}"));
    }
    assert_eq!(line(&text, "took_sum"), "took_sum 60.031");
}

#[test]
fn a_file_has_its_size_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("default.db");
    std::fs::write(&path, [0; 100]).unwrap();
    std::fs::write(folder.path().join("default.db-wal"), [0; 11]).unwrap();
    let metrics = Metrics::default();
    metrics.watch(File {
        app: "shop".into(),
        kind: "sqlite",
        label: "default".into(),
        path,
    });
    let text = metrics.text();
    assert!(
        line(&text, "signet_storage_bytes{").ends_with(" 111"),
        "{text}"
    );
}

#[test]
fn the_page_has_every_metric_and_its_type() {
    let metrics = Metrics::default();
    metrics.component("a", "c");
    metrics.queue("a", "c", "q");
    metrics.refused(404);
    metrics.watch(File {
        app: "a".into(),
        kind: "sqlite",
        label: "l".into(),
        path: "nowhere".into(),
    });
    let text = metrics.text();
    let mut coded: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.replace(' ', " | "))
        .collect();
    let rows = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `signet_"));
    let mut documented: Vec<String> = rows
        .map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let name = cells.next().unwrap().trim_end_matches('`');
            let kind = cells.next().unwrap();
            assert!(
                cells.nth(1).is_some_and(|meaning| !meaning.is_empty()),
                "{row}"
            );
            format!("signet_{name} | {kind}")
        })
        .collect();
    coded.sort();
    documented.sort();
    assert_eq!(documented, coded);
}
