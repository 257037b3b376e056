//! `/account/factors/keep`: a reset of the factors that an operator has ordered is stopped.

use super::page::{AsksCode, AsksPassword, Page, PageTexts, Then};
use crate::{
    factors::by_proof,
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        request::PageRequest,
        texts::{Localized, Message},
    },
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::StopFactorReset;

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Keep your sign-in as it is",
            intro: "Somebody has asked our support to remove your authenticator app, your passkeys and your recovery codes. If that was not you, stop it \
                    here: they stay as they are.",
            sent: "Somebody has asked our support to remove your authenticator app, your passkeys and your recovery codes. Enter the code from the \
                   mail to stop it.",
            button: "Stop it",
            done: Message {
                title: "It is stopped",
                text: "Your authenticator app, your passkeys and your recovery codes stay as they are. If you did not ask for it, change your password.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Anmeldung lassen, wie sie ist",
            intro: "Jemand hat unseren Support gebeten, Ihre Authenticator-App, Ihre Passkeys und Ihre Wiederherstellungscodes zu entfernen. Wenn \
                    Sie das nicht waren, halten Sie es hier auf: Alles bleibt, wie es ist.",
            sent: "Jemand hat unseren Support gebeten, Ihre Authenticator-App, Ihre Passkeys und Ihre Wiederherstellungscodes zu entfernen. Geben \
                   Sie den Code aus der E-Mail ein, um es aufzuhalten.",
            button: "Aufhalten",
            done: Message {
                title: "Es ist aufgehalten",
                text: "Authenticator-App, Passkeys und Wiederherstellungscodes bleiben, wie sie sind. Wenn Sie nicht darum gebeten haben, ändern Sie Ihr \
                       Passwort.",
            },
            other: "",
        },
    },
    code: AsksCode::IfNeeded,
    password: AsksPassword::Never,
    other: None,
    asks: None,
    is_grave: false,
    then: Then::DoneAndOn,
};

/// `GET /factors/keep`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /factors/keep`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<StopFactorReset>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = by_proof(use_case, &page.caller, form.body()).await;
    page.answer(&PAGE, &form, outcome.map(|()| None))
}
