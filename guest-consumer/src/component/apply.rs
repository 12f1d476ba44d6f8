//! What is done with a payload that was verified, and that it is done once. In come a delivery's id and its body;
//! out goes an answer, or the problem. It never holds a transaction while it works: a claim is a row.

use super::database::{Asked, Database};
use super::surroundings;
use crate::answer::Answer;
use crate::event::Event;
use crate::problem::Problem;

/// Applies the delivery, unless it was applied before or another request is at it.
pub(super) async fn once(id: &str, body: &[u8]) -> Result<Answer, Problem> {
    let database = Database::open().await?;
    let claim = match database.claim(id, surroundings::now()).await? {
        Asked::Claimed(claim) => claim,
        Asked::Applied => {
            println!("Delivery {id:?} was applied before, and is not applied again");
            return Ok(accepted());
        }
        Asked::Taken => {
            println!("Delivery {id:?} is being applied by another request");
            return Err(Problem::in_progress());
        }
    };
    let event = match handle(&database, id, claim, body).await {
        Ok(event) => event,
        Err(problem) => {
            // Should this fail too, the claim ends with its lease.
            if let Err(second) = database.release(id, claim).await {
                println!("Delivery {id:?} keeps its claim: {}", second.detail());
            }
            return Err(problem);
        }
    };
    println!("Applied {event}");
    // What was applied stays so, whatever becomes of the old.
    if let Err(problem) = database.forget(surroundings::now()).await {
        println!(
            "Old deliveries could not be forgotten: {}",
            problem.detail()
        );
    }
    Ok(accepted())
}

/// Handles a payload that has no id to know it by: it may be handled again.
pub(super) fn unnamed(body: &[u8]) -> Answer {
    match Event::read(body) {
        Ok(event) => println!("Applied {event}"),
        // The senders that sign the body alone may sign any bytes.
        Err(problem) => println!("Applied nothing: {}", problem.detail()),
    }
    accepted()
}

/// The work itself: here it is the row, so that both are done in one statement or neither is.
async fn handle(database: &Database, id: &str, claim: i64, body: &[u8]) -> Result<Event, Problem> {
    let event =
        Event::read(body).inspect_err(|problem| println!("Refused event: {}", problem.detail()))?;
    let kind = event.kind.clone();
    if database
        .commit(id, claim, kind, surroundings::now())
        .await?
    {
        Ok(event)
    } else {
        println!("Delivery {id:?} took longer than its lease, and another request has it");
        Err(Problem::in_progress())
    }
}

fn accepted() -> Answer {
    Answer::text(200, "Received payload and verified integrity")
}
