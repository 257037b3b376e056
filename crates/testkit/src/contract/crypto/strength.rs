//! The contract of [`PasswordStrength`].

use revolve_domain::{
    model::{EmailAddress, Password},
    ports::{HashFlow, PasswordStrength, PasswordVerdict},
};
use secrecy::SecretString;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

async fn judge(strength: &Arc<dyn PasswordStrength>, text: &str, own: &[&str]) -> PasswordVerdict {
    let password = Password::present(&SecretString::from(text)).expect("a password");
    let flow = HashFlow {
        account: EmailAddress::parse("ann@example.org").expect("an address"),
        address: None,
        known: false,
    };
    let judged = strength.judge(&flow, &password, own).await;
    judged.expect("judging works")
}

/// What most people use is refused, whatever the case of its letters.
pub async fn a_common_password_is_refused(strength: &Arc<dyn PasswordStrength>) {
    for text in [
        "12345678",
        "123456789",
        "password",
        "PassWord",
        "qwertyuiop",
        "iloveyou",
        "password1",
        "11111111",
        "sunshine",
    ] {
        assert_eq!(
            judge(strength, text, &[]).await,
            PasswordVerdict::TooCommon,
            "{text}"
        );
    }
}

/// The owner's details are refused, whatever the case of their letters and however long they are.
pub async fn the_owners_details_are_refused(strength: &Arc<dyn PasswordStrength>) {
    let long = format!("{}@example.org", "xkqzjvwm".repeat(20));
    let own = [
        "wilhelmina.quirke@example.org",
        "Wilhelmina Quirke",
        long.as_str(),
        "Ελένη Παπαδοπούλου",
    ];
    for text in own {
        for text in [text.to_owned(), text.to_uppercase()] {
            assert_eq!(
                judge(strength, &text, &own).await,
                PasswordVerdict::OwnDetails,
                "{text}"
            );
        }
        assert_eq!(
            judge(strength, "tree lamp ocean sixteen", &own).await,
            PasswordVerdict::Fine,
            "it has nothing to do with them"
        );
    }
}

/// Words of one case, characters of any script and long texts are good passwords: nothing asks for kinds of characters.
pub async fn a_long_password_of_any_kind_is_fine(strength: &Arc<dyn PasswordStrength>) {
    for text in [
        "tree lamp ocean sixteen",
        "correct horse battery",
        "дерево лампа океан щука",
        "木🦀灯海十六水雲橋紙猫",
        "8163950274918365",
    ] {
        assert_eq!(
            judge(strength, text, &["ann@example.org"]).await,
            PasswordVerdict::Fine,
            "{text}"
        );
    }
}

/// What nobody can guess at the end counts, too.
pub async fn the_whole_password_counts(strength: &Arc<dyn PasswordStrength>) {
    let text = format!("{}tree lamp ocean sixteen", "password".repeat(26));
    assert_eq!(
        judge(strength, &text, &[]).await,
        PasswordVerdict::Fine,
        "its end is strong"
    );
}

/// The worst inputs are judged in time, however many come at once. The limit is wide: it is there to tell bounded from unbounded.
pub async fn hostile_passwords_are_judged_in_time(strength: &Arc<dyn PasswordStrength>) {
    let repeated = |pattern: &str| {
        pattern
            .chars()
            .cycle()
            .take(Password::MAX)
            .collect::<String>()
    };
    let patterns = [
        "a",
        "ab",
        "4@8({[<36910!|7$5+%2",
        "aab",
        "1.1.1991",
        "qwertyuiop",
        "İ",
        "ẞß",
        "漢",
        "p4$$w0rd!",
        "((((((((((b",
    ];
    let begun = Instant::now();
    for pattern in patterns {
        let text = repeated(pattern);
        judge(strength, &text, &["ann@example.org", "Ann", &text]).await;
        judge(strength, &text, &[]).await;
    }
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?} for {} judgements",
        begun.elapsed(),
        patterns.len() * 2
    );
}
