//! `/account/signin/code`: a sign-in without a password. Without a proof it asks for the mail.

use super::page::{AsksCode, AsksPassword, Page, PageTexts, Then};
use crate::{
    accounts::sign_in_code_off,
    kit::{problem::Problem, proof, use_case::UseCase},
    pages::{
        entry::{Ask, AskTexts, Entered},
        form::Form,
        request::PageRequest,
        texts::{Localized, Message},
    },
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{
    RequestSignInCode, SignInByCode, SignInByCodeError, SignInByCodeRequest, SignInCodeRequest,
};

static ASK: Ask = Ask {
    texts: Localized {
        en: AskTexts {
            title: "Sign in with a code",
            intro: "Enter the e-mail address of your account. We send you a mail with a code that signs you in.",
            button: "Send the mail",
        },
        de: AskTexts {
            title: "Mit einem Code anmelden",
            intro: "Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir schicken Ihnen eine E-Mail mit einem Code, der Sie anmeldet.",
            button: "E-Mail schicken",
        },
    },
};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Sign in",
            intro: "You have asked for a mail that signs you in.",
            sent: "If there is an account with this address, a mail with a code is under way. Enter the code here.",
            button: "Sign in",
            done: Message {
                title: "You are signed in",
                text: "Go on to your account.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Anmelden",
            intro: "Sie haben eine E-Mail angefordert, die Sie anmeldet.",
            sent: "Wenn es ein Konto mit dieser Adresse gibt, ist eine E-Mail mit einem Code unterwegs. Geben Sie den Code hier ein.",
            button: "Anmelden",
            done: Message {
                title: "Sie sind angemeldet",
                text: "Weiter zu Ihrem Konto.",
            },
            other: "",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::Never,
    other: None,
    asks: Some("/signin/code"),
    is_grave: false,
    then: Then::On,
};

/// `GET /signin/code`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    if !page.settings.options.sign_in_code {
        return Err(sign_in_code_off());
    }
    if page.is_landed() {
        page.show(&PAGE)
    } else {
        page.ask(&ASK)
    }
}

/// `POST /signin/code`
pub(crate) async fn submit(
    page: PageRequest,
    request: UseCase<RequestSignInCode>,
    sign_in: UseCase<SignInByCode>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    if form.get("proof").is_some() {
        let outcome = begin(&page, sign_in, &form).await;
        return page.answer(&PAGE, &form, outcome);
    }
    let asked = page.asks(&form, async |email| {
        let asked = SignInCodeRequest {
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

async fn begin(
    page: &PageRequest,
    use_case: UseCase<SignInByCode>,
    form: &Form,
) -> Result<Option<Entered>, Problem> {
    let mut body = form.body();
    let proof = proof::shown(&mut body, &page.caller);
    let request = SignInByCodeRequest {
        proof: body.finish(proof)?,
        device_name: None,
        client: page.caller.described(),
    };
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await?;
    match begun {
        Err(SignInByCodeError::FactorRequired(step)) => Ok(Some(Entered::Step(step))),
        begun => Ok(Some(begun?.into())),
    }
}
