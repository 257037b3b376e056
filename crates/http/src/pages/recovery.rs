//! `/account/recovery`: a new password in place of a forgotten one.

use super::{
    form::Form,
    page::{AsksCode, AsksPassword, Page, PageRequest},
    texts::{Localized, Message},
    view::PageTexts,
};
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    recovery::confirmation,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::ProofPurpose,
    use_cases::{IssuedDevice, Recover},
};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Choose a new password",
            intro: "It replaces the one that you have forgotten. All devices will be signed out.",
            button: "Set new password",
            done: Message {
                title: "Your password is changed",
                text: "All devices are signed out. Sign in with the new password to go on.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Neues Passwort wählen",
            intro: "Es ersetzt das vergessene. Alle Geräte werden abgemeldet.",
            button: "Passwort setzen",
            done: Message {
                title: "Ihr Passwort ist geändert",
                text: "Alle Geräte sind abgemeldet. Melden Sie sich mit dem neuen Passwort an.",
            },
            other: "",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::New,
    other: None,
};

/// `GET /recovery`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /recovery`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<Recover>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = reset(ProofPurpose::ResetPassword, &page, use_case, &form).await;
    page.answer(&PAGE, &form, outcome)
}

/// Sets a new password.
pub(super) async fn reset(
    purpose: ProofPurpose,
    page: &PageRequest,
    use_case: UseCase<Recover>,
    form: &Form,
) -> Result<Option<IssuedDevice>, Problem> {
    let request = confirmation(form.body(), &page.caller, page.min_length)?;
    let device = use_case
        .run(async move |case| case.without_session(purpose, request).await)
        .await??;
    Ok(Some(device))
}
