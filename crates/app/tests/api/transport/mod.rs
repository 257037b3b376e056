//! What is the same for every path: deadlines, limits, headers for browsers, TLS.

mod cors;
mod deadlines;
mod headers;
mod limits;
mod tls;
