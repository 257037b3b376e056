//! `/account/email/undo`: the former address of an account, with a new password.

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
            title: "Take your address back",
            intro: "The account gets back the e-mail address that this mail was sent to. All devices will be signed out, and you choose a new \
                    password, since somebody else may know the present one.",
            sent: "The account gets back the e-mail address that the mail was sent to. All devices will be signed out, and you choose a new \
                   password, since somebody else may know the present one.",
            button: "Take address back",
            done: Message {
                title: "The account has its former address again",
                text: "All other devices are signed out, and you are signed in here with the new password.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Adresse zurückholen",
            intro: "Das Konto bekommt die E-Mail-Adresse zurück, an die diese E-Mail ging. Alle Geräte werden abgemeldet, und Sie wählen ein \
                    neues Passwort, denn jemand anders kennt vielleicht das jetzige.",
            sent: "Das Konto bekommt die E-Mail-Adresse zurück, an die die E-Mail ging. Alle Geräte werden abgemeldet, und Sie wählen ein \
                   neues Passwort, denn jemand anders kennt vielleicht das jetzige.",
            button: "Adresse zurückholen",
            done: Message {
                title: "Das Konto hat seine frühere Adresse wieder",
                text: "Alle anderen Geräte sind abgemeldet, und Sie sind hier mit dem neuen Passwort angemeldet.",
            },
            other: "",
        },
    },
    code: AsksCode::AwayFromChange,
    password: AsksPassword::New,
    other: None,
    asks: None,
    is_grave: false,
    then: Then::DoneAndOn,
};

/// `GET /email/undo`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /email/undo`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<Recover>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = reset(ProofPurpose::UndoEmail, &page, use_case, &form).await;
    page.answer(&PAGE, &form, outcome)
}
