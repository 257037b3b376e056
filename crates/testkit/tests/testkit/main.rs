//! The memory adapters keep the contracts, and the lists of cases are complete.

mod complete;
mod histories;
mod memory;
