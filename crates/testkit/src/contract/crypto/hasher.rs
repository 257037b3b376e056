//! The contract of [`PasswordHasher`].

use revolve_domain::{
    model::{EmailAddress, Password, PasswordHash},
    ports::{HashFlow, PasswordCheck, PasswordHasher},
};
use secrecy::SecretString;
use std::sync::Arc;

fn password(text: &str) -> Password {
    Password::present(&SecretString::from(text)).expect("a password")
}

fn flow() -> HashFlow {
    HashFlow {
        account: EmailAddress::parse("ann@example.org").expect("an address"),
        address: None,
        known: false,
    }
}

async fn hash(hasher: &Arc<dyn PasswordHasher>, text: &str) -> PasswordHash {
    hasher
        .hash(&flow(), &password(text))
        .await
        .expect("hash works")
}

async fn check(
    hasher: &Arc<dyn PasswordHasher>,
    text: &str,
    hash: Option<&PasswordHash>,
) -> PasswordCheck {
    hasher
        .check(&flow(), &password(text), hash)
        .await
        .expect("check works")
}

const RIGHT: PasswordCheck = PasswordCheck::Match { outdated: false };

/// A hash is a PHC string that does not show the password.
pub async fn a_hash_is_a_phc_string(hasher: &Arc<dyn PasswordHasher>) {
    let hash = hash(hasher, "correct horse battery").await;
    let text = hash.expose();
    assert!(
        text.starts_with('$') && text.split('$').count() >= 4,
        "a PHC string: $id$parameters$salt$hash"
    );
    assert!(!text.contains("horse"), "the password is not in it");
    assert!(
        text.is_ascii() && text.len() <= 255,
        "it fits into a column"
    );
}

/// The right password matches, also an empty one, a long one and any Unicode; today's hashes are not outdated.
pub async fn the_right_password_matches(hasher: &Arc<dyn PasswordHasher>) {
    for text in [
        "correct horse",
        "",
        " spaces ",
        "pässwörd 🦀 \u{0} \n",
        &"x".repeat(Password::MAX),
    ] {
        let hash = hash(hasher, text).await;
        assert_eq!(
            check(hasher, text, Some(&hash)).await,
            RIGHT,
            "the password that was hashed"
        );
    }
}

/// Any other password does not match, however similar.
pub async fn a_wrong_password_does_not_match(hasher: &Arc<dyn PasswordHasher>) {
    let long = "x".repeat(Password::MAX);
    let hash_of_long = hash(hasher, &long).await;
    assert_eq!(
        check(hasher, &long[1..], Some(&hash_of_long)).await,
        PasswordCheck::Mismatch,
        "every character counts"
    );
    let hash = hash(hasher, "correct horse").await;
    for text in [
        "Correct horse",
        "correct horse ",
        "correct hors",
        "",
        hash.expose(),
    ] {
        assert_eq!(
            check(hasher, text, Some(&hash)).await,
            PasswordCheck::Mismatch,
            "another password"
        );
    }
}

/// Without an account the answer is `Mismatch`.
pub async fn nobodys_password_never_matches(hasher: &Arc<dyn PasswordHasher>) {
    for text in ["correct horse", "", "password"] {
        assert_eq!(
            check(hasher, text, None).await,
            PasswordCheck::Mismatch,
            "there is no hash to match"
        );
    }
}

/// What must not wait is hashed while nothing else is, also right after a check.
pub async fn an_idle_hasher_hashes_at_once(hasher: &Arc<dyn PasswordHasher>) {
    let mut stored = hash(hasher, "correct horse").await;
    for _ in 0..20 {
        assert_eq!(check(hasher, "correct horse", Some(&stored)).await, RIGHT);
        stored = hasher
            .try_hash(&flow(), &password("correct horse"))
            .await
            .expect("try_hash works")
            .expect("the check is over and nothing else goes on");
    }
    assert_eq!(check(hasher, "correct horse", Some(&stored)).await, RIGHT);
}

/// Each hash has a salt of its own.
pub async fn salts_are_fresh(hasher: &Arc<dyn PasswordHasher>) {
    let (one, other) = (
        hash(hasher, "correct horse").await,
        hash(hasher, "correct horse").await,
    );
    assert_ne!(
        one.expose(),
        other.expose(),
        "two hashes of one password differ"
    );
    assert_eq!(
        check(hasher, "correct horse", Some(&one)).await,
        RIGHT,
        "the one matches"
    );
    assert_eq!(
        check(hasher, "correct horse", Some(&other)).await,
        RIGHT,
        "and so does the other"
    );
}
