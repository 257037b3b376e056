//! The check that the password was shown in a session a moment ago.

use crate::{
    ports::{Clock, TokenCodec},
    use_cases::{
        parts::{Failure, ServicePorts, verify_reauthentication},
        sessions::{Authenticated, Caller},
    },
};
use std::sync::Arc;

/// Checks reauthentications.
pub(super) struct Reauthentication {
    codec: Arc<dyn TokenCodec>,
    clock: Arc<dyn Clock>,
}

impl Reauthentication {
    pub(super) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            clock: ports.clock.clone(),
        }
    }

    /// Whether the caller shows one that counts: not expired, of this session, and of no earlier epoch of the account than the
    /// present one.
    pub(super) async fn is_shown(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
    ) -> Result<bool, Failure> {
        let Some(token) = &caller.reauthentication else {
            return Ok(false);
        };
        let verified = verify_reauthentication(&*self.codec, token, self.clock.now()).await?;
        let Authenticated { user, session } = authenticated;
        Ok(verified.is_ok_and(|claims| {
            claims.user == user.id && claims.session == session.id && claims.epoch == user.epoch
        }))
    }
}
