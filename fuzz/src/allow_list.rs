//! Allow-lists: nothing is allowed that no entry allows by itself. The last line of the input is a
//! destination, `scheme host port`, the others are entries.

use signet::capability::http::allow::{AllowedHosts, Verdict};

/// Asks the whole list and each entry alone for their verdicts.
pub fn allow_list(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (entries, destination) = text.rsplit_once('\n').unwrap_or(("", &text));
    let mut words = destination.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (scheme, host, port) = (word(), word(), word().parse().unwrap_or(443));
    let alone: Vec<_> = entries
        .lines()
        .filter_map(|entry| Some((entry, AllowedHosts::parse([entry]).ok()?)))
        .collect();
    let verdicts = alone.iter().map(|(_, list)| list.check(scheme, host, port));
    let together = AllowedHosts::parse(alone.iter().map(|(entry, _)| *entry))
        .unwrap_or_else(|errors| panic!("valid one by one and not together: {errors:?}"));
    assert_eq!(
        together.check(scheme, host, port),
        verdicts.max().unwrap_or(Verdict::Denied)
    );
}
