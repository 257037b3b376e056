//! Identifiers as types, so that a user's id can't be passed as a session's.

use super::{FieldError, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole id, as lists show it")]
pub struct InvalidId(#[source] uuid::Error);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that came from a store or a verified token.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// Makes a version 4 UUID (RFC 9562 §5.4) from 16 random bytes.
            pub const fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// The version 5 UUID (RFC 9562 §5.5) of a name below this id.
            #[must_use]
            pub fn derive(&self, name: &str) -> Self {
                Self(Uuid::new_v5(&self.0, name.as_bytes()))
            }

            /// The UUID itself.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self).map_err(InvalidId)
            }
        }
    };
}

id! {
    /// An account. Ids are never reused.
    UserId
}

impl UserId {
    /// Parses the id that somebody chooses for an account. RFC 9562 §5.9 and §5.10: the nil UUID stands for none at all, and the max UUID for one
    /// after all others.
    ///
    /// # Errors
    /// [`FieldError::InvalidId`] or [`FieldError::ReservedId`].
    pub fn choose(text: &str) -> Result<Self, FieldError> {
        let id: Self = text.parse().map_err(|_| FieldError::InvalidId)?;
        if id.0.is_nil() || id.0.is_max() {
            return Err(FieldError::ReservedId);
        }
        Ok(id)
    }
}

id! {
    /// One sign-in on one device (the `sid` claim).
    SessionId
}
id! {
    /// A browser or an app installation that has signed in at least once (the `did` claim).
    DeviceId
}
id! {
    /// An entry of the journal.
    EventId
}
id! {
    /// A mail, or another delivery, from its order until it has arrived.
    DeliveryId
}
id! {
    /// A proof that somebody reads a mailbox.
    ProofId
}
id! {
    /// The key of a program that operators run.
    ApiKeyId
}
id! {
    /// A step of a sign-in, or of another ceremony, that waits for its second half.
    ChallengeId
}
id! {
    /// A passkey, in the API.
    PasskeyId
}
id! {
    /// An endpoint that events are sent to.
    WebhookId
}

/// How often a session's refresh token has been replaced, counted from 1 (the `gen` claim).
///
/// Order among the tokens of a session is by generation alone, never by a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// The generation of a sign-in's token.
    pub const FIRST: Self = Self(1);

    /// The largest generation: 2^53 - 1, exact in JSON and in Redis' Lua alike.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// A generation from a store or a verified token; `None` unless it is in `1 ..= MAX`.
    pub const fn new(number: u64) -> Option<Self> {
        if number >= Self::FIRST.0 && number <= Self::MAX.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The generation that replaces this one (it stays at [`Self::MAX`], which no session reaches).
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::MAX.0 {
            Self(self.0 + 1)
        } else {
            self
        }
    }

    /// The number itself.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The id of one refresh token (the `jti` claim, RFC 7519 §4.1.7): `uuid_v5(sid, gen)`, so that it can be computed
/// for each generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(Uuid);

impl TokenId {
    /// The id of a session's token of that generation: a version 5 UUID whose name is the generation in decimal.
    pub fn of(session: SessionId, generation: Generation) -> Self {
        Self(Uuid::new_v5(
            session.as_uuid(),
            generation.to_string().as_bytes(),
        ))
    }

    /// The UUID itself.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A user's session epoch: sessions that began under an older epoch have ended, all at once (see `docs/sessions.md`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of a new account.
    pub const FIRST: Self = Self(0);

    /// The largest epoch, which no account reaches.
    pub const MAX: Self = Self(u32::MAX);

    /// An epoch from a store or a verified token.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number itself.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Which state of an account something is about (the `version` claim). It rises with each change of what the account shows.
///
/// It is the time of the change in milliseconds since 1970, or one more than the version before where the clock is behind that. So it rises
/// also where a count would begin anew: after a restore of the user database, and for an account that is imported again under its id.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct AccountVersion(u64);

impl AccountVersion {
    /// The largest version, so that every JSON parser keeps all of its digits.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// A version from a store or a caller; `None` if it is greater than [`Self::MAX`].
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The version of an account that is made then.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        let millis = u64::try_from(time.as_millis()).unwrap_or(0);
        Self(millis).min(Self::MAX)
    }

    /// The version after a change.
    #[must_use]
    pub fn next(self, changed_at: Timestamp) -> Self {
        let following = Self(self.0.saturating_add(1)).min(Self::MAX);
        following.max(Self::at(changed_at))
    }

    /// The number itself.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for AccountVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_always_rises_whatever_the_clock_says() {
        let first = AccountVersion::at(Timestamp::from_millis(1000));
        assert_eq!(first.number(), 1000);
        assert_eq!(first.next(Timestamp::from_millis(5000)).number(), 5000);
        for behind in [1000, 999, -1, i64::MIN] {
            let next = first.next(Timestamp::from_millis(behind));
            assert_eq!(next.number(), 1001, "{behind}");
        }
        let last = AccountVersion::at(Timestamp::from_millis(i64::MAX));
        assert_eq!(last, AccountVersion::MAX);
        assert_eq!(AccountVersion::new(1 << 53), None);
    }

    #[test]
    fn an_account_is_given_any_uuid_but_those_that_are_none() {
        let chosen = UserId::choose("6F1F6A58-31CF-4A1E-8B1C-0D8A5D1F7C11").unwrap();
        assert_eq!(chosen.to_string(), "6f1f6a58-31cf-4a1e-8b1c-0d8a5d1f7c11");
        for reserved in ["00000000-0000-0000-0000-000000000000", &"f".repeat(32)] {
            assert_eq!(UserId::choose(reserved), Err(FieldError::ReservedId));
        }
        assert_eq!(UserId::choose("17"), Err(FieldError::InvalidId));
    }

    #[test]
    fn a_token_id_depends_on_session_and_generation_only() {
        let session = SessionId::from_random([7; 16]);
        let second = Generation::FIRST.next();
        assert_eq!(TokenId::of(session, second), TokenId::of(session, second));
        assert_ne!(
            TokenId::of(session, Generation::FIRST),
            TokenId::of(session, second)
        );
        assert_ne!(
            TokenId::of(SessionId::from_random([8; 16]), second),
            TokenId::of(session, second)
        );
    }

    #[test]
    fn generations_stay_in_their_range() {
        assert_eq!(Generation::new(0), None);
        assert_eq!(Generation::new(1), Some(Generation::FIRST));
        assert_eq!(Generation::new(1 << 53), None);
        assert_eq!(Generation::MAX.next(), Generation::MAX);
    }
}
