//! The contract of [`AccountDirectory`](revolve_domain::ports::AccountDirectory).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod change;
mod disable;
mod list;
mod walk;

pub use change::*;
pub use disable::*;
pub use list::*;
pub use walk::*;
