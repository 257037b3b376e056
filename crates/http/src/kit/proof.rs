//! Proofs of mailboxes on the wire: asked for, shown, refused.

use crate::kit::{
    body::Body,
    caller::RequestClient,
    openapi::{Member, Operation, example},
    problem::Problem,
};
use actix_web::{HttpResponse, http::StatusCode};
use revolve_domain::{
    model::{FieldError, ProofId},
    use_cases::{Evidence, ProofRefused, RequestedProof, ShownProof},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{SchemaFormat, Type, schema::ObjectBuilder},
};
use uuid::uuid;

/// The longest code in bytes, with its spaces.
const MAX_CODE: usize = 32;
/// The longest secret of a link in bytes.
const MAX_SECRET: usize = 128;

/// A mail is under way, if there is somebody to get it.
#[derive(Serialize, ToSchema)]
#[schema(as = ProofRequested)]
struct RequestedAnswer {
    proof: ProofMembers,
}

/// What to send back with the code of the mail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Proof)]
pub(crate) struct ProofMembers {
    /// Its id. It proves nothing alone.
    #[schema(value_type = String, format = "uuid")]
    id: ProofId,
    /// The seconds until it can't be used any more.
    expires_in: u64,
}

impl From<&RequestedProof> for ProofMembers {
    fn from(proof: &RequestedProof) -> Self {
        Self {
            id: proof.id,
            expires_in: proof.expires_in.as_secs(),
        }
    }
}

/// The answer to a request for a mail: the same whoever has an account.
pub(crate) fn requested(caller: &RequestClient, proof: &RequestedProof) -> HttpResponse {
    let mut response = HttpResponse::Accepted();
    if let Some(cookie) = caller.proof_cookie(proof) {
        response.cookie(cookie);
    }
    response.json(RequestedAnswer {
        proof: proof.into(),
    })
}

/// Reads `proof` and one of `code` and `secret`.
pub(crate) fn shown(body: &mut Body, caller: &RequestClient) -> Option<ShownProof> {
    let id = body.required("proof", |text| {
        text.trim().parse().map_err(|_| FieldError::InvalidId)
    });
    let evidence = if body.has("secret") && body.has("code") {
        body.secret("secret", link_secret);
        body.refuse("code", "unknown_field", "is not known beside `secret`");
        None
    } else if body.has("secret") {
        body.secret("secret", link_secret).map(Evidence::Secret)
    } else {
        body.secret("code", code).map(Evidence::Code)
    };
    let (id, evidence) = id.zip(evidence)?;
    Some(ShownProof {
        id,
        evidence,
        asker: caller.asker(),
    })
}

/// Six digits. Mails and people put spaces around and between them.
fn code(text: &SecretString) -> Result<SecretString, FieldError> {
    let spaced = text.expose_secret();
    let digits: String = spaced.chars().filter(|c| !c.is_whitespace()).collect();
    if spaced.len() <= MAX_CODE
        && digits.len() == 6
        && digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        Ok(digits.into())
    } else {
        Err(FieldError::InvalidCode)
    }
}

fn link_secret(text: &SecretString) -> Result<SecretString, FieldError> {
    let secret = text.expose_secret().trim();
    if secret.len() > MAX_SECRET {
        return Err(FieldError::TooLong { max: MAX_SECRET });
    }
    Ok(secret.into())
}

impl From<ProofRefused> for Problem {
    fn from(refused: ProofRefused) -> Self {
        match refused {
            ProofRefused::Gone => Self::new(
                StatusCode::GONE,
                "proof_gone",
                "The proof is spent, expired or unknown; ask for another mail.",
            ),
            ProofRefused::WrongCode { attempts_left } => Self::wrong_code(attempts_left),
            ProofRefused::Limited(limited) => limited.into(),
            ProofRefused::CodeRequired => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "code_required",
                "The link counts only where the mail was asked for; send the `code` of the mail.",
            ),
        }
    }
}

/// 409: nothing can be proved by mail here.
pub(crate) fn mail_not_configured() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "mail_not_configured",
        "This service sends no mail; ask its operator.",
    )
}

/// The members that [`shown`] reads, of a mail that somebody has asked for.
pub(crate) fn members() -> [Member; 3] {
    members_with(ASKED_FOR)
}

/// The same, with what is said of where the link's secret counts.
pub(crate) fn members_with(counts: &str) -> [Member; 3] {
    let text = |description: &str, example: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(description))
            .examples([example])
    };
    let id = text("`proof.id` of the request. `invalid_id`", PROOF)
        .format(Some(SchemaFormat::Custom("uuid".into())))
        .max_length(Some(36));
    let code = text(
        "The six digits of the mail; spaces do not count. Needed unless there is `secret`. `invalid_code`",
        "204 816",
    );
    let secret = text(
        &format!("The secret of the mail's link, instead of `code`. {counts} `too_long`"),
        "h3K0n9Vb2uQ5xW8yZ1aC4dE7fG6iJ-_kLmNoPqRsTuV",
    );
    [
        Member::required("proof", id),
        Member::optional("code", code.max_length(Some(MAX_CODE))),
        Member::optional("secret", secret.max_length(Some(MAX_SECRET))),
    ]
}

/// Where the secret of a link counts, unless nobody has asked for the mail.
const ASKED_FOR: &str = "It counts only where the mail was asked for: with the cookie that the request set, or the device credential that it showed.";

/// The id of the examples.
pub(crate) const PROOF: &str = "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51";

/// Describes an operation that asks for a mail.
pub(crate) fn requested_docs(operation: Operation) -> Operation {
    let answer = RequestedAnswer {
        proof: ProofMembers {
            id: ProofId::from_uuid(uuid!("5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51")),
            expires_in: 900,
        },
    };
    operation
        .json::<RequestedAnswer, 1>(
            202,
            "A mail is under way, if there is somebody to get it.",
            [("The least", example(&answer))],
        )
        .maybe_header(
            [202],
            "Set-Cookie",
            "What tells the browser that asked from others, for a day; not set where a device credential was shown. The end of its name is the \
             installation's; over https the name begins with `__Host-`.",
            "revolve-proof-hH3v0vYq1bJt=8f1c…; HttpOnly; SameSite=Lax; Path=/; Max-Age=86400",
        )
}

/// Describes what an operation that takes a proof can refuse.
pub(crate) fn shown_docs(operation: Operation) -> Operation {
    shown_anywhere_docs(operation).problems([ProofRefused::CodeRequired.into()])
}

/// The same where the link counts on any client.
pub(crate) fn shown_anywhere_docs(operation: Operation) -> Operation {
    operation.problems(
        [
            ProofRefused::WrongCode { attempts_left: 4 },
            ProofRefused::Gone,
        ]
        .map(Problem::from),
    )
}
