//! `GET /export`: all that is stored about the account, as one document. The journal is read while it is sent, so that an account with many
//! entries takes no more memory than one with few.

mod answer;

use answer::{ExportAnswer, ExportedEntry};

use crate::kit::{
    caller::BearerCaller,
    openapi::{Operation, example},
    problem::Problem,
    sliced::slices,
    use_case::UseCase,
};
use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        Method,
        header::{CONTENT_DISPOSITION, ContentType},
    },
    web::Bytes,
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use revolve_domain::{
    model::{EventId, UserId},
    use_cases::{Caller, ExportAccount, ExportAccountError, Failure},
};
use revolve_observe::telemetry::chain;

/// Browsers save it.
const ATTACHMENT: &str = "attachment; filename=\"account.json\"";

/// The end of the document: what follows the entries.
const END: &str = "]}";

/// `GET /export`
pub(crate) async fn export(
    use_case: UseCase<ExportAccount>,
    caller: BearerCaller,
    method: Method,
) -> Result<HttpResponse, Problem> {
    let caller = &caller.0;
    if method == Method::HEAD {
        use_case.get().check(caller).await?;
        return Ok(document().finish());
    }
    exported(use_case, caller).await
}

/// The document.
pub(crate) async fn exported(
    use_case: UseCase<ExportAccount>,
    caller: &Caller,
) -> Result<HttpResponse, Problem> {
    let export = use_case.get().execute(caller).await?;
    let user = export.data.user.id;
    let mut head = serde_json::to_string(&ExportAnswer::from(&export))
        .map_err(|error| Problem::internal(&error))?;
    // The entries are its last member.
    head.truncate(head.len() - END.len());
    let parts = stream::once(async move { Ok::<_, CutShort>(Bytes::from(head)) })
        .chain(entries(use_case, user))
        .chain(stream::once(async {
            Ok(Bytes::from_static(END.as_bytes()))
        }));
    let content = parts.map_ok(|part| stream::iter(slices(part).map(Ok::<_, CutShort>)));
    Ok(document().streaming(content.try_flatten()))
}

/// What is before the document.
fn document() -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(ContentType::json())
        .insert_header((CONTENT_DISPOSITION, ATTACHMENT));
    answer
}

/// Where the journal goes on.
enum Next {
    First,
    After(EventId),
    Over,
}

/// The pages of the journal, with commas between the entries.
fn entries(
    use_case: UseCase<ExportAccount>,
    user: UserId,
) -> impl Stream<Item = Result<Bytes, CutShort>> {
    stream::try_unfold(Next::First, move |next| {
        let use_case = use_case.clone();
        async move {
            let after = match next {
                Next::First => None,
                Next::After(entry) => Some(entry),
                Next::Over => return Ok(None),
            };
            let page = use_case.get().journal(user, after).await?;
            let mut text = String::new();
            for (index, entry) in page.iter().enumerate() {
                if index > 0 || after.is_some() {
                    text.push(',');
                }
                text.push_str(&serde_json::to_string(&ExportedEntry::from(entry))?);
            }
            let is_full = page.len() >= ExportAccount::PAGE as usize;
            let next = match page.last() {
                Some(entry) if is_full => Next::After(entry.id),
                _ => Next::Over,
            };
            Ok::<_, CutShort>(Some((Bytes::from(text), next)))
        }
    })
}

/// The answer had begun: its connection ends before the document does, so that nobody takes a part for the whole.
#[derive(Debug, thiserror::Error)]
enum CutShort {
    #[error("the journal can't be read")]
    Failed(#[source] Failure),
    #[error("an entry can't be written")]
    Unwritten(#[source] serde_json::Error),
}

impl From<Failure> for CutShort {
    fn from(failure: Failure) -> Self {
        let cut = Self::Failed(failure);
        tracing::warn!(error = %chain(&cut), "an export was cut short");
        cut
    }
}

impl From<serde_json::Error> for CutShort {
    fn from(error: serde_json::Error) -> Self {
        let cut = Self::Unwritten(error);
        tracing::error!(error = %chain(&cut), "an export was cut short");
        cut
    }
}

impl From<ExportAccountError> for Problem {
    fn from(error: ExportAccountError) -> Self {
        match error {
            ExportAccountError::Refused(refused) => refused.into(),
            ExportAccountError::ReauthenticationRequired => Self::reauthentication_required(),
        }
    }
}

pub(crate) fn export_docs() -> Operation {
    let description = "All that is stored about the account, as one document: the account, its sessions, also those that ended lately, the devices \
        that it has signed in on, its factors, sign-ins that wait for one, what its mails can still be answered with, mails that were not sent yet or given up, and what happened. \
        Passwords, codes, tokens, secrets and keys of factors, and their hashes are not in it. It needs a reauthentication, however young the session is, and is an entry \
        of the journal. The document is sent while it is read: one that does not end is not whole, and has to be asked for again.";
    Operation::new(
        "exportAccount",
        "account",
        "Export the account",
        description,
    )
    .bearer_on_device()
    .reauthentication()
    .json::<ExportAnswer<'_>, 1>(
        200,
        "The document.",
        [("An account with two sessions", example(&answer::shown()))],
    )
    .header(
        [200],
        "Content-Disposition",
        "Browsers save it as a file.",
        ATTACHMENT,
    )
    .header([200], "Cache-Control", "No cache keeps it.", "no-store")
}
