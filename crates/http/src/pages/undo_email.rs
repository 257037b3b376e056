//! `/account/email/undo`: the former address of an account, with a new password.

use super::{
    form::Form,
    page::{AsksCode, AsksPassword, Page, PageRequest},
    recovery::reset,
    texts::{Localized, Message},
    view::PageTexts,
};
use crate::kit::{problem::Problem, use_case::UseCase};
use actix_web::HttpResponse;
use revolve_domain::{model::ProofPurpose, use_cases::Recover};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Take your address back",
            intro: "The account gets back the e-mail address that this mail was sent to. All devices will be signed out, and you choose a new \
                    password, since somebody else may know the present one.",
            button: "Take address back",
            done: Message {
                title: "The account has its former address again",
                text: "All devices are signed out. Sign in with this address and the new password.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Adresse zurückholen",
            intro: "Das Konto bekommt die E-Mail-Adresse zurück, an die diese E-Mail ging. Alle Geräte werden abgemeldet, und Sie wählen ein \
                    neues Passwort, denn jemand anders kennt vielleicht das jetzige.",
            button: "Adresse zurückholen",
            done: Message {
                title: "Das Konto hat seine frühere Adresse wieder",
                text: "Alle Geräte sind abgemeldet. Melden Sie sich mit dieser Adresse und dem neuen Passwort an.",
            },
            other: "",
        },
    },
    code: AsksCode::AwayFromChange,
    password: AsksPassword::New,
    other: None,
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
