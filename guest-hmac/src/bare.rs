//! What `wasm32-wasip2` lacks without the standard library; `wasm32-unknown-unknown` has both. `cabi_realloc`, by
//! which the canonical ABI puts a caller's lists into this component's memory: in come a size and perhaps an older
//! block, out goes a block. It never returns null: without memory the instance ends. And the comparison of bytes
//! that the compiler calls, from the target's C library, of which nothing else is linked.

#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use alloc::alloc::{Layout, alloc, handle_alloc_error, realloc};
use core::ptr;

// `memcmp`. The library imports WASI where it talks to a system, and this part of it does not.
#[link(name = "c")]
unsafe extern "C" {}

/// Gives a block of `new_size` bytes; what was in the `old_size` bytes at `old` moves into it.
///
/// # Safety
/// `align` is a power of two, and `old` is null or a block of `old_size` bytes that this function
/// gave out with the same `align`. The canonical ABI promises both.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    if new_size == 0 {
        return ptr::without_provenance_mut(align);
    }
    let Ok(layout) = Layout::from_size_align(new_size, align) else {
        core::arch::wasm32::unreachable()
    };
    let block = if old_size == 0 {
        // SAFETY: the size of the layout is not zero.
        unsafe { alloc(layout) }
    } else {
        // SAFETY: the caller promises that `old` came from here with this size and alignment, and a
        // layout of the new size was valid above.
        unsafe {
            let was = Layout::from_size_align_unchecked(old_size, align);
            realloc(old, was, new_size)
        }
    };
    if block.is_null() {
        handle_alloc_error(layout);
    }
    block
}
