//! `/account/email/confirm`: the address of an account is verified.

use super::{
    form::Form,
    page::{AsksCode, AsksPassword, Page, PageRequest},
    texts::{Localized, Message},
    view::PageTexts,
};
use crate::kit::{problem::Problem, proof, use_case::UseCase};
use actix_web::HttpResponse;
use revolve_domain::{
    model::Password,
    use_cases::{ConfirmEmail, ConfirmEmailRequest, IssuedDevice},
};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Confirm your address",
            intro: "Confirm that this e-mail address is yours and belongs to your account.",
            button: "Confirm address",
            done: Message {
                title: "Your address is confirmed",
                text: "You can close this page.",
            },
            other: "This was not me",
        },
        de: PageTexts {
            title: "Adresse bestätigen",
            intro: "Bestätigen Sie, dass diese E-Mail-Adresse Ihnen und zu Ihrem Konto gehört.",
            button: "Adresse bestätigen",
            done: Message {
                title: "Ihre Adresse ist bestätigt",
                text: "Sie können diese Seite schließen.",
            },
            other: "Das war ich nicht",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::Elsewhere,
    other: Some("/email/disown"),
};

/// `GET /email/confirm`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /email/confirm`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ConfirmEmail>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = confirm(&page, use_case, &form).await;
    page.answer(&PAGE, &form, outcome)
}

/// Verifies the address, or changes it to the one that the mail was sent to. A page has no session to show: the password says whose account it
/// is where the browser does not.
pub(super) async fn confirm(
    page: &PageRequest,
    use_case: UseCase<ConfirmEmail>,
    form: &Form,
) -> Result<Option<IssuedDevice>, Problem> {
    let mut body = form.body();
    let proof = proof::shown(&mut body, &page.caller);
    let password = body.optional_secret("password", Password::present);
    let request = ConfirmEmailRequest {
        proof: body.finish(proof)?,
        caller: None,
        password,
        client: page.caller.described(),
    };
    use_case
        .run(async move |case| case.execute(&request).await)
        .await??;
    Ok(None)
}
