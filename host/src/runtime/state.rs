//! What one instance carries: its WASI contexts, its capabilities, its memory account. Comes in: what
//! the component was granted; goes out: the views that the linker's functions work on. Never shared
//! between instances.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::ticker::Held;
use crate::capability::{http, keyvalue, queue, sqlite, variables};
use crate::metrics::{Gauge, Present};

/// The data of a Store.
pub struct State {
    pub(super) wasi: WasiCtx,
    pub(super) wasi_http: WasiHttpCtx,
    pub(super) table: ResourceTable,
    pub(super) http: http::Ctx,
    pub(super) sqlite: sqlite::Ctx,
    pub(super) keyvalue: keyvalue::Ctx,
    pub(super) queue: queue::Ctx,
    pub(super) variables: Arc<variables::Resolved>,
    pub(super) memory: MemoryAccount,
    /// The component's count of instances, given back with the instance.
    /// The component's count of instances, given back with the instance.
    pub(super) _place: OwnedSemaphorePermit,
    /// The same for whoever looks at the metrics.
    pub(super) _present: Present,
    /// Keeps the Engine's clock going.
    pub(super) _held: Held,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.http,
            table: &mut self.table,
            ctx: &mut self.wasi_http,
        }
    }
}

/// Bounds the memory of one instance: the sum over all its linear memories and tables, those of its
/// dependencies included, because that sum is what the machine has to find.
pub struct MemoryAccount {
    used: usize,
    limit: usize,
    /// The sum over all instances of the component.
    shown: Gauge,
}

/// What one element of a table costs the host, in bytes.
const TABLE_ELEMENT: usize = std::mem::size_of::<usize>();

impl MemoryAccount {
    /// An account of at most `limit` bytes, added to what `shown` shows.
    pub fn new(limit: usize, shown: Gauge) -> Self {
        Self {
            used: 0,
            limit,
            shown,
        }
    }

    fn take(&mut self, more: usize) -> bool {
        match self.used.checked_add(more) {
            Some(sum) if sum <= self.limit => {
                self.used = sum;
                self.shown.inc_by(bytes(more));
                true
            }
            _ => false,
        }
    }
}

impl Drop for MemoryAccount {
    fn drop(&mut self) {
        self.shown.dec_by(bytes(self.used));
    }
}

fn bytes(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl ResourceLimiter for MemoryAccount {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.take(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.take(
            desired
                .saturating_sub(current)
                .saturating_mul(TABLE_ELEMENT),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_of_one_instance_share_one_limit() {
        let shown = Gauge::default();
        let mut account = MemoryAccount::new(100, shown.clone());
        assert!(account.memory_growing(0, 60, None).unwrap());
        assert!(!account.memory_growing(0, 60, None).unwrap());
        assert!(account.memory_growing(0, 40, None).unwrap());
        assert!(!account.table_growing(0, 1, None).unwrap());
        assert_eq!(shown.get(), 100);
        drop(account);
        assert_eq!(shown.get(), 0);
    }
}
