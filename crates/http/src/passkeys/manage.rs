//! `/passkeys/options`, `/passkeys` and `/passkeys/{id}`: the passkeys of an account.

use super::PasskeyMembers;
use crate::{
    accounts::begun::shown_codes,
    kit::{
        answer::sample,
        body::{Body, NestedBody},
        caller::BearerCaller,
        factor::{
            CHALLENGE, ChallengeAnswer, REGISTRATION, challenge, challenge_member, creation_docs,
            credential, passkey_name, passkey_name_schema, registration_example,
            required_credential,
        },
        openapi::{Member, Operation, example},
        path_id::path_id,
        problem::Problem,
        use_case::UseCase,
    },
};
use actix_web::{HttpResponse, web};
use revolve_domain::{
    model::PasskeyId,
    use_cases::{AddedPasskey, ChangeFactorsError, ManagePasskeys, NewPasskey, ReadFactors},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// The passkeys of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkeys)]
struct PasskeysAnswer<'a> {
    /// The oldest first.
    passkeys: Vec<PasskeyMembers<'a>>,
}

/// A passkey was added.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AddedPasskey)]
struct AddedAnswer<'a> {
    passkey: PasskeyMembers<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = sample::recovery_codes, required = false)]
    recovery_codes: Option<Vec<&'a str>>,
}

impl<'a> From<&'a AddedPasskey> for AddedAnswer<'a> {
    fn from(added: &'a AddedPasskey) -> Self {
        Self {
            passkey: (&added.passkey).into(),
            recovery_codes: added.codes.as_ref().map(shown_codes),
        }
    }
}

/// `POST /passkeys/options`
pub(crate) async fn options(
    use_case: UseCase<ManagePasskeys>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    let begun = use_case
        .run(async move |case| case.begin(&caller.0).await)
        .await??;
    Ok(HttpResponse::Ok().json(ChallengeAnswer::from(&begun)))
}

/// `POST /passkeys`
pub(crate) async fn add(
    use_case: UseCase<ManagePasskeys>,
    caller: BearerCaller,
    NestedBody { mut body, .. }: NestedBody,
) -> Result<HttpResponse, Problem> {
    let (challenge, credential) = (challenge(&mut body), credential(&mut body));
    let name = body.optional("name", passkey_name);
    let (challenge, credential) = body.finish(challenge.zip(credential))?;
    let new = NewPasskey {
        challenge,
        credential,
        name,
    };
    let added = use_case
        .run(async move |case| case.add(&caller.0, new).await)
        .await??;
    Ok(HttpResponse::Created().json(AddedAnswer::from(&added)))
}

/// `GET /passkeys`
pub(crate) async fn list(
    use_case: UseCase<ReadFactors>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    let factors = use_case.get().execute(&caller.0).await?;
    Ok(HttpResponse::Ok().json(PasskeysAnswer {
        passkeys: factors.passkeys.iter().map(PasskeyMembers::from).collect(),
    }))
}

/// `PUT /passkeys/{id}`
pub(crate) async fn rename(
    use_case: UseCase<ManagePasskeys>,
    caller: BearerCaller,
    id: web::Path<String>,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let id: PasskeyId = path_id("id", &id)?;
    let name = body.required("name", passkey_name);
    let name = body.finish(name)?;
    use_case
        .run(async move |case| case.rename(&caller.0, id, name).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /passkeys/{id}`
pub(crate) async fn remove(
    use_case: UseCase<ManagePasskeys>,
    caller: BearerCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: PasskeyId = path_id("id", &id)?;
    use_case
        .run(async move |case| case.remove(&caller.0, id).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

impl Operation {
    /// Is about one passkey.
    fn of_passkey(self) -> Self {
        let id = PasskeyMembers::ID.to_string();
        self.path_id("id", "The passkey, as in the list.", id)
            .problems([ChangeFactorsError::NotFound.into()])
    }
}

pub(crate) fn options_docs() -> Operation {
    let description = "Begins the registration of a passkey: give `publicKey` to `navigator.credentials.create()`, and what it makes to `POST /passkeys`. \
                       An account has 20 at most.";
    let operation = Operation::new(
        "beginPasskey",
        "passkeys",
        "Begin to add a passkey",
        description,
    )
    .bearer_to_set_up()
    .reauthentication();
    creation_docs(operation).problems([ChangeFactorsError::TooMany.into()])
}

pub(crate) fn add_docs() -> Operation {
    let description = "Adds the passkey, which signs in from now on, and stands in a second step. If the account had no recovery codes, they are \
                       answered, this once. The first factor of an account ends all of its other sessions, and reauthentications \
                       count no more. In a session that had to set up a factor, refresh now.\n\nIt needs no reauthentication again: its challenge \
                       was given for one. A challenge counts once.";
    let answer = |recovery_codes| {
        example(&AddedAnswer {
            passkey: PasskeyMembers::sample(),
            recovery_codes,
        })
    };
    let name = passkey_name_schema(
        "What to call it; otherwise the name of the authenticator's model. `too_long`",
    );
    Operation::new("addPasskey", "passkeys", "Add a passkey", description)
        .bearer_to_set_up()
        .body(
            "NewPasskey",
            "The passkey.",
            [
                challenge_member("What `POST /passkeys/options` answered as `challenge`."),
                required_credential(REGISTRATION),
                Member::nullable("name", name),
            ],
            [(
                "A passkey",
                json!({ "challenge": CHALLENGE, "credential": registration_example(), "name": "Ann's phone" }),
            )],
        )
        .json::<AddedAnswer<'_>, 2>(
            201,
            "It is added.",
            [
                ("The first factor", answer(Some(sample::codes()))),
                ("One more", answer(None)),
            ],
        )
        .problems(
            [
                ChangeFactorsError::Gone,
                ChangeFactorsError::CredentialRefused,
                ChangeFactorsError::TooMany,
            ]
            .map(Problem::from),
        )
}

pub(crate) fn list_docs() -> Operation {
    let answer = PasskeysAnswer {
        passkeys: vec![PasskeyMembers::sample()],
    };
    let description = "The passkeys of the account.";
    Operation::new("listPasskeys", "passkeys", "List the passkeys", description)
        .bearer_to_set_up()
        .json::<PasskeysAnswer<'_>, 1>(
            200,
            "The passkeys.",
            [("That of a phone", example(&answer))],
        )
}

pub(crate) fn rename_docs() -> Operation {
    let description = "Gives a passkey another name. It needs no reauthentication.";
    let name = passkey_name_schema("What to call it. `too_long`");
    Operation::new("renamePasskey", "passkeys", "Rename a passkey", description)
        .bearer_to_set_up()
        .of_passkey()
        .body(
            "PasskeyName",
            "The name.",
            [Member::required("name", name)],
            [("A name", json!({ "name": "Ann's phone" }))],
        )
        .empty(204, "It has the name.")
}

pub(crate) fn remove_docs() -> Operation {
    let description = "Removes a passkey: it signs in no more. The user may have to delete it from the authenticator, too. The recovery codes go with \
                       the last factor. `last_factor` says that the account has no password and no other passkey, or that \
                       `accounts.require_factor` is `always` and it has no other factor.";
    Operation::new("removePasskey", "passkeys", "Remove a passkey", description)
        .bearer_to_set_up()
        .of_passkey()
        .reauthentication()
        .empty(204, "It counts no more.")
        .problems([ChangeFactorsError::LastFactor.into()])
}
