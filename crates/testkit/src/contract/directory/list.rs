//! Lists of accounts by address. Stores are shared with other cases, so each uses a prefix of its own.

use crate::{
    contract::{
        DirectorySubject,
        given::{hash, random, user},
    },
    untold,
};
use revolve_domain::{
    model::{AccountChange, DetailsChange, EmailAddress, Role, Roles, Timestamp, User},
    ports::{AccountQuery, AddOutcome, ChangeOutcome, OperatorChange},
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
        disabled: Some(true),
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

/// Whatever their states and roles are, and in pages as well: exactly those that the query asks for.
pub async fn a_list_can_be_of_some_states_and_of_a_role(subject: &dyn DirectorySubject) {
    let prefix = prefix();
    let named = |name: &str| Role::parse(&format!("{prefix}{name}")).expect("a role");
    let (editor, auditor) = (named("editor"), named("auditor"));
    let mut all_of_them = Vec::new();
    for number in 0..24 {
        let email = format!("{prefix}user{number:02}@example.org");
        let roles = [(4, &editor), (6, &auditor)]
            .into_iter()
            .filter(|(each, _)| number % each == 0)
            .map(|(_, role)| role.clone());
        let then = Timestamp::from_seconds(1_900_000_001);
        let user = User {
            email: EmailAddress::parse(&email).expect("an address"),
            disabled_at: (number % 3 == 0).then_some(then),
            email_verified_at: (number % 2 == 0).then_some(then),
            roles: Roles::new(roles).expect("few roles"),
            ..user()
        };
        let added = subject.users().add(&user, &hash("first"), &untold()).await;
        assert_eq!(added.expect("add works"), AddOutcome::Added);
        all_of_them.push(user);
    }
    let each = [None, Some(true), Some(false)];
    for role in [None, Some(&editor), Some(&auditor)] {
        for (disabled, verified) in each.iter().flat_map(|one| each.map(|other| (*one, other))) {
            let query = AccountQuery {
                role: role.cloned(),
                disabled,
                verified,
                ..all(&prefix)
            };
            let expected: Vec<User> = all_of_them
                .iter()
                .filter(|user| query.admits(user))
                .cloned()
                .collect();
            assert_eq!(list(subject, query.clone()).await, expected, "{query:?}");
            let (mut after, mut seen) = (None, Vec::new());
            loop {
                let page = AccountQuery {
                    after,
                    limit: 2,
                    ..query.clone()
                };
                let page = list(subject, page).await;
                let Some(last) = page.last() else { break };
                after = Some(last.email.clone());
                seen.extend(page);
            }
            assert_eq!(seen, expected, "in pages: {query:?}");
        }
    }
}

/// As soon as it is committed.
pub async fn a_list_follows_every_change(subject: &dyn DirectorySubject) {
    let prefix = prefix();
    let role = Role::parse(&format!("{prefix}editor")).expect("a role");
    let query = AccountQuery {
        role: Some(role.clone()),
        ..all(&prefix)
    };
    let found = async |disabled, verified| {
        let asked = AccountQuery {
            disabled,
            verified,
            ..query.clone()
        };
        let found = list(subject, asked).await;
        let names = found.iter().map(|user| user.email.as_str().to_owned());
        names.collect::<Vec<_>>()
    };
    let user = add(subject, &prefix, "ann", false).await;
    assert_eq!(found(None, None).await, [""; 0], "she has no role");
    let change = async |change: AccountChange| {
        let change = OperatorChange {
            user: user.id,
            change,
            expected: None,
            at: Timestamp::from_seconds(1_900_000_010),
        };
        let changed = subject.directory().change(&change, &untold()).await;
        assert!(
            matches!(changed, Ok(ChangeOutcome::Changed { .. })),
            "got {changed:?}"
        );
    };
    change(AccountChange {
        roles: Some(Roles::new([role.clone()]).expect("few roles")),
        ..AccountChange::default()
    })
    .await;
    let ann = [format!("{prefix}ann@example.org")];
    assert_eq!(found(None, None).await, ann);
    assert_eq!(found(None, Some(true)).await, [""; 0]);
    change(AccountChange {
        email_verified: Some(true),
        ..AccountChange::default()
    })
    .await;
    assert_eq!(found(None, Some(true)).await, ann);
    let moved = EmailAddress::parse(&format!("{prefix}bea@example.org")).expect("an address");
    change(AccountChange {
        details: DetailsChange {
            email: Some(moved),
            ..DetailsChange::default()
        },
        ..AccountChange::default()
    })
    .await;
    let bea = [format!("{prefix}bea@example.org")];
    assert_eq!(found(Some(false), Some(false)).await, bea);
    let then = Timestamp::from_seconds(1_900_000_020);
    let directory = subject.directory();
    directory
        .disable(user.id, then, &untold())
        .await
        .expect("disable works");
    assert_eq!(found(Some(false), None).await, [""; 0]);
    assert_eq!(found(Some(true), None).await, bea);
    directory
        .enable(user.id, &untold())
        .await
        .expect("enable works");
    assert_eq!(found(Some(false), None).await, bea);
    change(AccountChange {
        roles: Some(Roles::default()),
        ..AccountChange::default()
    })
    .await;
    assert_eq!(found(None, None).await, [""; 0], "the role is gone");
    change(AccountChange {
        roles: Some(Roles::new([role]).expect("few roles")),
        ..AccountChange::default()
    })
    .await;
    let users = subject.users();
    users
        .delete(user.id, None, then, &untold())
        .await
        .expect("delete works");
    assert_eq!(found(None, None).await, [""; 0], "the account is gone");
}
