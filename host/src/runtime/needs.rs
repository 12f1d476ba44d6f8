//! What a component needs of the pooling allocator, read from its bytes. Comes in: a component; goes
//! out: counts. Never compiles anything.

use wasmparser::{Instance, Parser, Payload};

/// Counts for one instance of a component, dependencies included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Core instances.
    pub core_instances: u32,
    /// Linear memories.
    pub memories: u32,
    /// Tables.
    pub tables: u32,
    /// Elements of the largest table at its start.
    pub table_elements: u64,
    /// Bytes of all memories together at their start.
    pub initial_memory: u64,
}

const WASM_PAGE: u64 = 64 * 1024;

impl Needs {
    /// Reads a component. A core module that is instantiated twice counts once, so the numbers are a
    /// floor, not an exact figure: whoever sizes a pool leaves room above them.
    pub fn of(component: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut needs = Self::default();
        for payload in Parser::new(0).parse_all(component) {
            needs.count(payload?)?;
        }
        Ok(needs)
    }

    fn count(&mut self, payload: Payload<'_>) -> Result<(), wasmparser::BinaryReaderError> {
        match payload {
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory?;
                    self.memories += 1;
                    let page = memory.page_size_log2.map_or(WASM_PAGE, |log2| 1 << log2);
                    self.initial_memory = self
                        .initial_memory
                        .saturating_add(memory.initial.saturating_mul(page));
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let table = table?;
                    self.tables += 1;
                    self.table_elements = self.table_elements.max(table.ty.initial);
                }
            }
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    if matches!(instance?, Instance::Instantiate { .. }) {
                        self.core_instances += 1;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The larger of both, count by count: a pool slot must hold either.
    pub fn max(self, other: Self) -> Self {
        Self {
            core_instances: self.core_instances.max(other.core_instances),
            memories: self.memories.max(other.memories),
            tables: self.tables.max(other.tables),
            table_elements: self.table_elements.max(other.table_elements),
            initial_memory: self.initial_memory.max(other.initial_memory),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_component_holds_is_counted() {
        let component = wat::parse_str(
            r#"(component
                (core module $a (memory 2) (table 5 funcref))
                (core module $b (memory 1) (table 9 funcref) (table 1 funcref))
                (core instance (instantiate $a))
                (core instance (instantiate $b)))"#,
        )
        .unwrap();
        let needs = Needs::of(&component).unwrap();
        assert_eq!(
            needs,
            Needs {
                core_instances: 2,
                memories: 2,
                tables: 3,
                table_elements: 9,
                initial_memory: 3 * WASM_PAGE
            }
        );
    }

    #[test]
    fn what_is_no_wasm_is_an_error() {
        assert!(Needs::of(b"not wasm").is_err());
    }
}
