//! `GET /users/{uid}/factors` and `POST /users/{uid}/factors/reset`.

use super::no_account;
use crate::{
    factors::FactorsAnswer,
    kit::{
        answer::{Instant, sample::later},
        body::OptionalBody,
        key_caller::KeyCaller,
        openapi::{Member, Operation, example, label, schema_of},
        path_id::path_id,
        problem::Problem,
        use_case::AdminCase,
    },
};
use actix_web::{HttpResponse, http::StatusCode, web};
use revolve_domain::{
    model::{Label, UserId},
    use_cases::{AccountName, ManageAccounts, ManageFactors, ResetFactorsError},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// A reset of all factors waits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderedFactorReset)]
struct OrderedAnswer {
    /// From when on it counts, unless the owner stops it.
    due_at: Instant,
    /// Whether one was ordered before, which this changed nothing of.
    was_pending: bool,
}

/// How a reset is ordered.
enum Reset {
    Delayed(Option<Label>),
    Forced(Label),
}

/// `GET /users/{uid}/factors`
pub(crate) async fn factors(
    accounts: AdminCase<ManageAccounts>,
    use_case: AdminCase<ManageFactors>,
    uid: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let found = accounts.get().find(&AccountName::Id(uid)).await?;
    found.ok_or_else(no_account)?;
    let factors = use_case.get().of(uid).await?;
    Ok(HttpResponse::Ok().json(FactorsAnswer::from(&factors)))
}

/// `POST /users/{uid}/factors/reset`
pub(crate) async fn reset_factors(
    use_case: AdminCase<ManageFactors>,
    caller: KeyCaller,
    uid: web::Path<String>,
    OptionalBody(mut body): OptionalBody,
) -> Result<HttpResponse, Problem> {
    let uid: UserId = path_id("uid", &uid)?;
    let is_forced = body.flag("force").unwrap_or_default();
    let reset = if is_forced {
        body.required("reason", Label::parse).map(Reset::Forced)
    } else {
        Some(Reset::Delayed(body.optional("reason", Label::parse)))
    };
    let actor = caller.actor();
    match body.finish(reset)? {
        Reset::Forced(reason) => {
            use_case
                .run(async move |case| case.force_reset(uid, reason, actor).await)
                .await??;
            Ok(HttpResponse::NoContent().finish())
        }
        Reset::Delayed(reason) => {
            let ordered = use_case
                .run(async move |case| case.order_reset(uid, reason, actor).await)
                .await??;
            Ok(HttpResponse::Accepted().json(OrderedAnswer {
                due_at: ordered.due_at.whole_second().into(),
                was_pending: ordered.was_pending,
            }))
        }
    }
}

impl From<ResetFactorsError> for Problem {
    fn from(error: ResetFactorsError) -> Self {
        match error {
            ResetFactorsError::NotFound => no_account(),
            ResetFactorsError::NoFactors => Self::new(
                StatusCode::CONFLICT,
                "no_factors",
                "The account has no factors that could be reset.",
            ),
            ResetFactorsError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn factors_docs() -> Operation {
    let description = "What the account has set up, and whether a reset waits. Never a secret.";
    Operation::new(
        "listUserFactors",
        "factors",
        "Look at the factors of an account",
        description,
    )
    .of_account()
    .answers_factors()
}

pub(crate) fn reset_factors_docs() -> Operation {
    let description = "Takes all factors from an account whose owner has lost them: authenticator app, passkeys and recovery codes. It ends all sessions, and counts \
                       after `accounts.factor_reset_delay`. The owner is told by mail at once, and can stop it until then by the mail's link or in a session. \
                       A second request changes nothing of the first.\n\nWith `force` it counts now, and nobody can stop it: make sure who asks. `reason` is in the \
                       journal.\n\nThe password stays. An account that has none is opened by a recovery.";
    let force = schema_of(json!({
        "type": "boolean",
        "description": "Whether it counts now. It needs `reason`.",
        "default": false,
        "examples": [true],
    }));
    let reason = label(
        "Why, for the journal. `missing`, `too_long`",
        "Identified in person, ticket 4711",
    );
    let answer = OrderedAnswer {
        due_at: later(1, 0),
        was_pending: false,
    };
    Operation::new(
        "resetUserFactors",
        "factors",
        "Reset the factors of an account",
        description,
    )
    .of_account()
    .optional_body(
        "FactorsReset",
        "Whether to wait for the owner.",
        [
            Member::of("force", force),
            Member::nullable("reason", reason),
        ],
        [
            (
                "With a delay",
                json!({ "reason": "Lost phone, ticket 4711" }),
            ),
            (
                "Now",
                json!({ "force": true, "reason": "Identified in person, ticket 4711" }),
            ),
        ],
    )
    .json::<OrderedAnswer, 1>(202, "It waits.", [("It counts in a day", example(&answer))])
    .empty(204, "The factors are gone, and all sessions have ended.")
    .problems([ResetFactorsError::NoFactors.into()])
}
