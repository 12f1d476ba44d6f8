//! What reads other people's bytes, fed with any bytes. Each target is one function: bytes come in;
//! nothing goes out, but what must hold of whatever was read is asserted. `cargo fuzz` calls them
//! without end (`fuzz/targets/`), the tests here a bounded number of times on any compiler. Never
//! opens a file, and never starts a guest.

mod allow_list;
mod component;
mod manifest;
mod router;
mod template;

#[cfg(test)]
mod tests;

pub use allow_list::allow_list;
pub use component::component;
pub use manifest::manifest;
pub use router::router;
pub use template::template;
