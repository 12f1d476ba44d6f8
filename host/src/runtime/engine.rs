//! The Engine. Comes in: what the components need and how many instances may live at once; goes out: an
//! Engine that interrupts them as its epoch moves. Never knows which components there are.

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::needs::Needs;
use super::reset::Reset;

/// How much of the pool there is.
#[derive(Debug, Clone, Copy)]
pub struct PoolSize {
    /// The largest needs of any component.
    pub needs: Needs,
    /// How many instances may live at once, all components together.
    pub instances: u32,
    /// The most memory one instance may have, in bytes.
    pub memory: usize,
    /// How a memory is made new between two instances.
    pub reset: Reset,
}

/// An Engine whose memory slots were reserved ahead: fewer of them where the system does not give that
/// much address space, and none, with instances allocated one by one, where it gives very little.
pub fn engine(size: &PoolSize) -> wasmtime::Result<Engine> {
    let mut size = *size;
    loop {
        let mut config = base_config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(&size)));
        match Engine::new(&config) {
            Ok(engine) => return Ok(engine),
            Err(refused) if size.instances / 2 >= FEWEST_INSTANCES => {
                size.instances /= 2;
                tracing::debug!(instances = size.instances, reason = %refused, "trying a smaller pool");
            }
            Err(refused) => {
                tracing::warn!(reason = %refused, "no pooling allocator on this system, allocating instances one by one");
                return one_by_one();
            }
        }
    }
}

/// An Engine that allocates instances one by one, whatever they need: slower for each, and without a
/// measure that the next version of a component could be too large for.
pub fn one_by_one() -> wasmtime::Result<Engine> {
    Engine::new(&base_config())
}

/// A pool with fewer instances than this is not worth having.
const FEWEST_INSTANCES: u32 = 64;

fn base_config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.wasm_component_model_async(true);
    config
}

fn pooling(size: &PoolSize) -> PoolingAllocationConfig {
    let needs = &size.needs;
    // `Needs` is a floor: a module may be instantiated more than once.
    let per_component = |count: u32| count.saturating_mul(2).max(4);
    let (cores, memories, tables) = (
        per_component(needs.core_instances),
        per_component(needs.memories),
        per_component(needs.tables),
    );
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(size.instances)
        .max_core_instances_per_component(cores)
        .max_memories_per_component(memories)
        .max_tables_per_component(tables)
        .total_core_instances(size.instances.saturating_mul(cores))
        .total_memories(size.instances.saturating_mul(needs.memories.max(1)))
        .total_tables(size.instances.saturating_mul(needs.tables.max(1)))
        .total_stacks(size.instances.saturating_mul(2))
        .table_elements(
            usize::try_from(needs.table_elements)
                .unwrap_or(usize::MAX)
                .max(20_000),
        )
        .max_memory_size(
            size.memory
                .max(usize::try_from(needs.initial_memory).unwrap_or(usize::MAX)),
        )
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20);
    size.reset.configure(&mut pool, needs);
    pool
}
