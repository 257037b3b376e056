//! `/account/recovery`: a new password in place of a forgotten one. Without a proof it asks for the mail.

use super::page::{AsksCode, AsksPassword, Page, PageTexts, Then};
use crate::{
    kit::{problem::Problem, proof::mail_not_configured, use_case::UseCase},
    pages::{
        entry::{Ask, AskTexts, Entered},
        form::Form,
        request::PageRequest,
        texts::{Localized, Message},
    },
    recovery::confirmation,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::ProofPurpose,
    use_cases::{Recover, RecoverError, RecoveryRequest, RequestRecovery},
};

static ASK: Ask = Ask {
    texts: Localized {
        en: AskTexts {
            title: "Forgot your password?",
            intro: "Enter the e-mail address of your account. We send you a mail with which you choose a new password.",
            button: "Send the mail",
        },
        de: AskTexts {
            title: "Passwort vergessen?",
            intro: "Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir schicken Ihnen eine E-Mail, mit der Sie ein neues Passwort wählen.",
            button: "E-Mail schicken",
        },
    },
};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Choose a new password",
            intro: "It replaces the one that you have forgotten. All devices will be signed out.",
            sent: "If there is an account with this address, a mail with a code is under way. Enter the code and a new password. All devices \
                   will be signed out.",
            button: "Set new password",
            done: Message {
                title: "Your password is changed",
                text: "All other devices are signed out, and you are signed in here.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Neues Passwort wählen",
            intro: "Es ersetzt das vergessene. Alle Geräte werden abgemeldet.",
            sent: "Wenn es ein Konto mit dieser Adresse gibt, ist eine E-Mail mit einem Code unterwegs. Geben Sie den Code und ein neues Passwort \
                   ein. Alle Geräte werden abgemeldet.",
            button: "Passwort setzen",
            done: Message {
                title: "Ihr Passwort ist geändert",
                text: "Alle anderen Geräte sind abgemeldet, und Sie sind hier angemeldet.",
            },
            other: "",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::New,
    other: None,
    asks: Some("/recovery"),
    is_grave: false,
    then: Then::DoneAndOn,
};

/// `GET /recovery`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    if page.is_landed() {
        return page.show(&PAGE);
    }
    if !page.settings.options.mail {
        return Err(mail_not_configured());
    }
    page.ask(&ASK)
}

/// `POST /recovery`
pub(crate) async fn submit(
    page: PageRequest,
    request: UseCase<RequestRecovery>,
    recover: UseCase<Recover>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    if form.get("proof").is_some() {
        let outcome = reset(ProofPurpose::ResetPassword, &page, recover, &form).await;
        return page.answer(&PAGE, &form, outcome);
    }
    let asked = page.asks(&form, async |email| {
        let asked = RecoveryRequest {
            email,
            locale: page.caller.language.clone(),
            asker: page.caller.asker(),
            client: page.caller.described(),
        };
        let proof = request
            .run(async move |case| case.execute(asked).await)
            .await??;
        Ok(proof)
    });
    page.asked(&ASK, &form, asked.await)
}

/// Sets a new password.
pub(super) async fn reset(
    purpose: ProofPurpose,
    page: &PageRequest,
    use_case: UseCase<Recover>,
    form: &Form,
) -> Result<Option<Entered>, Problem> {
    let request = confirmation(form.body(), &page.caller, page.min_length)?;
    let begun = use_case
        .run(async move |case| case.execute(purpose, request).await)
        .await?;
    match begun {
        Err(RecoverError::FactorRequired(step)) => Ok(Some(Entered::Step(step))),
        begun => Ok(Some(begun?.into())),
    }
}
