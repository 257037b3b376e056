//! Who sent a request, by the token in its `Authorization` field (RFC 6750 §2.1).

use crate::{Claims, Verifier, problem::ProblemDocument};

/// The claims of the request's token, or what to answer instead.
pub(crate) async fn identify<'r>(
    verifier: &Verifier,
    fields: impl Iterator<Item = &'r [u8]>,
) -> Result<Claims, ProblemDocument> {
    let token = token(fields).ok_or_else(ProblemDocument::unauthenticated)?;
    Ok(verifier.verify(token).await?)
}

/// The token, if there is exactly one field and its scheme is `Bearer`, in any case (RFC 9110 §11.1). Tokens in URLs and
/// bodies are ignored.
fn token<'r>(mut fields: impl Iterator<Item = &'r [u8]>) -> Option<&'r str> {
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once([' ', '\t'])?;
    // White space around a token is no part of it.
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_field_with_one_scheme() {
        let one = |field: &'static str| token([field.as_bytes()].into_iter());
        assert_eq!(one("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(one("bEARER a.b.c"), Some("a.b.c"));
        for around in ["Bearer  a.b.c", "Bearer\ta.b.c\t", "Bearer a.b.c \n"] {
            assert_eq!(one(around), Some("a.b.c"), "{around:?}");
        }
        for none in ["", "Bearer", "Basic a.b.c", "a.b.c", "Bearera.b.c"] {
            assert_eq!(one(none), None, "{none}");
        }
        assert_eq!(token([&b"Bearer a"[..], b"Bearer a"].into_iter()), None);
        assert_eq!(token(std::iter::empty()), None);
    }
}
