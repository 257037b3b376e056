//! The names of keys (`docs/sessions.md`). The braces are part of the name: Redis hashes only what is between them, so all keys of a
//! user are in one hash slot.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::model::{TokenId, UserId};

/// The keys that sign tokens no more: `kid` and when it was revoked.
pub(super) const REVOKED_KEYS: &str = "{keys}:revoked";

/// The index of the user's sessions.
pub(super) fn index(user: UserId) -> String {
    format!("{{{user}}}:sessions")
}

/// A white-listed token: the 16 bytes of its `jti` in 22 characters, since the index repeats them. Scripts find it by the index, in whatever form an
/// earlier release has written it.
pub(super) fn token(user: UserId, token: TokenId) -> String {
    format!(
        "{{{user}}}:{}",
        URL_SAFE_NO_PAD.encode(token.as_uuid().as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::model::{Generation, SessionId};

    #[test]
    fn keys_are_as_documented() {
        let user = UserId::from_random([1; 16]);
        let id = TokenId::of(SessionId::from_random([2; 16]), Generation::FIRST);
        assert_eq!(
            index(user),
            "{01010101-0101-4101-8101-010101010101}:sessions"
        );
        assert_eq!(
            token(user, id),
            "{01010101-0101-4101-8101-010101010101}:fN3cCQl3W9aAcebx7FFP7w"
        );
    }
}
