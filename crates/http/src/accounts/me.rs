//! `GET /me`, `DELETE /me` and `PUT /details`: the account.

use super::{email_taken, wrong_password};
use crate::kit::{
    answer::{UserAnswer, sample},
    body::Body,
    caller::{Bearer, BearerCaller, RequestClient},
    openapi::{Member, Operation, email, example, known_password, label, language, web_url},
    problem::Problem,
    proof::{requested, requested_docs},
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::{DetailsChange, EmailAddress, Label, Locale, Password, WebUrl},
    use_cases::{
        DeleteAccount, DeleteAccountError, Me, ShownAsker, UpdateDetails, UpdateDetailsError,
        UpdateDetailsRequest,
    },
};
use serde_json::json;

/// `GET /me`
pub(crate) async fn me(use_case: UseCase<Me>, bearer: Bearer) -> Result<HttpResponse, Problem> {
    let user = use_case.get().execute(&bearer.0).await?;
    Ok(HttpResponse::Ok().json(UserAnswer::from(&user)))
}

/// `DELETE /me`
pub(crate) async fn delete(
    use_case: UseCase<DeleteAccount>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    use_case
        .run(async move |case| case.execute(&caller.0).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

/// `PUT /details`
pub(crate) async fn details(
    use_case: UseCase<UpdateDetails>,
    bearer: BearerCaller,
    caller: RequestClient,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let mut request = parse(body)?;
    request.asker = caller.asker();
    let updated = use_case
        .run(async move |case| case.execute(&bearer.0, request).await)
        .await??;
    Ok(match &updated.proof {
        Some(proof) => requested(&caller, proof),
        None => HttpResponse::Ok().json(UserAnswer::from(&updated.user)),
    })
}

pub(crate) fn parse(mut body: Body) -> Result<UpdateDetailsRequest, Problem> {
    let change = DetailsChange {
        name: body.nullable("name", Label::parse),
        website: body.nullable("website", WebUrl::parse),
        image_url: body.nullable("imageUrl", WebUrl::parse_public),
        locale: body.nullable("locale", |tag| Ok(tag.parse::<Locale>()?)),
        email: body.optional("email", EmailAddress::parse),
    };
    let current_password = body.optional_secret("currentPassword", Password::present);
    body.finish(Some(UpdateDetailsRequest {
        change,
        current_password,
        asker: ShownAsker::default(),
    }))
}

impl From<UpdateDetailsError> for Problem {
    fn from(error: UpdateDetailsError) -> Self {
        match error {
            UpdateDetailsError::Refused(refused) => refused.into(),
            UpdateDetailsError::EmailTaken => email_taken(),
            UpdateDetailsError::WrongPassword => wrong_password(),
            UpdateDetailsError::ReauthenticationRequired => Self::reauthentication_required(),
        }
    }
}

impl From<DeleteAccountError> for Problem {
    fn from(error: DeleteAccountError) -> Self {
        match error {
            DeleteAccountError::Refused(refused) => refused.into(),
            DeleteAccountError::ReauthenticationRequired => Self::reauthentication_required(),
        }
    }
}

pub(crate) fn me_docs() -> Operation {
    let description =
        "The account as it is now. The ID token's `user` claim is as old as the token.";
    Operation::new("me", "account", "Look at the account", description)
        .bearer()
        .json::<UserAnswer<'_>, 2>(
            200,
            "The account.",
            [
                ("With details", example(&sample::user(true))),
                ("Without", example(&sample::user(false))),
            ],
        )
}

pub(crate) fn delete_docs() -> Operation {
    let description = "Deletes the account and ends all of its sessions. It needs a reauthentication, however young the session is.";
    Operation::new(
        "deleteAccount",
        "account",
        "Delete the account",
        description,
    )
    .bearer_on_device()
    .reauthentication()
    .empty(204, "The account is gone.")
}

pub(crate) fn details_docs() -> Operation {
    let description = "Changes the details that are named. A member that is missing leaves the detail as it is, `null` clears it. A new \
                       address to sign in with needs `currentPassword` or a reauthentication.\n\nWhere the service sends mail, the address changes only at `POST /email/confirm`: the answer is \
                       202 with a `proof`, whether or not the address is free, and all other details are changed at once.";
    let members = [
        Member::nullable("name", label("The name to show.", "Ann")),
        Member::nullable("website", web_url("A home page.", "https://example.org/")),
        Member::nullable(
            "imageUrl",
            web_url(
                "A picture. Its host is neither this machine nor in a private network.",
                "https://example.org/ann.png",
            ),
        ),
        Member::nullable("locale", language("The language of the mails.")),
        Member::nullable("email", email()),
        Member::optional(
            "currentPassword",
            known_password(
                "Needed with `email`, unless there is a reauthentication; checked with `email` whenever it is sent. `too_long`",
            ),
        ),
    ];
    let operation = Operation::new("updateDetails", "account", "Change details", description)
        .bearer_on_device()
        .reauthentication()
        .body(
            "Details",
            "What to change.",
            members,
            [
                ("A name and a home page", json!({ "name": "Ann", "website": "https://example.org/" })),
                ("No picture any more", json!({ "imageUrl": null })),
                ("Another address", json!({ "email": "ann@example.net", "currentPassword": "correct horse battery" })),
            ],
        )
        .json::<UserAnswer<'_>, 1>(200, "The account as it is now.", [("With details", example(&sample::user(true)))])
        .problems([UpdateDetailsError::EmailTaken, UpdateDetailsError::WrongPassword].map(Problem::from));
    requested_docs(operation)
}
