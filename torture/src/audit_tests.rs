//! The audit's own laws: each thing that must not be is seen.

use super::*;
use crate::ledger::{Event, Fall};

const RULES: fn() -> Rules = || Rules {
    apps: vec![0],
    ordered: vec![true],
    timeout: 1500,
};

/// Event 1 was accepted and came at 100, answered so at 110.
fn page(answer: Answer) -> Page {
    let mut page = Page::default();
    accept(&mut page, 1);
    page.arrivals.push(came(1, 100, answer));
    page
}

fn accept(page: &mut Page, number: u64) {
    let event = Event {
        number,
        app: 0,
        fate: Fate::Accepted(format!("id{number}")),
    };
    page.events.insert(number, event);
}

fn came(number: u64, at: u64, answer: Answer) -> Arrival {
    Arrival {
        lane: 0,
        number: Some(number),
        id: format!("id{number}"),
        at,
        answer: Some((at + 10, answer)),
        wrong: None,
    }
}

fn held(page: &Page, said: Said) -> (Account, Vec<String>) {
    let said = page.events.keys().map(|number| ((*number, 0), said));
    audit(page, &said.collect(), &RULES())
}

#[test]
fn what_came_and_was_answered_is_delivered() {
    let (account, wrong) = held(&page(Answer::Good), Said::Done);
    assert_eq!(
        (account.accepted, account.delivered, account.lost),
        (1, 1, 0)
    );
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn what_was_never_answered_with_success_is_dead_or_lost() {
    assert_eq!(held(&page(Answer::Bad), Said::Dead).0.dead, 1);
    for said in [Said::Done, Said::Open] {
        let (account, wrong) = held(&page(Answer::Bad), said);
        assert_eq!((account.lost, wrong.len()), (1, 1), "{said:?}");
    }
}

#[test]
fn a_duplicate_is_explained_by_a_fall_before_its_answer_can_have_been_stored() {
    let mut page = page(Answer::Good);
    page.arrivals.push(came(1, 5000, Answer::Good));
    assert_eq!(held(&page, Said::Done).0.unexplained, 1);
    for (at, unexplained) in [(50, 1), (105, 0), (1000, 0), (4000, 1), (6000, 1)] {
        page.falls = vec![Fall {
            from: at,
            until: at,
        }];
        let (account, _) = held(&page, Said::Done);
        assert_eq!(
            (account.duplicates, account.unexplained),
            (1, unexplained),
            "{at}"
        );
    }
}

#[test]
fn two_attempts_at_once_are_seen() {
    let mut page = page(Answer::Good);
    page.arrivals[0].answer = None;
    page.arrivals.push(came(1, 300, Answer::Good));
    assert_eq!(held(&page, Said::Done).1.len(), 1);
    page.arrivals[1] = came(1, 1700, Answer::Good);
    assert!(held(&page, Said::Done).1.is_empty());
}

#[test]
fn another_id_a_bad_signature_and_what_was_never_accepted_are_seen() {
    let mut other = page(Answer::Good);
    other.arrivals[0].id = "id2".to_owned();
    let mut forged = page(Answer::Good);
    forged.arrivals[0].wrong = Some("x-signature does not hold".to_owned());
    let mut refused = page(Answer::Good);
    refused.events.get_mut(&1).unwrap().fate = Fate::Refused;
    let mut unknown = page(Answer::Good);
    unknown.arrivals.push(came(2, 300, Answer::Good));
    for page in [other, forged, refused, unknown] {
        assert_eq!(held(&page, Said::Done).1.len(), 1, "{page:?}");
    }
}

#[test]
fn an_older_event_after_a_younger_is_out_of_order() {
    let mut page = page(Answer::Good);
    accept(&mut page, 2);
    page.arrivals.push(came(2, 200, Answer::Good));
    assert!(held(&page, Said::Done).1.is_empty());
    page.arrivals.swap(0, 1);
    assert_eq!(held(&page, Said::Done).0.out_of_order, 1);
}
