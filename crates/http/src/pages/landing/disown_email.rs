//! `/account/email/disown`: an account with the reader's address is another person's.

use super::page::{AsksCode, AsksPassword, Page, PageTexts, Then};
use crate::{
    kit::{problem::Problem, proof, use_case::UseCase},
    pages::{
        entry::Entered,
        form::Form,
        request::PageRequest,
        texts::{Localized, Message},
    },
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::DisownEmail;

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "This was not me",
            intro: "Somebody has made an account with your e-mail address, which was never confirmed. Enter the code from the mail to delete that \
                    account.",
            sent: "Somebody has made an account with your e-mail address, which was never confirmed. Enter the code from the mail to delete that \
                   account.",
            button: "Delete that account",
            done: Message {
                title: "The account is deleted",
                text: "Your e-mail address is free again. You need do nothing else.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Das war ich nicht",
            intro: "Jemand hat mit Ihrer E-Mail-Adresse ein Konto angelegt, und sie wurde nie bestätigt. Geben Sie den Code aus der E-Mail ein, \
                    um dieses Konto zu löschen.",
            sent: "Jemand hat mit Ihrer E-Mail-Adresse ein Konto angelegt, und sie wurde nie bestätigt. Geben Sie den Code aus der E-Mail ein, \
                   um dieses Konto zu löschen.",
            button: "Dieses Konto löschen",
            done: Message {
                title: "Das Konto ist gelöscht",
                text: "Ihre E-Mail-Adresse ist wieder frei. Mehr müssen Sie nicht tun.",
            },
            other: "",
        },
    },
    code: AsksCode::Always,
    password: AsksPassword::Never,
    other: None,
    asks: None,
    is_grave: true,
    then: Then::Done,
};

/// `GET /email/disown`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /email/disown`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<DisownEmail>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = disown(&page, use_case, &form).await;
    page.answer(&PAGE, &form, outcome)
}

/// By the code in any browser: a click alone deletes no account.
async fn disown(
    page: &PageRequest,
    use_case: UseCase<DisownEmail>,
    form: &Form,
) -> Result<Option<Entered>, Problem> {
    let mut body = form.body_with_code();
    let shown = proof::shown(&mut body, &page.caller);
    let (shown, client) = (body.finish(shown)?, page.caller.described());
    use_case
        .run(async move |case| case.execute(&shown, &client).await)
        .await??;
    Ok(None)
}
