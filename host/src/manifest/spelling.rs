//! What was meant by a word that is not known. Pure.

/// The longest word that is compared with others, in bytes: comparing two takes the product of their
/// lengths, and a name that long is not typed.
const LONGEST: usize = 128;

/// The candidate that is nearest to `word`, if any is near enough to be a slip of the finger. Case, and
/// dashes for underscores, count for nothing.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = folded(word);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .filter_map(|candidate| {
            let folded = folded(candidate);
            let (distance, limit) = (distance(&word, &folded), word.len().max(folded.len()) / 3);
            (distance <= limit.max(1)).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `: did you mean X?`, or what there is, or nothing.
pub(super) fn hint<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    if let Some(meant) = nearest(word, candidates.clone()) {
        return format!(": did you mean `{meant}`?");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(": there is `{}`", all.join("`, `"))
    }
}

fn folded(word: &str) -> Vec<char> {
    word.chars()
        .map(|c| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// How many letters must be put in, left out or changed to make one word of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let mut next = vec![index + 1];
        for (pair, wanted) in row.windows(2).zip(other) {
            let [diagonal, above] = pair else { continue };
            let left = next.last().copied().unwrap_or_default();
            next.push(
                (diagonal + usize::from(letter != wanted))
                    .min(above + 1)
                    .min(left + 1),
            );
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let keys = ["source", "key_value_stores", "sqlite_databases"];
        assert_eq!(nearest("key_value_store", keys), Some("key_value_stores"));
        assert_eq!(nearest("Key-Value-Stores", keys), Some("key_value_stores"));
        assert_eq!(nearest("soruce", keys), Some("source"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("x", ["y"]), Some("y"));
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn words_that_nobody_types_are_not_compared() {
        let long = "a".repeat(1_000_000);
        assert_eq!(nearest(&long, [&long[1..]]), None);
        assert_eq!(nearest("source", [&long[..], "sources"]), Some("sources"));
        assert_eq!(
            nearest(&long[..LONGEST], [&long[1..LONGEST]]),
            Some(&long[1..LONGEST])
        );
    }

    #[test]
    fn a_hint_says_what_was_meant_or_what_there_is() {
        assert_eq!(
            hint("prodcer", ["producer", "consumer"]),
            ": did you mean `producer`?"
        );
        assert_eq!(
            hint("xyz", ["producer", "consumer"]),
            ": there is `producer`, `consumer`"
        );
        assert_eq!(hint("xyz", []), "");
    }
}
