//! The laws of the house, held against the real host: real sockets, real files, real components.

mod support;

mod admin;
mod building;
mod builtin;
mod capabilities;
mod chaining;
mod cli;
mod clients;
mod compile;
mod crash;
mod disk;
mod drain;
mod endurance;
mod examples;
mod faces;
mod faults;
mod files;
mod hmac;
mod http2;
mod inspect;
mod keyvalue_faces;
mod limits;
mod outbound;
mod outbound_guard;
mod portable;
mod process;
mod requests;
mod secrets;
mod serving;
mod spin_headers;
mod start;
mod state;
mod tidy;
mod tls;
mod watch;
