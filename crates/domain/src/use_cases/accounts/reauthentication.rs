//! The check that the password was shown in a session a moment ago.

use crate::{
    model::Epoch,
    ports::{Clock, TokenCodec},
    use_cases::{
        parts::{Failure, ServicePorts, verify_reauthentication},
        sessions::{Authenticated, Caller},
    },
};
use std::sync::Arc;

/// Checks reauthentications.
pub(in crate::use_cases) struct Reauthentication {
    codec: Arc<dyn TokenCodec>,
    clock: Arc<dyn Clock>,
}

impl Reauthentication {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            clock: ports.clock.clone(),
        }
    }

    /// The epoch of the one that the caller shows, if it counts: not expired, of this session, and of no earlier epoch of the account
    /// than the present one. What it allows must not be committed under a later one.
    pub(in crate::use_cases) async fn shown(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
    ) -> Result<Option<Epoch>, Failure> {
        let Some(token) = &caller.reauthentication else {
            return Ok(None);
        };
        let verified = verify_reauthentication(&*self.codec, token, self.clock.now()).await?;
        let Authenticated { user, session } = authenticated;
        let counts = verified.ok().filter(|claims| {
            claims.user == user.id && claims.session == session.id && claims.epoch == user.epoch
        });
        Ok(counts.map(|claims| claims.epoch))
    }
}
