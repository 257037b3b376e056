//! Decorators of ports: types that do something around every call of a store, such as measuring it or letting it fail.

use super::{
    AccountDirectory, AccountQuery, AddOutcome, Asking, BeginOutcome, BeginSession, CreateOutcome,
    DisableOutcome, EnableOutcome, EndOutcome, KeyOutcome, KeyRepository, LiveSession,
    NewLiveSession, PasswordChange, PasswordOutcome, RateLimiter, RevokedKeys, SessionRepository,
    StoreError, Take, TakeOutcome, TokenRepository, UpdateOutcome, UserRepository,
};
use crate::{
    keys::{KeyId, KeyState, Promotion, Retired, SealedKey, StoredKey},
    model::{
        Credentials, DetailsChange, DeviceId, EmailAddress, EndReason, Epoch, PasswordHash,
        Session, SessionId, SessionRecord, Timestamp, User, UserId,
    },
    revocations::{RevocationQuery, Revocations},
    rotation::{Rotation, RotationOutcome},
};
use async_trait::async_trait;
use std::pin::Pin;

/// The future of a port's method.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Does something around every call of a port. A decorator implements every port of this module that its [`Decorator::Port`]
/// implements.
pub trait Decorator: Send + Sync {
    /// The port, or an implementation of it.
    type Port: ?Sized + Send + Sync;

    /// Answers one call. `work` makes it on the decorated port; `operation` is its stable name, as metrics have it.
    fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;
}

/// Implements a port for its decorators. Each line is a method with the name of its operation.
macro_rules! decorate {
    ($port:ident { $($operation:literal: $method:ident($($arg:ident: $type:ty),*) -> $output:ty;)* }) => {
        #[async_trait]
        impl<D> $port for D
        where
            D: Decorator,
            D::Port: $port,
        {
            $(
                async fn $method(&self, $($arg: $type),*) -> Result<$output, StoreError> {
                    self.call($operation, |port| port.$method($($arg),*)).await
                }
            )*
        }
    };
}

decorate!(UserRepository {
    "create_account": create(user: &User, hash: &PasswordHash, session: &Session) -> CreateOutcome;
    "add_account": add(user: &User, hash: &PasswordHash) -> AddOutcome;
    "credentials_by_email": credentials_by_email(email: &EmailAddress, devices: &[DeviceId]) -> Option<Credentials>;
    "credentials": credentials(user: UserId) -> Option<Credentials>;
    "rehash": rehash(user: UserId, old: &PasswordHash, new: &PasswordHash) -> ();
    "update_account": update(user: UserId, change: &DetailsChange, asking: Option<Asking>, at: Timestamp) -> UpdateOutcome;
    "change_password": change_password(change: &PasswordChange) -> PasswordOutcome;
    "delete_account": delete(user: UserId, asking: Option<Asking>, at: Timestamp) -> bool;
    "ping": ping() -> ();
});

decorate!(AccountDirectory {
    "list_accounts": list(query: &AccountQuery) -> Vec<User>;
    "walk_accounts": walk(after: Option<UserId>, limit: u32) -> Vec<Credentials>;
    "session_history": history(user: UserId) -> Vec<Session>;
    "disable_account": disable(user: UserId, at: Timestamp) -> DisableOutcome;
    "enable_account": enable(user: UserId) -> EnableOutcome;
});

decorate!(SessionRepository {
    "find_session": find(user: UserId, session: SessionId) -> Option<SessionRecord>;
    "begin_session": begin(begin: &BeginSession) -> BeginOutcome;
    "bind_session": bind(user: UserId, session: SessionId, devices: &[DeviceId], at: Timestamp) -> Option<DeviceId>;
    "end_session": end(user: UserId, session: SessionId, reason: EndReason, at: Timestamp) -> EndOutcome;
    "end_all_sessions": end_all(user: UserId, kept: Option<SessionId>, reason: EndReason, at: Timestamp) -> Option<Epoch>;
    "live_sessions": live(user: UserId, now: Timestamp) -> Vec<Session>;
    "revoked": revoked(query: &RevocationQuery) -> Revocations;
    "prune_devices": prune_devices(before: Timestamp, limit: u32) -> u64;
    "prune_sessions": prune(before: Timestamp, limit: u32) -> u64;
});

decorate!(TokenRepository {
    "begin_entry": begin(session: NewLiveSession) -> Vec<LiveSession>;
    "rotate": rotate(rotation: &Rotation) -> RotationOutcome;
    "end_entries": end(user: UserId, sessions: &[SessionId]) -> ();
    "end_older_entries": end_older(user: UserId, epoch: Epoch, kept: Option<SessionId>) -> ();
    "list_entries": list(user: UserId) -> Vec<LiveSession>;
    "ping": ping() -> ();
});

decorate!(KeyRepository {
    "list_keys": list() -> Vec<StoredKey>;
    "insert_key": insert(key: &StoredKey) -> KeyOutcome;
    "promote_key": promote(promotion: &Promotion) -> KeyOutcome;
    "retire_key": retire(key: &KeyId, retired: Retired) -> KeyOutcome;
    "reseal_key": reseal(key: &KeyId, from: &SealedKey, to: &SealedKey) -> KeyOutcome;
    "remove_key": remove(key: &KeyId, state: KeyState) -> KeyOutcome;
});

decorate!(RevokedKeys {
    "revoke_key": revoke(key: &KeyId) -> ();
    "revoked_keys": among(keys: &[KeyId]) -> Vec<KeyId>;
});

decorate!(RateLimiter {
    "take": take(takes: &[Take]) -> TakeOutcome;
    "give_back": give_back(takes: &[Take]) -> ();
});
