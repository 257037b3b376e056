//! Lists of accounts by address. Stores are shared with other cases, so each uses a prefix of its own.

use crate::{
    contract::{
        DirectorySubject,
        given::{hash, random, user},
    },
    untold,
};
use revolve_domain::{
    model::{EmailAddress, Timestamp, User},
    ports::{AccountQuery, AddOutcome},
};

/// A prefix that no other case has.
fn prefix() -> String {
    format!("{}-", uuid::Uuid::from_bytes(random()).simple())
}

/// Adds an account whose address begins with the prefix.
async fn add(subject: &dyn DirectorySubject, prefix: &str, rest: &str, disabled: bool) -> User {
    let email = EmailAddress::parse(&format!("{prefix}{rest}@example.org")).expect("an address");
    let user = User {
        email,
        disabled_at: disabled.then_some(Timestamp::from_seconds(1_900_000_001)),
        ..user()
    };
    assert_eq!(
        subject
            .users()
            .add(&user, &hash("first"), &untold())
            .await
            .expect("add works"),
        AddOutcome::Added,
        "a fresh address"
    );
    user
}

async fn list(subject: &dyn DirectorySubject, query: AccountQuery) -> Vec<User> {
    subject.directory().list(&query).await.expect("list works")
}

fn all(prefix: &str) -> AccountQuery {
    AccountQuery {
        prefix: prefix.to_owned(),
        limit: 100,
        ..AccountQuery::default()
    }
}

/// Whole accounts in the order of their addresses' bytes, whatever the order of their creation and the letters in them.
pub async fn accounts_come_by_address(subject: &dyn DirectorySubject) {
    let prefix = prefix();
    let mut expected = Vec::new();
    for (i, name) in ["b", "a.z", "a_b", "ab", "é", "漢", "a-b", "z", "ä"]
        .into_iter()
        .enumerate()
    {
        expected.push(add(subject, &prefix, name, i % 3 == 0).await);
    }
    expected.sort_by(|a, b| a.email.as_str().as_bytes().cmp(b.email.as_str().as_bytes()));
    assert_eq!(
        list(subject, all(&prefix)).await,
        expected,
        "in the order of bytes"
    );
}

/// Page after page shows each account once; the last page is short.
pub async fn a_list_goes_on_after_an_address(subject: &dyn DirectorySubject) {
    let prefix = prefix();
    let mut expected = Vec::new();
    for i in 0..7 {
        expected.push(add(subject, &prefix, &format!("user{i}"), false).await);
    }
    let (mut seen, mut after, mut sizes) = (Vec::new(), None, Vec::new());
    loop {
        let page = list(
            subject,
            AccountQuery {
                after,
                limit: 3,
                ..all(&prefix)
            },
        )
        .await;
        sizes.push(page.len());
        let Some(last) = page.last() else { break };
        after = Some(last.email.clone());
        seen.extend(page);
    }
    assert_eq!(
        (seen, sizes),
        (expected, vec![3, 3, 1, 0]),
        "all of them, in pages"
    );
    let nobodys = EmailAddress::parse(&format!("{prefix}user3z@example.org")).expect("an address");
    let rest = list(
        subject,
        AccountQuery {
            after: Some(nobodys),
            ..all(&prefix)
        },
    )
    .await;
    assert_eq!(
        rest.len(),
        3,
        "after an address that nobody has come the greater ones"
    );
}

/// Only addresses that begin with the text, in which no character is a wildcard.
pub async fn a_list_has_a_prefix(subject: &dyn DirectorySubject) {
    let prefix = prefix();
    let wanted = add(subject, &prefix, "a_b%", false).await;
    let longer = add(subject, &prefix, "a_b%c", false).await;
    for other in ["a", "a_", "axb%", "a_c", "b"] {
        add(subject, &prefix, other, false).await;
    }
    assert_eq!(
        list(subject, all(&format!("{prefix}a_b%"))).await,
        [wanted.clone(), longer],
        "both that begin with it"
    );
    assert_eq!(
        list(subject, all(wanted.email.as_str())).await,
        [wanted],
        "a whole address is its own prefix"
    );
    assert_eq!(
        list(subject, all(&format!("{prefix}nobody"))).await,
        [],
        "nobody's begins with that"
    );
    let everybody = list(
        subject,
        AccountQuery {
            limit: 2,
            ..AccountQuery::default()
        },
    )
    .await;
    assert_eq!(everybody.len(), 2, "all begin with nothing");
}

/// Only disabled accounts, in pages as well.
pub async fn a_list_can_be_of_disabled_accounts(subject: &dyn DirectorySubject) {
    let prefix = prefix();
    let mut expected = Vec::new();
    for i in 0..9 {
        let user = add(subject, &prefix, &format!("user{i}"), i % 2 == 0).await;
        if user.disabled_at.is_some() {
            expected.push(user);
        }
    }
    let disabled = AccountQuery {
        disabled: true,
        ..all(&prefix)
    };
    assert_eq!(
        list(subject, disabled.clone()).await,
        expected,
        "each other one"
    );
    let after = Some(expected[1].email.clone());
    assert_eq!(
        list(
            subject,
            AccountQuery {
                after,
                limit: 2,
                ..disabled
            }
        )
        .await,
        expected[2..4],
        "a page of them"
    );
}
