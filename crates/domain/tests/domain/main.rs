//! The state machine of rotation, exhaustively; and the use cases as stories over the memory adapters.

mod keys;
mod machine;
mod mail;
mod stories;
