//! `cargo xtask torture`: a black-box client that attacks running servers as bad networks, many tabs and thieves do, and keeps score. It knows
//! the HTTP API (by a profile, so that it can attack other servers as well) and the windows that the service promises, and nothing else.

mod accounts;
mod args;
mod cases;
mod checks;
mod plan;
mod preflight;
mod report;
mod round_context;
mod rounds;
mod run;
mod servers;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use self::{args::Args, run::run};
