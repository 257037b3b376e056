//! The configuration; [`load`](crate::load) reads it.

pub use revolve_config::*;
