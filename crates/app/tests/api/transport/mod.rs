//! What is the same for every path: deadlines, limits, headers for browsers, TLS.

mod cors;
mod deadlines;
mod head;
mod headers;
mod http_1_0;
mod limits;
mod tls;
