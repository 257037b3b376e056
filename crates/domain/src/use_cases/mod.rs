//! What the service does, one use case per file: a struct with exactly the ports that it uses and one method, `execute`.

mod accounts;
mod keys;
mod parts;
mod sessions;

pub use accounts::*;
pub use keys::*;
pub use parts::*;
pub use sessions::*;
