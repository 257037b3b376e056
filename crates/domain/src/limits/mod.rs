//! Rate limits: the buckets, their rates and the step that takes from one. Pure, without I/O or clock.
//!
//! The algorithm is GCRA, a leaky bucket as a meter (ITU-T I.371): all that a store keeps of a bucket is the instant at which it
//! will be full again. The in-memory adapters call [`take`] and [`give_back`]; the Lua script of the Redis adapter is held to
//! them by a differential test. Instants are whole microseconds on the store's own clock.

mod bucket;
mod gcra;
mod live;
mod rate;
mod table;

pub use bucket::AddressRange;
pub use gcra::{BucketState, Exhausted, Taken, give_back, take};
pub use live::LiveLimits;
pub use rate::{Limit, Rate, RateError};
pub use table::{Bucket, LimitName, LimitPolicy};
