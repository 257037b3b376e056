//! `/account/email/confirm`: the address of an account is verified.

use super::page::{AsksCode, AsksPassword, Page, PageTexts, Then};
use crate::{
    kit::{problem::Problem, proof, use_case::UseCase},
    pages::{
        form::Form,
        request::PageRequest,
        session::is_session_refused,
        texts::{Localized, Message},
    },
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::Password,
    use_cases::{Caller, ConfirmEmail, ConfirmEmailRequest},
};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Confirm your address",
            intro: "Confirm that this e-mail address is yours and belongs to your account.",
            sent: "We have sent you a mail with a code. Enter it here, or open the link in the mail.",
            button: "Confirm address",
            done: Message {
                title: "Your address is confirmed",
                text: "Mails about your account now surely reach you.",
            },
            other: "This was not me",
        },
        de: PageTexts {
            title: "Adresse bestätigen",
            intro: "Bestätigen Sie, dass diese E-Mail-Adresse Ihnen und zu Ihrem Konto gehört.",
            sent: "Wir haben Ihnen eine E-Mail mit einem Code geschickt. Geben Sie ihn hier ein, oder öffnen Sie den Link in der E-Mail.",
            button: "Adresse bestätigen",
            done: Message {
                title: "Ihre Adresse ist bestätigt",
                text: "E-Mails zu Ihrem Konto erreichen Sie jetzt sicher.",
            },
            other: "Das war ich nicht",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::Elsewhere,
    other: Some("/email/disown"),
    asks: None,
    is_grave: false,
    then: Then::DoneAndOn,
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
    confirm(&PAGE, &page, use_case, &form).await
}

/// Verifies the address, or changes it to the one that the mail was sent to. Where the browser has no session of the account, its password
/// says whose it is.
pub(super) async fn confirm(
    texts: &Page,
    page: &PageRequest,
    use_case: UseCase<ConfirmEmail>,
    form: &Form,
) -> Result<HttpResponse, Problem> {
    let (found, renewed) = page.session().await;
    let caller = match found {
        Ok(me) => Ok(Some(me.caller)),
        Err(problem) if is_session_refused(&problem) => Ok(None),
        Err(problem) => Err(problem),
    };
    let outcome = match caller {
        Ok(caller) => carry_out(caller, page, use_case, form).await,
        Err(problem) => Err(problem),
    };
    let answer = page.answer(texts, form, outcome.map(|()| None));
    page.finish(answer, &renewed).await
}

async fn carry_out(
    caller: Option<Caller>,
    page: &PageRequest,
    use_case: UseCase<ConfirmEmail>,
    form: &Form,
) -> Result<(), Problem> {
    let mut body = form.body();
    let proof = proof::shown(&mut body, &page.caller);
    let password = body.optional_secret("password", Password::present);
    let request = ConfirmEmailRequest {
        proof: body.finish(proof)?,
        caller,
        password,
        client: page.caller.described(),
    };
    use_case
        .run(async move |case| case.execute(&request).await)
        .await??;
    Ok(())
}
