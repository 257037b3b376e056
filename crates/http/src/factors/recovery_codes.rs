//! `POST /factors/recovery-codes`: a new set in the place of the old one.

use super::{CodesAnswer, codes_docs};
use crate::kit::{caller::BearerCaller, openapi::Operation, problem::Problem, use_case::UseCase};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{ChangeFactorsError, ReplaceRecoveryCodes};

/// `POST /factors/recovery-codes`
pub(crate) async fn replace(
    use_case: UseCase<ReplaceRecoveryCodes>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    let codes = use_case
        .run(async move |case| case.execute(&caller.0).await)
        .await??;
    Ok(HttpResponse::Ok().json(CodesAnswer::from(Some(&codes))))
}

pub(crate) fn replace_docs() -> Operation {
    let description = "Makes ten recovery codes. Those of before count no more, used or not. They are answered this once.";
    let operation = Operation::new(
        "replaceRecoveryCodes",
        "factors",
        "Make recovery codes",
        description,
    )
    .bearer_to_set_up()
    .reauthentication()
    .problems([ChangeFactorsError::NoFactor.into()]);
    codes_docs(operation, "The codes.")
}
