//! The contract of [`UserRepository`](revolve_domain::ports::UserRepository).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod add;
mod create;
mod delete;
mod password;
mod update;

pub use add::*;
pub use create::*;
pub use delete::*;
pub use password::*;
pub use update::*;
