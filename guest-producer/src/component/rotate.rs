//! Replacing keys: a registration's own, and the secret that seals them. In come ids; out goes a new key, once, or how
//! many rows were sealed anew. A key is replaced when its consumer has taken the new one; until then nothing changes.
//! It never logs a key.

use serde_json::json;

use super::database::{self, Database};
use super::enrol;
use super::surroundings::{now, random_bytes, ring, tag, variable};
use crate::answer::Answer;
use crate::delivery;
use crate::draw;
use crate::keys::OVERLAP_SECONDS;
use crate::problem::Problem;
use crate::registration::{Created, own_token};
use crate::seal::{NONCE, Ring, What};
use crate::target::Target;

/// `POST /registrations/{id}/rotate`
pub(super) async fn rotate(id: String) -> Result<Answer, Problem> {
    let database = Database::open().await?;
    let registration = database.show(id.clone()).await?;
    let registration = registration.ok_or_else(Problem::no_such_registration)?;
    let stored = database.stored(&id).await?;
    let [stored, headers] = stored.ok_or_else(Problem::no_such_registration)?;
    let ring = ring().await?;
    let current = ring.open(&stored, What::Key(&id));
    let current = current.map_err(Problem::internal)?;
    let key = draw::key(random_bytes);
    let target = Target::parse(&registration.url).map_err(Problem::internal)?;
    println!("Handing CONSUMER {} a new key ...", registration.url);
    // The current key vouches for the new one; so does the operator's token, which a consumer of his takes also when
    // it has a key whose answer was lost, and no signature of ours fits.
    let own = variable("enrolment_token").await?;
    let token = own_token(&target, &own, &variable("enrolment_origin").await?)?;
    let body = enrol::offer(&key);
    let custom = database::headers(&ring, &id, &headers)?;
    let mut headers = vec![("x-signature", tag(body.as_bytes(), &current)?)];
    headers.extend(token.map(|token| ("x-enrolment-token", token.to_string())));
    headers.extend(custom.pairs());
    delivery::judge(enrol::shake_hands(&target, body, headers).await)
        .inspect_err(|problem| println!("The key stays: {}", problem.detail()))?;
    let sealed = ring
        .seal(&key, What::Key(&id), &random_bytes(NONCE))
        .map_err(Problem::internal)?;
    let until = now().saturating_add(OVERLAP_SECONDS);
    let mut replaced = database.replace_key(&id, &stored, &sealed, until).await?;
    if !replaced && let Some([anew, _]) = database.stored(&id).await? {
        // The same key may have been sealed anew meanwhile.
        let same = ring
            .open(&anew, What::Key(&id))
            .is_ok_and(|key| key == current);
        replaced = same && database.replace_key(&id, &anew, &sealed, until).await?;
    }
    if !replaced {
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

/// `POST /registrations/reseal`: seals with the first of the secrets what another sealed, or none: keys and headers.
pub(super) async fn reseal() -> Result<Answer, Problem> {
    let database = Database::open().await?;
    let ring = ring().await?;
    // The secret of a key that signs no more may be gone.
    database.forget(now()).await?;
    let (mut count, mut passed_over) = (0, true);
    // A row that another request changes meanwhile is looked at again.
    while passed_over {
        passed_over = false;
        for [id, key, old, headers] in database.sealed().await? {
            let sealed = [
                renewed(&ring, &key, What::Key(&id))?,
                // It signs on, also when its secret is taken out.
                renewed(&ring, &old, What::Key(&id))?,
                renewed(&ring, &headers, What::Headers(&id))?,
            ];
            let stored = [key, old, headers];
            if stored != sealed {
                let resealed = database.reseal(&id, &stored, &sealed).await?;
                count += u64::from(resealed);
                passed_over |= !resealed;
            }
        }
    }
    Ok(Answer::json(
        200,
        "application/json",
        &json!({ "resealed": count }),
    ))
}

/// What is stored of the same text now.
fn renewed(ring: &Ring, stored: &str, of: What<'_>) -> Result<String, Problem> {
    // Where there are no headers, or no key before this one, there is nothing to seal.
    if stored.is_empty() || !ring.is_stale(stored) {
        return Ok(stored.to_string());
    }
    let text = ring.open(stored, of).map_err(Problem::internal)?;
    let sealed = ring.seal(&text, of, &random_bytes(NONCE));
    sealed.map_err(Problem::internal)
}
