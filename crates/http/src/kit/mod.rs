//! What the capabilities share: reading requests, writing answers and problems, the layers around the routes, and the description
//! of operations.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod cached;
pub(crate) mod caller;
pub(crate) mod cookies;
pub(crate) mod cors;
pub(crate) mod deadline;
pub(crate) mod form;
pub(crate) mod forwarded;
pub(crate) mod key_caller;
pub(crate) mod openapi;
pub(crate) mod path_id;
pub(crate) mod places;
pub(crate) mod problem;
pub(crate) mod proof;
pub(crate) mod query;
pub(crate) mod rate_limit;
pub(crate) mod request_id;
pub(crate) mod route_table;
pub(crate) mod shield;
pub(crate) mod sliced;
pub(crate) mod use_case;
pub(crate) mod watch;
