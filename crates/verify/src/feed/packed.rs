//! The packed form of a statement: a signed object of `typ` `packed-revocations+jwt`, a tilde, and the ids in base64url, whose digest the
//! signed object has.

use super::document::check;
use crate::{error::VerifyError, json, jwk_set::VerifyingKey, jws::Jws};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use uuid::Uuid;

/// The header's `typ`.
const TYPE: &str = "packed-revocations+jwt";

/// The most bytes of the signed object: a window has the minutes of a day, a version is short.
pub(super) const LONGEST_SIGNED: usize = 64 * 1024;

/// Stands between the signed object and the ids.
pub(super) const SEPARATOR: char = '~';

const NOT_WHOLE: VerifyError = VerifyError::Malformed("its ids are not as many as it says");

/// The claims. Times are seconds since 1970-01-01 UTC.
#[derive(Debug, Deserialize)]
struct PackedClaims {
    iss: String,
    iat: u64,
    exp: u64,
    window: u64,
    version: String,
    #[serde(default)]
    since: Option<String>,
    sessions: Vec<(u64, usize)>,
    /// Issuers of an earlier release name none.
    #[serde(default)]
    outdated: usize,
    only: OnlyClaims,
    digest: String,
}

/// The users of whom only the sessions named live.
#[derive(Debug, Deserialize)]
pub(super) struct OnlyClaims {
    /// Tokens that were issued from then on are not concerned.
    pub(super) issued_before: u64,
    users: usize,
}

/// An account whose tokens before a version are outdated, since an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutdatedTokens {
    pub(super) user: Uuid,
    pub(super) before: u64,
    pub(super) at: u64,
}

/// What each takes of the ids, in bytes.
const OUTDATED: usize = 32;

/// A packed statement whose signature is verified.
#[derive(Debug)]
pub(super) struct PackedDocument {
    pub(super) exp: u64,
    pub(super) window: u64,
    /// What a reader covers that has this statement and the one that it continues.
    pub(super) version: String,
    /// The statement that it continues; `None` if it is whole.
    pub(super) since: Option<String>,
    pub(super) only: OnlyClaims,
    /// For each minute its end, and how many sessions ended in it.
    minutes: Vec<(u64, usize)>,
    ids: Vec<u8>,
    /// Where the outdated accounts begin: they count as sessions, too, for verifiers of an earlier release.
    outdated_at: usize,
    /// Where the users of `only` begin.
    users_at: usize,
}

/// The two parts of a packed statement; `None` if it is of another form.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(SEPARATOR)
}

/// Parses the signed part; the signature is not checked.
pub(super) fn parse(signed: &str) -> Result<Jws<'_>, VerifyError> {
    Jws::parse(signed, TYPE, LONGEST_SIGNED)
}

impl PackedDocument {
    /// Checks signature, issuer, times, digest and form.
    pub(super) fn read(
        jws: &Jws<'_>,
        ids: &str,
        key: &VerifyingKey,
        issuer: &str,
        now: u64,
    ) -> Result<Self, VerifyError> {
        let claims: PackedClaims = json::parse(&jws.verify(key)?).map_err(VerifyError::Claims)?;
        let times = [claims.iat, claims.exp, claims.window];
        check(&claims.iss, times, issuer, now)?;
        if URL_SAFE_NO_PAD.encode(digest(&SHA256, ids.as_bytes())) != claims.digest {
            return Err(VerifyError::Signature);
        }
        let ids = URL_SAFE_NO_PAD
            .decode(ids)
            .map_err(|_| VerifyError::Malformed("its ids are not canonical base64url"))?;
        let ended = claims
            .sessions
            .iter()
            .try_fold(0_usize, |sum, (_, count)| sum.checked_add(*count));
        let users_at = ended
            .and_then(|ended| ended.checked_mul(16))
            .filter(|users_at| *users_at <= ids.len())
            .ok_or(NOT_WHOLE)?;
        let outdated = claims.outdated.checked_mul(OUTDATED);
        let outdated_at = outdated
            .and_then(|outdated| users_at.checked_sub(outdated))
            .ok_or(NOT_WHOLE)?;
        let document = Self {
            exp: claims.exp,
            window: claims.window,
            version: claims.version,
            since: claims.since,
            only: claims.only,
            minutes: claims.sessions,
            ids,
            outdated_at,
            users_at,
        };
        // Each is read once here, so that reading it again can't fail half-way.
        let mut left = &document.ids[users_at..];
        for _ in 0..document.only.users {
            (_, _, left) = user(left).ok_or(NOT_WHOLE)?;
        }
        if left.is_empty() {
            Ok(document)
        } else {
            Err(NOT_WHOLE)
        }
    }

    /// How many sessions and users it names.
    pub(super) fn len(&self) -> usize {
        self.outdated_at / 16 + (self.users_at - self.outdated_at) / OUTDATED + self.only.users
    }

    /// For each minute its end, and the ids of the sessions that ended in it.
    pub(super) fn ended(&self) -> impl Iterator<Item = (u64, &[[u8; 16]])> {
        let (mut left, _) = self.ids[..self.outdated_at].as_chunks();
        self.minutes.iter().map(move |(before, count)| {
            let (minute, rest) = left.split_at((*count).min(left.len()));
            left = rest;
            (*before, minute)
        })
    }

    /// Each account whose tokens are outdated.
    pub(super) fn outdated(&self) -> impl Iterator<Item = OutdatedTokens> {
        let (ids, _) = self.ids[self.outdated_at..self.users_at].as_chunks::<16>();
        let (pairs, _) = ids.as_chunks::<2>();
        pairs.iter().map(|[user, change]| {
            let (before, at) = Uuid::from_bytes(*change).as_u64_pair();
            OutdatedTokens {
                user: Uuid::from_bytes(*user),
                before,
                at,
            }
        })
    }

    /// Each user of whom only the sessions named live.
    pub(super) fn living(&self) -> impl Iterator<Item = ([u8; 16], &[[u8; 16]])> {
        let mut left = &self.ids[self.users_at..];
        std::iter::from_fn(move || {
            let (id, living, rest) = user(left)?;
            left = rest;
            Some((id, living))
        })
    }
}

type Id = [u8; 16];

/// A user's id, the ids of its sessions, and the rest.
fn user(bytes: &[u8]) -> Option<(Id, &[Id], &[u8])> {
    let (id, bytes) = bytes.split_first_chunk::<16>()?;
    let (count, bytes) = bytes.split_first_chunk::<2>()?;
    let (living, rest) = bytes.split_at_checked(16 * usize::from(u16::from_be_bytes(*count)))?;
    Some((*id, living.as_chunks().0, rest))
}
