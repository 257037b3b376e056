//! What the commands share: the stores and services that they start, the clients that they attack them with, and how processes are run.

pub(crate) mod admin;
pub(crate) mod api;
pub(crate) mod args;
pub(crate) mod client;
pub(crate) mod faketime;
pub(crate) mod folders;
pub(crate) mod http;
pub(crate) mod interrupt;
pub(crate) mod journal;
pub(crate) mod message;
pub(crate) mod node;
pub(crate) mod page_section;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod profile;
pub(crate) mod progress;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod random;
pub(crate) mod raw_http;
pub(crate) mod service;
pub(crate) mod statistics;
pub(crate) mod stores;
pub(crate) mod usage;
pub(crate) mod windows;
