//! `POST /users/{uid}/disable`, `/enable`, `/sign-out` and `/recovery-link`.

use super::no_account;
use crate::kit::{
    answer::{Instant, sample::later},
    key_caller::KeyCaller,
    openapi::{Operation, example},
    path_id::path_id,
    problem::Problem,
    use_case::AdminCase,
};
use actix_web::{HttpResponse, http::StatusCode, web};
use revolve_domain::{
    model::UserId,
    ports::{DisableOutcome, EnableOutcome},
    use_cases::{ManageAccounts, RecoveryLinkError, RecoveryLinks},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

/// A link that sets a password.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecoveryLink)]
struct LinkAnswer<'a> {
    /// Whoever opens it can choose the account's password. It counts once, and is not shown again.
    #[schema(format = "uri")]
    link: &'a str,
    /// When it is worth nothing any more.
    expires_at: Instant,
}

/// `POST /users/{uid}/disable`
pub(crate) async fn disable(
    use_case: AdminCase<ManageAccounts>,
    caller: KeyCaller,
    uid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let outcome = use_case
        .run(async move |case| case.disable(uid, caller.actor()).await)
        .await??;
    done(outcome != DisableOutcome::NotFound)
}

/// `POST /users/{uid}/enable`
pub(crate) async fn enable(
    use_case: AdminCase<ManageAccounts>,
    caller: KeyCaller,
    uid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let outcome = use_case
        .run(async move |case| case.enable(uid, caller.actor()).await)
        .await??;
    done(outcome != EnableOutcome::NotFound)
}

/// `POST /users/{uid}/sign-out`
pub(crate) async fn sign_out(
    use_case: AdminCase<ManageAccounts>,
    caller: KeyCaller,
    uid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let is_there = use_case
        .run(async move |case| case.sign_out(uid, caller.actor()).await)
        .await??;
    done(is_there)
}

fn done(is_there: bool) -> Result<HttpResponse, Problem> {
    if is_there {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(no_account())
    }
}

/// `POST /users/{uid}/recovery-link`
pub(crate) async fn recovery_link(
    use_case: AdminCase<RecoveryLinks>,
    caller: KeyCaller,
    uid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let link = use_case
        .run(async move |case| case.issue(uid, caller.actor()).await)
        .await??;
    Ok(HttpResponse::Created().json(LinkAnswer {
        link: link.url.expose_secret(),
        expires_at: link.expires_at.into(),
    }))
}

impl From<RecoveryLinkError> for Problem {
    fn from(error: RecoveryLinkError) -> Self {
        match error {
            RecoveryLinkError::NotFound => no_account(),
            RecoveryLinkError::Disabled => Self::new(
                StatusCode::CONFLICT,
                "account_disabled",
                "The account is disabled; enable it first.",
            ),
            RecoveryLinkError::NotConfigured => Self::new(
                StatusCode::CONFLICT,
                "link_not_configured",
                "It is not configured where the link should lead; set `mail.links.recovery`, or `pages.enabled`.",
            ),
            RecoveryLinkError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn disable_docs() -> Operation {
    let description = "Disables the account: it is signed out everywhere and can't be signed in to. Its owner is told by mail. One that is \
                       disabled already stays so.";
    Operation::new("disableUser", "users", "Disable an account", description)
        .of_account()
        .empty(204, "It is disabled, and all of its sessions have ended.")
}

pub(crate) fn enable_docs() -> Operation {
    let description = "Lets a disabled account be used again; its owner has to sign in.";
    Operation::new("enableUser", "users", "Enable an account", description)
        .of_account()
        .empty(204, "It is not disabled.")
}

pub(crate) fn sign_out_docs() -> Operation {
    let description = "Ends all sessions of the account, as final as a sign-out.";
    Operation::new(
        "signOutUser",
        "sessions",
        "Sign an account out",
        description,
    )
    .of_account()
    .empty(204, "All of its sessions have ended.")
}

pub(crate) fn recovery_link_docs() -> Operation {
    let description = "Makes a link for someone who has lost the way in and can't read the mailbox. Whoever opens it chooses the password: make sure \
                       whom you give it to. It counts once, in any browser, for an hour, and voids the one before it. It is in this answer and \
                       nowhere else; the journal has that it was made, and by which key.";
    let answer = LinkAnswer {
        link: "https://app.example.org/reset?proof=5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51&secret=h3K0n9Vb2uQ5xW8yZ1aC4dE7fG6iJ",
        expires_at: later(0, 60),
    };
    Operation::new(
        "createRecoveryLink",
        "users",
        "Make a recovery link",
        description,
    )
    .of_account()
    .json::<LinkAnswer<'_>, 1>(201, "The link.", [("A link", example(&answer))])
    .problems(
        [
            RecoveryLinkError::Disabled,
            RecoveryLinkError::NotConfigured,
        ]
        .map(Problem::from),
    )
}
