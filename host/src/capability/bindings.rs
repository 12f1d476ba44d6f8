//! The WIT of the host's worlds, as Rust: what guests may import beside WASI, a world and a file for each
//! capability. Comes in: the files under `wit/`; goes out: the traits that each capability's faces
//! implement. Never holds a line of behaviour.

pub mod keyvalue;
pub mod queue;
pub mod sqlite;
pub mod variables;
