//! The verification core for JavaScript: names and shapes only.
//!
//! Nothing is decided here: bytes go in, the core's report comes out as the same JSON text that the
//! command line prints. There is no clock, no network and no storage; JavaScript hands in what it
//! has. On the host the crate compiles as an ordinary library, so that checks and tests see it.
//!
//! A panic ends as a WebAssembly trap, after which the instance must not be used again: JavaScript
//! catches it, reports "not checked" and starts a new one (`web/src/verify/engine.ts`).
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod crl;
mod fault;
mod hasher;
#[cfg(feature = "bench")]
mod raw;
mod verification;

pub use crl::is_crl;
pub use fault::report_of_fault;
pub use hasher::Hasher;
#[cfg(feature = "bench")]
pub use raw::verify_raw;

pub use verification::Verification;

/// One thread, so the simple allocator serves.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Without words: formatting them would cost a tenth of the size, and nobody could read them.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn trap(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
