//! Rate limits in the memory of this process, alone or as a fallback while the shared store is unavailable.

mod fallback;
mod local;

pub use fallback::FallbackLimits;
pub use local::LocalLimits;
