//! Limits without a store of their own: buckets in the memory of this process, and what stands in for shared ones while their
//! store is away.

mod fallback;
mod local;

pub use fallback::FallbackLimits;
pub use local::LocalLimits;
