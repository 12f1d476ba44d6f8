//! How a place in the pool is made new between two instances: no instance may see what the one before it
//! wrote. Comes in: what the operator asks for, and what the system can; goes out: settings of the pool.
//! Never chooses speed over that: what is not known to be safe here is left out.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::needs::Needs;

/// What the operator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryReset {
    /// The fastest way that is safe on this system.
    #[default]
    Auto,
    /// The first part of a memory is written over, the rest is given back to the system.
    Copy,
    /// All of a memory is given back to the system: the slowest, and the one that keeps the least.
    Drop,
}

impl MemoryReset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Copy, Self::Drop];

    /// Its name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Copy => "copy",
            Self::Drop => "drop",
        }
    }
}

/// How it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Only the pages that were written are written over: the system says which (`PAGEMAP_SCAN`).
    Scan,
    /// See [`MemoryReset::Copy`].
    Copy,
    /// See [`MemoryReset::Drop`].
    Drop,
}

/// The most that is kept of one memory, in bytes: as much as a large guest (Python, JavaScript) writes.
const SCANNED: usize = 64 << 20;

/// The same where every byte of it is written over, written before or not.
const COPIED: usize = 2 << 20;

/// The least that is worth to be kept.
const LEAST: usize = 1 << 20;

/// How much all places that wait for an instance keep together, in bytes, if each keeps as much as it may.
const KEPT: usize = 512 << 20;

impl Reset {
    /// What to do here, for what is asked.
    pub fn choose(asked: MemoryReset) -> Self {
        match asked {
            MemoryReset::Copy => Self::Copy,
            MemoryReset::Drop => Self::Drop,
            MemoryReset::Auto => match why_not_scan() {
                None => Self::Scan,
                Some(reason) => {
                    tracing::info!(
                        reason,
                        "memories are written over as a whole between two instances"
                    );
                    Self::Copy
                }
            },
        }
    }

    /// Sets the pool, for components with these needs.
    pub(super) fn configure(self, pool: &mut PoolingAllocationConfig, needs: &Needs) {
        let initial = usize::try_from(needs.initial_memory).unwrap_or(usize::MAX);
        let kept = match self {
            // Twice its start: what a guest allocates comes on top of it.
            Self::Scan => initial.saturating_mul(2).clamp(LEAST, SCANNED),
            Self::Copy => initial.clamp(LEAST, COPIED),
            Self::Drop => 0,
        };
        let table = match self {
            Self::Scan | Self::Copy => TABLE,
            Self::Drop => 0,
        };
        pool.linear_memory_keep_resident(kept)
            .table_keep_resident(table)
            .pagemap_scan(match self {
                Self::Scan => Enabled::Yes,
                Self::Copy | Self::Drop => Enabled::No,
            });
        if let Some(places) = KEPT.checked_div(kept) {
            let places = u32::try_from(places.clamp(FEWEST_WARM, MOST_WARM));
            pool.max_unused_warm_slots(places.unwrap_or(u32::MAX));
        }
    }
}

/// How much of a table is written over, in bytes.
const TABLE: usize = 64 << 10;

/// How many places may wait warm for an instance. The most is Wasmtime's default.
const FEWEST_WARM: usize = 8;
const MOST_WARM: usize = 100;

/// Why the system cannot be asked which pages were written, or must not be believed.
fn why_not_scan() -> Option<&'static str> {
    if has_swap() {
        // A written page that was swapped out is not reported, and would stay as it is
        // (https://github.com/bytecodealliance/wasmtime/pull/14357).
        Some("swap is in use, or may be: PAGEMAP_SCAN does not tell of pages that were swapped out")
    } else if !can_scan() {
        Some("this system has no PAGEMAP_SCAN (Linux 6.7)")
    } else {
        None
    }
}

/// Whether pages may be swapped out. What cannot be found out may be.
fn has_swap() -> bool {
    // One line of titles, and one for each area.
    std::fs::read_to_string("/proc/swaps").map_or(true, |areas| areas.lines().count() > 1)
}

/// Asks Wasmtime, with the smallest pool there can be.
fn can_scan() -> bool {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(1)
        .total_core_instances(1)
        .total_memories(1)
        .total_tables(1)
        .total_stacks(1)
        .total_gc_heaps(1)
        .max_memory_size(1 << 16)
        .pagemap_scan(Enabled::Yes);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_follows_what_components_have_at_their_start() {
        let kept = |reset: Reset, initial_memory: u64| {
            let mut pool = PoolingAllocationConfig::new();
            let needs = Needs {
                initial_memory,
                ..Needs::default()
            };
            reset.configure(&mut pool, &needs);
            (
                pool.get_memory_keep_resident(),
                pool.get_max_unused_warm_slots(),
            )
        };
        assert_eq!(kept(Reset::Scan, 0), (1 << 20, 100));
        assert_eq!(kept(Reset::Scan, 3 << 20), (6 << 20, 85));
        assert_eq!(kept(Reset::Scan, 1 << 40), (64 << 20, 8));
        assert_eq!(kept(Reset::Copy, 1 << 40), (2 << 20, 100));
        assert_eq!(kept(Reset::Drop, 3 << 20).0, 0);
    }

    #[test]
    fn what_is_asked_for_is_done() {
        assert_eq!(Reset::choose(MemoryReset::Copy), Reset::Copy);
        assert_eq!(Reset::choose(MemoryReset::Drop), Reset::Drop);
        assert_ne!(Reset::choose(MemoryReset::Auto), Reset::Drop);
        assert_eq!(
            Reset::choose(MemoryReset::Auto) == Reset::Scan,
            why_not_scan().is_none()
        );
    }
}
