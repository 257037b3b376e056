//! `GET /factors`: what an account has set up.

use crate::{
    kit::{
        answer::{Instant, sample},
        caller::BearerCaller,
        openapi::{Operation, example},
        problem::Problem,
        use_case::UseCase,
    },
    passkeys::PasskeyMembers,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::{AccountFactors, RecoveryCode},
    use_cases::ReadFactors,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The factors of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Factors)]
pub(crate) struct FactorsAnswer<'a> {
    /// The authenticator app; null if there is none.
    #[schema(required = true)]
    totp: Option<TotpMembers>,
    /// The oldest first.
    passkeys: Vec<PasskeyMembers<'a>>,
    /// The recovery codes; null if none were made.
    #[schema(required = true)]
    recovery_codes: Option<CodesMembers>,
    /// The reset of all factors that an operator has ordered; null if none waits.
    #[schema(required = true)]
    reset: Option<ResetMembers>,
}

/// An authenticator app.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Totp)]
struct TotpMembers {
    /// When it was set up.
    created_at: Instant,
    /// Since when it counts; null while it waits for its first code.
    #[schema(required = true)]
    confirmed_at: Option<Instant>,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecoveryCodesLeft)]
struct CodesMembers {
    /// How many were not used yet.
    #[schema(maximum = 10)]
    left: usize,
    /// When they were made.
    created_at: Instant,
}

/// A reset that waits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FactorReset)]
struct ResetMembers {
    /// When it was ordered.
    ordered_at: Instant,
    /// From when on it counts, unless the owner stops it.
    due_at: Instant,
}

impl<'a> From<&'a AccountFactors> for FactorsAnswer<'a> {
    fn from(factors: &'a AccountFactors) -> Self {
        Self {
            totp: factors.totp.as_ref().map(|totp| TotpMembers {
                created_at: totp.created_at.whole_second().into(),
                confirmed_at: totp.confirmed_at.map(|at| at.whole_second().into()),
            }),
            passkeys: factors.passkeys.iter().map(PasskeyMembers::from).collect(),
            recovery_codes: factors.codes.as_ref().map(|codes| CodesMembers {
                left: codes.macs.len(),
                created_at: codes.created_at.whole_second().into(),
            }),
            reset: factors.reset.map(|reset| ResetMembers {
                ordered_at: reset.ordered_at.whole_second().into(),
                due_at: reset.due_at.whole_second().into(),
            }),
        }
    }
}

/// `GET /factors`
pub(crate) async fn list(
    use_case: UseCase<ReadFactors>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    let factors = use_case.get().execute(&caller.0).await?;
    Ok(HttpResponse::Ok().json(FactorsAnswer::from(&factors)))
}

pub(crate) fn list_docs() -> Operation {
    let description = "What the account can show in a second step, and how many recovery codes are left. Never a secret.";
    Operation::new("listFactors", "factors", "List the factors", description)
        .bearer_to_set_up()
        .answers_factors()
}

impl Operation {
    /// Answers the factors of an account.
    pub(crate) fn answers_factors(self) -> Self {
        let some = FactorsAnswer {
            totp: Some(TotpMembers {
                created_at: sample::later(0, 0),
                confirmed_at: Some(sample::later(0, 1)),
            }),
            passkeys: vec![PasskeyMembers::sample()],
            recovery_codes: Some(CodesMembers {
                left: RecoveryCode::SET - 1,
                created_at: sample::later(0, 1),
            }),
            reset: Some(ResetMembers {
                ordered_at: sample::later(30, 0),
                due_at: sample::later(31, 0),
            }),
        };
        let nothing = AccountFactors::default();
        self.json::<FactorsAnswer<'_>, 2>(
            200,
            "The factors.",
            [
                ("All kinds, and a reset that waits", example(&some)),
                ("None", example(&FactorsAnswer::from(&nothing))),
            ],
        )
    }
}
