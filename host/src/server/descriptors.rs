//! How many files and sockets the process may have open. Comes in: how many connections there may be;
//! goes out: the system's limit, raised as far as it goes. Never lowers it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the host opens beside the connections of its clients: databases, outbound connections, the log.
const OTHERS: u64 = 512;

/// Raises the soft limit of open descriptors to the hard one: the soft one is small, often 1024, for the
/// sake of programs that use `select`. Says so where even that is less than `connections` may take.
pub fn raise(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let wanted = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHERS);
    if let Some(now) = now.filter(|now| *now < wanted) {
        tracing::warn!(
            limit = now,
            wanted,
            "the system lets this process open fewer files than `max_connections` may take: raise it \
             (ulimit -Hn, LimitNOFILE=) or lower `max_connections`"
        );
    }
}
