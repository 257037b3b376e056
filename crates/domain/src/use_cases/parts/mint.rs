//! The two signed tokens of a session.

use super::ServicePorts;
use crate::{
    model::{AuthMethods, Session, Timestamp, User},
    policy::{AccountPolicy, SessionPolicy},
    ports::{IdClaims, RefreshClaims, SignError, TokenCodec, VerifiedId},
    rotation::LiveToken,
};
use secrecy::SecretString;
use std::sync::Arc;

/// The tokens that a client gets.
#[derive(Clone, Debug)]
pub struct TokenPair {
    /// The ID token.
    pub id_token: SecretString,
    /// When the ID token expires.
    pub id_expires_at: Timestamp,
    /// Whether the session can do nothing but set up a factor. What is in the place of the ID token is for this service alone, then.
    pub must_set_up_factor: bool,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// When the refresh token expires, if it is not used before.
    pub refresh_expires_at: Timestamp,
}

/// When and how a user proved who they are.
#[derive(Clone, Copy)]
pub(crate) struct Authentication {
    pub(crate) at: Timestamp,
    pub(crate) by: AuthMethods,
}

/// Mints pairs of tokens. The same inputs give the same refresh token, byte for byte.
#[derive(Clone)]
pub(crate) struct Mint {
    codec: Arc<dyn TokenCodec>,
    policy: SessionPolicy,
    rules: AccountPolicy,
}

impl Mint {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            policy: ports.policy,
            rules: ports.accounts,
        }
    }

    /// Mints the pair of a live token; the ID token is issued at the same second as the refresh token.
    pub(crate) fn pair(
        &self,
        user: &User,
        session: &Session,
        live: &LiveToken,
    ) -> Result<TokenPair, SignError> {
        self.pair_at(user, session, live, live.issued_at)
    }

    /// Mints the pair of a live token once more: the same refresh token; an ID token with the same times while more
    /// than half of its life is left at `now`, after that a fresh one.
    pub(crate) fn pair_again(
        &self,
        user: &User,
        session: &Session,
        live: &LiveToken,
        now: Timestamp,
    ) -> Result<TokenPair, SignError> {
        let fresh_enough = now.since(live.issued_at) < self.policy.id_lifetime / 2;
        self.pair_at(
            user,
            session,
            live,
            if fresh_enough {
                live.issued_at
            } else {
                now.whole_second()
            },
        )
    }

    /// Mints an ID token and answers when it expires. Other services must not let in an account that has to set up a factor first.
    pub(crate) fn id_token(
        &self,
        user: &User,
        session: &Session,
        authenticated: Authentication,
        issued_at: Timestamp,
    ) -> Result<(SecretString, Timestamp), SignError> {
        let expires_at = self.policy.id_expiry(issued_at, session.ends_at);
        if self.rules.needs_set_up(user) {
            let token = self.codec.sign_set_up(&VerifiedId {
                user: user.id,
                session: session.id,
                issued_at,
                expires_at,
            })?;
            return Ok((token, expires_at));
        }
        let token = self.codec.sign_id(&IdClaims {
            user: user.id,
            session: session.id,
            epoch: session.epoch,
            authenticated_at: authenticated.at,
            authenticated_by: authenticated.by,
            issued_at,
            expires_at,
            email: user.email.clone(),
            email_verified: user.email_verified_at.is_some(),
            details: user.details.clone(),
            roles: user.roles.clone(),
            app: user.app.clone(),
            version: user.version,
        })?;
        Ok((token, expires_at))
    }

    fn pair_at(
        &self,
        user: &User,
        session: &Session,
        live: &LiveToken,
        id_issued_at: Timestamp,
    ) -> Result<TokenPair, SignError> {
        let sign_in = Authentication {
            at: session.began_at,
            by: session.authenticated_by,
        };
        let (id_token, id_expires_at) = self.id_token(user, session, sign_in, id_issued_at)?;
        let refresh_token = self.codec.sign_refresh(&RefreshClaims {
            user: user.id,
            session: session.id,
            generation: live.generation,
            issued_at: live.issued_at,
            expires_at: live.expires_at,
            device: live.device,
        })?;
        Ok(TokenPair {
            id_token,
            id_expires_at,
            must_set_up_factor: self.rules.needs_set_up(user),
            refresh_token,
            refresh_expires_at: live.expires_at,
        })
    }
}
