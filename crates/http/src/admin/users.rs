//! `GET /users`, `GET /users/{uid}` and `DELETE /users/{uid}`.

use super::{
    answer::{AccountMembers, account, sample},
    no_account,
    page::{flag, format_schema, limit, text_schema, words},
};
use crate::kit::{
    body::{Body, Query},
    key_caller::KeyCaller,
    openapi::{Operation, example},
    path_id::path_id,
    problem::Problem,
    use_case::AdminCase,
};
use actix_web::{HttpResponse, web};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    model::{EmailAddress, Role, UserId},
    ports::AccountQuery,
    use_cases::{AccountName, AccountPage, ManageAccounts},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = Accounts)]
struct AccountsAnswer<'a> {
    /// By address, in the order of its bytes.
    users: Vec<AccountMembers<'a>>,
    /// What `after` has to be for the next page; null on the last one.
    #[schema(required = true)]
    next: Option<String>,
}

impl<'a> From<&'a AccountPage> for AccountsAnswer<'a> {
    fn from(page: &'a AccountPage) -> Self {
        Self {
            users: page.accounts.iter().map(AccountMembers::from).collect(),
            next: page.next.as_ref().map(cursor),
        }
    }
}

/// `GET /users`
pub(crate) async fn list(
    use_case: AdminCase<ManageAccounts>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let (email, query) = parse(query.0)?;
    let page = use_case.get().search(email.as_ref(), query).await?;
    Ok(HttpResponse::Ok().json(AccountsAnswer::from(&page)))
}

fn parse(mut query: Body) -> Result<(Option<EmailAddress>, AccountQuery), Problem> {
    let email = query.optional("email", EmailAddress::present);
    let asked = AccountQuery {
        after: query.parsed(
            "after",
            ("invalid_cursor", "must be the `next` of a page"),
            address,
        ),
        prefix: query
            .optional("prefix", |text| Ok(EmailAddress::key_prefix(text)))
            .unwrap_or_default(),
        role: query.optional("role", Role::parse),
        disabled: flag(&mut query, "disabled"),
        verified: flag(&mut query, "verified"),
        limit: limit(&mut query),
    };
    query.finish(Some((email, asked)))
}

/// An address in a form that needs no escape.
fn cursor(address: &EmailAddress) -> String {
    URL_SAFE_NO_PAD.encode(address.key())
}

fn address(cursor: &str) -> Option<EmailAddress> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    EmailAddress::stored(std::str::from_utf8(&key).ok()?, None).ok()
}

/// `GET /users/{uid}`
pub(crate) async fn find(
    use_case: AdminCase<ManageAccounts>,
    uid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let found = use_case.get().find(&AccountName::Id(uid)).await?;
    let user = found.ok_or_else(no_account)?;
    Ok(account(HttpResponse::Ok(), &user))
}

/// `DELETE /users/{uid}`
pub(crate) async fn delete(
    use_case: AdminCase<ManageAccounts>,
    caller: KeyCaller,
    uid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let deleted = use_case
        .run(async move |case| case.delete(uid, caller.actor()).await)
        .await??;
    if deleted {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(no_account())
    }
}

pub(crate) fn list_docs() -> Operation {
    let description = "The accounts that all of the parameters fit, by address. A page takes as long whatever the number of accounts.";
    let user = sample::user();
    let page = AccountsAnswer {
        users: vec![(&user).into()],
        next: Some(cursor(&user.email)),
    };
    let yes_or_no = || words(["true", "false"]);
    Operation::new("listUsers", "users", "Find accounts", description)
        .query(
            "email",
            "Only the account with this address, in whatever spelling.",
            format_schema("idn-email"),
            "ann@example.org",
        )
        .query(
            "prefix",
            "Only addresses that begin so.",
            text_schema(),
            "ann",
        )
        .query(
            "role",
            "Only accounts with this role.",
            text_schema().max_length(Some(Role::MAX)),
            "billing:read",
        )
        .query(
            "disabled",
            "Only disabled accounts, or only others.",
            yes_or_no(),
            "false",
        )
        .query(
            "verified",
            "Only accounts whose address is verified, or only others.",
            yes_or_no(),
            "true",
        )
        .query(
            "after",
            "Continues after a page: its `next`.",
            text_schema(),
            &cursor(&user.email),
        )
        .limit()
        .json::<AccountsAnswer<'_>, 1>(200, "A page.", [("Ann", example(&page))])
}

pub(crate) fn find_docs() -> Operation {
    let description = "The account as it is now.";
    Operation::new("getUser", "users", "Look at an account", description)
        .of_account()
        .answers_account(200, "The account.")
}

pub(crate) fn delete_docs() -> Operation {
    let description =
        "Deletes the account for good and ends all of its sessions. Its owner is told by mail.";
    Operation::new("deleteUser", "users", "Delete an account", description)
        .of_account()
        .empty(204, "It is gone.")
}
