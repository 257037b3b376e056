//! Security events, for those who watch the service.

use crate::journal::SecurityEvent;

/// Receives security events, once they have happened.
pub trait SecurityEvents: Send + Sync {
    /// Records an event. MUST NOT block and MUST NOT fail the caller.
    fn record(&self, event: SecurityEvent);
}
