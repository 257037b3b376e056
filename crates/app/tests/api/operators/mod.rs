//! What operators do through the binary, beside a service that runs on the same stores.

mod add;
mod api_keys;
mod change;
mod doctor;
mod doctor_files;
mod export;
mod list;
mod mail;
mod sessions;
mod set;
mod tables;

pub(crate) use doctor::levels;
