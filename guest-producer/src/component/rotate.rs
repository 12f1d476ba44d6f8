//! Replacing keys: a registration's own, and the secret that seals them. In come ids; out goes a new key, once, or how
//! many rows were sealed anew. A key is replaced when its consumer has taken the new one; until then nothing changes.
//! It never logs a key.

use serde_json::json;

use super::database::Database;
use super::enrol;
use super::surroundings::{now, random_bytes, ring, tag};
use crate::answer::Answer;
use crate::delivery;
use crate::draw;
use crate::keys::OVERLAP_SECONDS;
use crate::problem::Problem;
use crate::registration::Created;
use crate::seal::NONCE;
use crate::target::Target;

/// `POST /registrations/{id}/rotate`
pub(super) async fn rotate(id: String) -> Result<Answer, Problem> {
    let database = Database::open().await?;
    let registration = database.show(id.clone()).await?;
    let registration = registration.ok_or_else(Problem::no_such_registration)?;
    let stored = database.stored_key(&id).await?;
    let stored = stored.ok_or_else(Problem::no_such_registration)?;
    let ring = ring().await?;
    let current = ring.open(&stored, &id).map_err(Problem::internal)?;
    let key = draw::key(random_bytes);
    let target = Target::parse(&registration.url).map_err(Problem::internal)?;
    println!("Handing CONSUMER {} a new key ...", registration.url);
    // The current key vouches for the new one.
    let body = enrol::offer(&key);
    let signed = vec![("x-signature", tag(body.as_bytes(), &current)?)];
    delivery::judge(enrol::shake_hands(&target, body, signed).await)
        .inspect_err(|problem| println!("The key stays: {}", problem.detail()))?;
    let sealed = ring
        .seal(&key, &id, &random_bytes(NONCE))
        .map_err(Problem::internal)?;
    let until = now().saturating_add(OVERLAP_SECONDS);
    if !database.replace_key(&id, &stored, &sealed, until).await? {
        let detail = "the key was replaced by another request meanwhile: rotate again";
        return Err(Problem::new(
            409,
            "rotation-in-progress",
            "the key was replaced",
            detail,
        ));
    }
    println!("CONSUMER {} has a new key.", registration.url);
    let created = Created {
        registration: &registration,
        signing_key: &key,
    };
    Ok(Answer::json(200, "application/json", &created).with("cache-control", "no-store"))
}

/// `POST /registrations/reseal`: seals with the first of the secrets what another sealed, or none.
pub(super) async fn reseal() -> Result<Answer, Problem> {
    let database = Database::open().await?;
    let ring = ring().await?;
    let mut count = 0;
    for [id, stored] in database.stored_keys().await? {
        if !ring.is_stale(&stored) {
            continue;
        }
        let key = ring.open(&stored, &id).map_err(Problem::internal)?;
        let sealed = ring
            .seal(&key, &id, &random_bytes(NONCE))
            .map_err(Problem::internal)?;
        count += u64::from(database.reseal_key(&id, &stored, &sealed).await?);
    }
    Ok(Answer::json(
        200,
        "application/json",
        &json!({ "resealed": count }),
    ))
}
