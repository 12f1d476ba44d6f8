//! The files in which capabilities keep data, and what holds for each of them, whoever keeps what in
//! it: it is its owner's alone ([`private`]), it is looked over before it is used ([`sound`]), its log
//! stays short ([`log`]), and it can be copied while it is in use ([`copy`]). Comes in: paths; goes out: yes, or what to do about
//! it. Never knows what a file means to its capability.

pub mod copy;
pub(super) mod log;
pub mod private;
pub mod sound;
