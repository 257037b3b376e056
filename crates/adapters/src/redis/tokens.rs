//! The port, intent by intent: each is one call of one script.

use super::{RedisTokens, client::failure::Failure, keys, reply};
use async_trait::async_trait;
use revolve_domain::{
    model::{Epoch, SessionId, TokenId, UserId},
    ports::{LiveSession, NewLiveSession, StoreError, TokenRepository},
    rotation::{ReusePolicy, Rotation, RotationOutcome},
};
use std::{fmt::Display, time::Duration};

#[async_trait]
impl TokenRepository for RedisTokens {
    async fn begin(&self, new: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        let token = new.token;
        let mut call = self.scripts.begin.prepare_invoke();
        call.key(keys::index(new.user)).key(keys::token(
            new.user,
            TokenId::of(new.session, token.generation),
        ));
        call.arg(new.session.to_string())
            .arg(token.generation.number());
        call.arg(token.issued_at.as_seconds())
            .arg(token.expires_at.as_seconds())
            .arg(or_empty(token.device));
        call.arg(new.epoch.number()).arg(new.ceiling);
        let others: Vec<Vec<String>> = self
            .links
            .call(&call)
            .await
            .map_err(|failure| failure.while_it_should("begin a session"))?;
        self.read(reply::sessions(&others), "begin a session")
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        let (user, device, policy) = (rotation.user, &rotation.device, &rotation.policy);
        let window = if device.shown.is_some() {
            policy.bound_retry_window
        } else {
            policy.retry_window
        };
        let mut call = self.scripts.rotate.prepare_invoke();
        call.key(keys::index(user));
        call.key(keys::token(user, rotation.presented_id()))
            .key(keys::token(user, rotation.successor_id()));
        call.arg(rotation.session.to_string())
            .arg(rotation.presented.number())
            .arg(rotation.presented.next().number());
        call.arg(rotation.issued_at.as_seconds())
            .arg(rotation.expires_at.as_seconds())
            .arg(rotation.epoch.number());
        call.arg(u8::from(rotation.expired));
        call.arg(device.owner.to_string())
            .arg(or_empty(device.shown))
            .arg(u8::from(device.bound));
        call.arg(whole_millis(policy.retry_free))
            .arg(whole_millis(window))
            .arg(policy.late_retries);
        call.arg(u8::from(policy.reuse == ReusePolicy::Revoke));
        let answer: Vec<String> = self
            .links
            .call(&call)
            .await
            .map_err(|failure| failure.while_it_should("rotate a token"))?;
        self.read(reply::outcome(&answer, rotation), "rotate a token")
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        if sessions.is_empty() {
            return Ok(());
        }
        let mut call = self.scripts.end.prepare_invoke();
        call.key(keys::index(user));
        for session in sessions {
            call.arg(session.to_string());
        }
        self.links
            .call(&call)
            .await
            .map_err(|failure| failure.while_it_should("end sessions"))
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let mut call = self.scripts.end_older.prepare_invoke();
        call.key(keys::index(user))
            .arg(epoch.number())
            .arg(or_empty(kept));
        self.links
            .call(&call)
            .await
            .map_err(|failure| failure.while_it_should("end older sessions"))
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        let mut call = self.scripts.list.prepare_invoke();
        call.key(keys::index(user));
        let sessions: Vec<Vec<String>> = self
            .links
            .call(&call)
            .await
            .map_err(|failure| failure.while_it_should("list sessions"))?;
        self.read(reply::sessions(&sessions), "list sessions")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.links
            .ping()
            .await
            .map_err(|failure| failure.while_it_should("answer"))
    }
}

impl RedisTokens {
    fn read<T>(
        &self,
        read: Result<T, reply::Unreadable>,
        operation: &'static str,
    ) -> Result<T, StoreError> {
        read.map_err(|source| {
            Failure::Reply {
                address: self.links.address(),
                source,
            }
            .while_it_should(operation)
        })
    }
}

fn or_empty(id: Option<impl Display>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

/// A window in milliseconds, rounded up: an age in whole milliseconds is below both or below neither.
fn whole_millis(window: Duration) -> u64 {
    u64::try_from(window.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
