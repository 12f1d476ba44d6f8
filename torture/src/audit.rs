//! Holds what consumers received against what was accepted. Comes in: one cycle's page, and how the host says each
//! delivery stands; goes out: an account, and everything that must not be. Never asks anybody, never reads a clock.

use std::collections::BTreeMap;

use crate::ledger::{Answer, Arrival, Fate, Page};

/// How long the host may take to store an answer that it had: a fall after that explains no duplicate. In
/// milliseconds.
const GRACE: u64 = 2000;

/// What the host says of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is delivered.
    Done,
    /// It was tried often enough.
    Dead,
    /// It waits, or is on its way.
    Open,
}

/// What the audit goes by.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The app of each lane.
    pub(crate) apps: Vec<usize>,
    /// The lanes that are in order.
    pub(crate) ordered: Vec<bool>,
    /// How long an attempt may take, in milliseconds.
    pub(crate) timeout: u64,
}

/// What came of what was accepted, in deliveries: events times the consumers of their app.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) events: u64,
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) dead: u64,
    pub(crate) lost: u64,
    pub(crate) arrivals: u64,
    pub(crate) duplicates: u64,
    pub(crate) unexplained: u64,
    pub(crate) bad_signatures: u64,
    pub(crate) out_of_order: u64,
}

/// Goes through one cycle.
pub(crate) fn audit(
    page: &Page,
    said: &BTreeMap<(u64, usize), Said>,
    rules: &Rules,
) -> (Account, Vec<String>) {
    let mut account = Account::default();
    let mut wrong = page.wrong.clone();
    let mut came: BTreeMap<(u64, usize), Vec<&Arrival>> = BTreeMap::new();
    for arrival in &page.arrivals {
        account.arrivals += 1;
        if let Some(what) = &arrival.wrong {
            account.bad_signatures += 1;
            wrong.push(format!("lane {} got {}: {what}", arrival.lane, arrival.id));
        }
        let number = arrival.number.unwrap_or(0);
        came.entry((number, arrival.lane))
            .or_default()
            .push(arrival);
    }
    for ((number, lane), arrivals) in &came {
        let first = arrivals[0];
        let fate = page
            .events
            .get(number)
            .map(|event| (&event.fate, event.app));
        match fate {
            Some((Fate::Accepted(id), app)) if rules.apps[*lane] == app => {
                for arrival in arrivals.iter().filter(|arrival| arrival.id != *id) {
                    wrong.push(format!(
                        "event {number} is {id} and came to lane {lane} as {}",
                        arrival.id
                    ));
                }
            }
            Some((fate, app)) => wrong.push(format!(
                "event {number} of app {app} came to lane {lane}, and it was {fate:?}"
            )),
            None => wrong.push(format!(
                "{} came to lane {lane} with number {number}, which was not posted or is settled",
                first.id
            )),
        }
        twice(
            (*number, *lane),
            arrivals,
            page,
            rules,
            &mut account,
            &mut wrong,
        );
    }
    for event in page.events.values() {
        let Fate::Accepted(id) = &event.fate else {
            if event.fate == Fate::Open {
                wrong.push(format!("event {} was never answered", event.number));
            }
            continue;
        };
        account.events += 1;
        for (lane, _) in rules
            .apps
            .iter()
            .enumerate()
            .filter(|(_, app)| **app == event.app)
        {
            account.accepted += 1;
            let arrivals = came
                .get(&(event.number, lane))
                .map_or(&[][..], Vec::as_slice);
            let has = |kind| {
                arrivals
                    .iter()
                    .any(|a| a.answer.is_some_and(|(_, k)| k == kind))
            };
            let said = said.get(&(event.number, lane)).copied();
            match said {
                Some(Said::Done) if has(Answer::Good) || has(Answer::Unclear) => {
                    account.delivered += 1;
                }
                Some(Said::Dead) if has(Answer::Good) => {
                    account.delivered += 1;
                    let explained = arrivals.iter().any(|a| falls(a, u64::MAX, page));
                    if !explained {
                        wrong.push(format!("{id} is dead, and lane {lane} had answered it"));
                    }
                }
                Some(Said::Dead) => account.dead += 1,
                said => {
                    account.lost += 1;
                    wrong.push(format!(
                        "{id} (event {}) is lost to lane {lane}: the host says {said:?}, {} came",
                        event.number,
                        arrivals.len()
                    ));
                }
            }
        }
    }
    order(page, rules, &mut account, &mut wrong);
    (account, wrong)
}

/// What came more than once: after a success only where a fall explains it, and never while the one before was under
/// way.
fn twice(
    (number, lane): (u64, usize),
    arrivals: &[&Arrival],
    page: &Page,
    rules: &Rules,
    account: &mut Account,
    wrong: &mut Vec<String>,
) {
    for pair in arrivals.windows(2) {
        let [before, after] = pair else { continue };
        let fell = falls(before, after.at, page);
        match before.answer {
            Some((at, Answer::Good)) if at <= after.at => {
                account.duplicates += 1;
                if !fell {
                    account.unexplained += 1;
                    wrong.push(format!(
                        "event {number} came to lane {lane} at {} ms, answered with success at {at} ms, and again \
                         at {} ms, and the host had not fallen",
                        before.at, after.at
                    ));
                }
            }
            Some((at, _)) if at <= after.at => {}
            // Under way, as far as the consumer knows: the host gave it up, or fell.
            _ if fell || after.at.saturating_sub(before.at) + 100 >= rules.timeout => {}
            _ => wrong.push(format!(
                "event {number} came to lane {lane} at {} ms and again at {} ms, while the first was under way",
                before.at, after.at
            )),
        }
    }
}

/// Whether the host fell between one coming and the next, before it can have stored how the first was answered.
fn falls(before: &Arrival, next: u64, page: &Page) -> bool {
    let stored = before
        .answer
        .map_or(u64::MAX, |(at, _)| at.saturating_add(GRACE));
    page.falls
        .iter()
        .any(|fall| fall.until >= before.at && fall.from <= next && fall.from <= stored)
}

/// In an ordered lane nothing comes any more once something younger has.
fn order(page: &Page, rules: &Rules, account: &mut Account, wrong: &mut Vec<String>) {
    for (lane, _) in rules.ordered.iter().enumerate().filter(|(_, is)| **is) {
        let mut youngest = 0;
        for arrival in page.arrivals.iter().filter(|arrival| arrival.lane == lane) {
            let number = arrival.number.unwrap_or(0);
            if number < youngest {
                account.out_of_order += 1;
                wrong.push(format!(
                    "event {number} came to lane {lane}, which is in order, after event {youngest}"
                ));
            }
            youngest = youngest.max(number);
        }
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
