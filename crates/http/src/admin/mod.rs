//! The admin API: what programs of operators do with accounts, on a listener of its own.

mod answer;
mod change;
mod create;
mod deliveries;
mod events;
mod factors;
mod fields;
mod page;
mod sessions;
mod standing;
mod users;
pub(crate) mod webhooks;

pub(crate) use change::{change, change_docs};
pub(crate) use create::{create, create_docs};
pub(crate) use deliveries::{deliveries, deliveries_docs, retry, retry_docs};
pub(crate) use events::{events, events_docs};
pub(crate) use factors::{factors, factors_docs, reset_factors, reset_factors_docs};
pub(crate) use sessions::{end_session, end_session_docs, sessions, sessions_docs};
pub(crate) use standing::{
    disable, disable_docs, enable, enable_docs, recovery_link, recovery_link_docs, sign_out,
    sign_out_docs,
};
pub(crate) use users::{delete, delete_docs, find, find_docs, list, list_docs};

use crate::kit::{openapi::Operation, problem::Problem};

/// 404.
fn no_account() -> Problem {
    Problem::not_found("There is no such account.")
}

impl Operation {
    /// Is about one account.
    fn of_account(self) -> Self {
        self.path_id("uid", "The account.", answer::sample::UID.to_string())
            .problems([no_account()])
    }
}
