//! The domain of Revolve: accounts, sessions and revolving refresh tokens.
//!
//! This crate holds the model, the ports (what it needs from outside, as traits) and the use cases. It does no I/O, knows
//! no runtime, reads no clock and makes no randomness: those come in through [`ports`]. Embed it with your own adapters,
//! and let `revolve-testkit` tell you whether they keep the ports' contracts.
//!
//! # Invariants
//!
//! 1. A session has at most one live refresh token; a retry gets the same successor, never a branch.
//! 2. Whoever presents the live token gets its successor; whoever presents its parent does within the retry windows and
//!    as long as the successor is unused.
//! 3. A generation that was retried late is charged once; after `late_retries` such generations in a row the next late
//!    retry is reuse. The count clears only when a generation is used without a late retry.
//! 4. A token that proves a later generation than the store's is healed, not theft.
//! 5. A bound session's tokens are refused without its device's credential, before anything else is looked at.
//! 6. The end of a session is a commit in the user database before the answer; after it no token of the session works.
//! 7. A session that began under an older epoch is over, but for the one that was kept.
//! 8. Order is by generation and epoch alone; no clock of a replica decides it.

pub mod model;
pub mod policy;
pub mod ports;
pub mod rotation;
pub mod use_cases;
