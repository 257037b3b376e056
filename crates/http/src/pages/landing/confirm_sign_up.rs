//! `/account/signup/confirm`: a sign-up whose mailbox is proved.

use super::page::{AsksCode, AsksPassword, Page, PageTexts, Then};
use crate::{
    accounts::confirmation,
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        entry::Entered,
        form::Form,
        request::PageRequest,
        texts::{Localized, Message},
    },
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::ConfirmSignUp;

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Confirm your sign-up",
            intro: "Confirm that this e-mail address is yours. Then your account is made, with the password or the passkey that you have chosen.",
            sent: "We have sent you a mail with a code. Enter it here, or open the link in the mail in this browser.",
            button: "Create account",
            done: Message {
                title: "Your account is ready",
                text: "You are signed in.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Registrierung bestätigen",
            intro: "Bestätigen Sie, dass diese E-Mail-Adresse Ihnen gehört. Dann wird Ihr Konto angelegt, mit dem Passwort oder dem Passkey, den Sie gewählt haben.",
            sent: "Wir haben Ihnen eine E-Mail mit einem Code geschickt. Geben Sie ihn hier ein, oder öffnen Sie den Link in der E-Mail in \
                   diesem Browser.",
            button: "Konto anlegen",
            done: Message {
                title: "Ihr Konto ist bereit",
                text: "Sie sind angemeldet.",
            },
            other: "",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::Elsewhere,
    other: None,
    asks: None,
    is_grave: false,
    then: Then::DoneAndOn,
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
) -> Result<Option<Entered>, Problem> {
    let request = confirmation(form.body(), &page.caller)?;
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    Ok(Some(begun.into()))
}
