//! `/account/password/choose`: the password of an account that an operator has made, or made a link for. Such a link counts in any browser.

use super::{
    page::{AsksCode, AsksPassword, Page, PageTexts, Then},
    recovery::reset,
};
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        request::PageRequest,
        texts::{Localized, Message},
    },
};
use actix_web::HttpResponse;
use revolve_domain::{model::ProofPurpose, use_cases::Recover};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Choose your password",
            intro: "You sign in with it from now on. Devices that are signed in to the account will be signed out.",
            sent: "You sign in with it from now on. Devices that are signed in to the account will be signed out.",
            button: "Set password",
            done: Message {
                title: "Your password is set",
                text: "You are signed in.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Passwort wählen",
            intro: "Mit ihm melden Sie sich von jetzt an an. Geräte, die im Konto angemeldet sind, werden abgemeldet.",
            sent: "Mit ihm melden Sie sich von jetzt an an. Geräte, die im Konto angemeldet sind, werden abgemeldet.",
            button: "Passwort setzen",
            done: Message {
                title: "Ihr Passwort ist gesetzt",
                text: "Sie sind angemeldet.",
            },
            other: "",
        },
    },
    code: AsksCode::IfNeeded,
    password: AsksPassword::New,
    other: None,
    asks: None,
    is_grave: false,
    then: Then::DoneAndOn,
};

/// `GET /password/choose`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /password/choose`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<Recover>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = reset(ProofPurpose::ResetPassword, &page, use_case, &form).await;
    page.answer(&PAGE, &form, outcome)
}
