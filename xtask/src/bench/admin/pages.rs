//! The pages that are asked for: each has as much to do whatever the number of accounts.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::accounts::{RARE, address};

/// The fewer accounts.
pub(super) const FEW: usize = 1_000;
/// Accounts on a page.
pub(super) const LIMIT: usize = 50;
/// So many accounts before the last one a deep page begins.
const LEFT: usize = 500;

/// A page whose work is to be the same whatever the number of accounts.
pub(super) struct Page {
    pub(super) name: &'static str,
    /// Of the figures.
    pub(super) key: &'static str,
    /// By the number of accounts.
    pub(super) query: fn(usize) -> String,
    /// Accounts on it.
    pub(super) users: usize,
}

const fn page(
    key: &'static str,
    name: &'static str,
    query: fn(usize) -> String,
    users: usize,
) -> Page {
    Page {
        name,
        key,
        query,
        users,
    }
}

fn fixed(query: &str) -> String {
    query.to_owned()
}

/// The pages behind the account of this number.
fn after(number: usize, more: &str) -> String {
    let cursor = URL_SAFE_NO_PAD.encode(address(number));
    format!("after={cursor}{more}")
}

/// Where a deep page begins.
fn deep(accounts: usize, more: &str) -> String {
    after(accounts - LEFT - 1, more)
}

pub(super) const PAGES: [Page; 13] = [
    page(
        "exact",
        "an address",
        |_| format!("email={}", address(FEW / 2)),
        1,
    ),
    page("first", "no filter", |_| String::new(), LIMIT),
    page(
        "prefix",
        "a prefix of 100 addresses",
        |_| fixed("prefix=user-000005"),
        LIMIT,
    ),
    page(
        "role",
        "a role that 1 of 10 have",
        |_| fixed("role=support"),
        LIMIT,
    ),
    page(
        "rare_role",
        "a role that 50 have",
        |_| fixed("role=owner"),
        RARE,
    ),
    page("disabled", "disabled", |_| fixed("disabled=true"), LIMIT),
    page(
        "unverified",
        "unverified",
        |_| fixed("verified=false"),
        LIMIT,
    ),
    page(
        "rare_state",
        "disabled and verified, 50 of all",
        |_| fixed("disabled=true&verified=true"),
        RARE,
    ),
    page(
        "all",
        "role, enabled and verified",
        |_| fixed("role=support&disabled=false&verified=true"),
        LIMIT,
    ),
    page("deep", "far behind", |accounts| deep(accounts, ""), LIMIT),
    page(
        "deep_role",
        "far behind, with a role",
        |accounts| deep(accounts, "&role=support"),
        LIMIT,
    ),
    page(
        "deep_state",
        "far behind, disabled",
        |accounts| deep(accounts, "&disabled=true"),
        LIMIT,
    ),
    page(
        "end",
        "behind the last",
        |accounts| after(accounts - 1, ""),
        0,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// As `accounts` writes them: whether they have what a page asks for.
    fn fits(number: usize, accounts: usize, query: &str) -> bool {
        let step = accounts / RARE;
        let disabled = number % 10 == 1 || number % step == 2;
        query.split('&').all(|part| match part {
            "role=support" => number.is_multiple_of(10) || number.is_multiple_of(step),
            "role=owner" => number.is_multiple_of(step),
            "disabled=true" => disabled,
            "disabled=false" => !disabled,
            "verified=true" => number.is_multiple_of(2),
            "verified=false" => !number.is_multiple_of(2),
            other => match other.split_once('=') {
                Some(("prefix", prefix)) => address(number).starts_with(prefix),
                Some(("email", email)) => address(number) == email,
                Some(("after", cursor)) => {
                    let after = URL_SAFE_NO_PAD.decode(cursor).unwrap();
                    address(number).into_bytes() > after
                }
                _ => other.is_empty(),
            },
        })
    }

    #[test]
    fn a_page_has_as_many_accounts_whatever_their_number() {
        for accounts in [FEW, 100_000, 1_000_000] {
            for page in &PAGES {
                let query = (page.query)(accounts);
                let found = (0..accounts).filter(|number| fits(*number, accounts, &query));
                assert_eq!(
                    found.take(LIMIT).count(),
                    page.users,
                    "{} of {accounts}",
                    page.name
                );
            }
        }
    }
}
