//! `/account/signup/confirm`: a sign-up whose mailbox is proved.

use super::{
    form::Form,
    page::{AsksCode, AsksPassword, Page, PageRequest},
    texts::{Localized, Message},
    view::PageTexts,
};
use crate::{
    accounts::confirmation,
    kit::{problem::Problem, use_case::UseCase},
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{ConfirmSignUp, IssuedDevice};

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Confirm your sign-up",
            intro: "Confirm that this e-mail address is yours. Then your account is made, with the password that you have chosen.",
            button: "Create account",
            done: Message {
                title: "Your account is ready",
                text: "Sign in with your e-mail address and your password.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Registrierung bestätigen",
            intro: "Bestätigen Sie, dass diese E-Mail-Adresse Ihnen gehört. Dann wird Ihr Konto angelegt, mit dem Passwort, das Sie gewählt haben.",
            button: "Konto anlegen",
            done: Message {
                title: "Ihr Konto ist bereit",
                text: "Melden Sie sich mit Ihrer E-Mail-Adresse und Ihrem Passwort an.",
            },
            other: "",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::Elsewhere,
    other: None,
};

/// `GET /signup/confirm`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /signup/confirm`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ConfirmSignUp>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = create(&page, use_case, &form).await;
    page.answer(&PAGE, &form, outcome)
}

async fn create(
    page: &PageRequest,
    use_case: UseCase<ConfirmSignUp>,
    form: &Form,
) -> Result<Option<IssuedDevice>, Problem> {
    let request = confirmation(form.body(), &page.caller)?;
    let device = use_case
        .run(async move |case| case.without_session(request).await)
        .await??;
    Ok(Some(device))
}
