//! What operators do through the binary, beside a service that runs on the same stores.

mod add;
mod change;
mod doctor;
mod export;
mod list;
mod sessions;
mod tables;
