//! What is written for programs is read back as it was, and nothing is done by who leaves something out.

use super::super::operator::Selection;
use super::super::{Change, Ended, Filter, Job as Kept, Phase, Shown as KeptShown};
use super::*;

fn id() -> JobId {
    format!("{}-0007", "0123456789abcdef".repeat(2))
        .parse()
        .unwrap()
}

fn job(state: State) -> Kept {
    Kept {
        id: id(),
        queue: QueueName {
            owner: "guest".into(),
            name: "jobs".into(),
        },
        lane: "a lane".into(),
        detail: Bytes::new(),
        state,
        attempts: 3,
        accepted_at: 5,
    }
}

fn back<T: Serialize + for<'de> Deserialize<'de>>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

#[test]
fn a_job_is_read_as_it_was_written() {
    let reason = "never".to_owned();
    for state in [
        State::Waiting { due_at: 9 },
        State::Claimed { until: 9 },
        State::Done { ended_at: 9 },
        State::Dead {
            ended_at: 9,
            reason,
        },
    ] {
        let job = job(state);
        assert_eq!(Kept::from(back(&Job::from(&job))), job);
    }
    let text = serde_json::to_value(Job::from(&job(State::Claimed { until: 9 }))).unwrap();
    assert_eq!(
        (&text["state"], &text["leased_until"]),
        (&"claimed".into(), &9.into())
    );
    assert_eq!(text["batch"], "0123456789abcdef".repeat(2));
}

#[test]
fn what_a_job_carries_is_written_only_when_asked_for_whatever_it_is() {
    let attempt = Attempt {
        number: 1,
        started_at: 6,
        ended_at: 7,
        ended: Ended::Expired,
        note: "gone".into(),
    };
    let mut shown = KeptShown {
        job: job(State::Waiting { due_at: 9 }),
        body: Bytes::from_static(b"\xff\0"),
        attempts: vec![attempt],
    };
    shown.job.detail = Bytes::from_static("{\"base64\":\"text\"}".as_bytes());
    assert_eq!(KeptShown::from(back(&Shown::of(&shown, true))), shown);
    let without = serde_json::to_value(Shown::of(&shown, false)).unwrap();
    assert_eq!((without.get("body"), without.get("detail")), (None, None));
    assert_eq!(without["history"][0]["ended"], "expired");
}

#[test]
fn a_query_is_read_as_it_was_written_and_refused_with_the_cure() {
    let which = Selection {
        filter: Filter {
            owner: Some("guest".into()),
            queue: Some("a&b=c".into()),
            lane: Some("ä +%".into()),
            phase: Some(Phase::Dead),
            batch: Some(id().batch),
            ..Filter::default()
        },
        jobs: vec![id(), id()],
    };
    for query in [
        Query {
            which,
            after: Some(id()),
            limit: MOST,
        },
        Query {
            which: Selection::default(),
            after: None,
            limit: LIMIT,
        },
    ] {
        assert_eq!(Query::read(&query.text()), Ok(query));
    }
    assert_eq!(Query::read("").unwrap().limit, LIMIT);
    for (text, words) in [
        ("stat=dead", "`stat` cannot be asked for: there are"),
        ("state=gone", "`state` is waiting, claimed, done or dead"),
        ("after=1", "`after`: name of a job"),
        ("batch=", "`batch`: name of a batch"),
        ("limit=0", "from 1 to 1000"),
        ("limit=1001", "go on with `after`"),
        ("limit=x", "`limit`: invalid digit"),
        ("lane=a&lane=b", "`lane` is given twice"),
    ] {
        let error = Query::read(text).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn an_order_changes_nothing_unless_it_says_so() {
    for text in ["", " \n", "{}", "{\"lane\":\"a\"}", "{\"dry_run\":true}"] {
        assert!(Order::read(text.as_bytes()).unwrap().dry_run, "{text}");
    }
    for text in [
        "{\"dry-run\":false}",
        "{\"dry_run\":null}",
        "{\"lanes\":[]}",
        "[]",
        "[null,null,null,null,null,[],null,null,null,false]",
        "{\"jobs\":[1]}",
    ] {
        assert!(Order::read(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn an_order_is_read_as_it_was_written() {
    let which = Selection {
        filter: Filter {
            lane: Some("a".into()),
            phase: Some(Phase::Dead),
            ..Filter::default()
        },
        jobs: vec![id()],
    };
    for change in [
        Change::Retry { done: true },
        Change::Bury {
            reason: "late".into(),
        },
        Change::Purge,
    ] {
        let order = back(&Order::new(&which, &change, Some(id()), false));
        assert_eq!(
            (order.which(), order.after, order.dry_run),
            (which.clone(), Some(id()), false)
        );
        let verb = Verb::named(Verb::of(&change).word()).unwrap();
        assert_eq!(order.change(verb), Ok(change));
    }
    let order: Order = serde_json::from_str("{\"done\":true}").unwrap();
    assert!(
        order
            .change(Verb::Purge)
            .unwrap_err()
            .contains("belongs to retry")
    );
    let order: Order = serde_json::from_str("{\"reason\":\"\"}").unwrap();
    assert!(
        order
            .change(Verb::Retry)
            .unwrap_err()
            .contains("belongs to dead")
    );
}
