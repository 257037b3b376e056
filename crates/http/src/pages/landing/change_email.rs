//! `/account/email/change`: the address of an account changes to one that is proved.

use super::{
    confirm_email::confirm,
    page::{AsksCode, AsksPassword, Page, PageTexts, Then},
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
use revolve_domain::use_cases::ConfirmEmail;

static PAGE: Page = Page {
    texts: Localized {
        en: PageTexts {
            title: "Confirm your new address",
            intro: "Confirm that the new e-mail address is yours. Your account has it from then on, and you sign in with it.",
            sent: "We have sent a mail with a code to the new address. Enter it here, and your account has that address from then on.",
            button: "Change address",
            done: Message {
                title: "Your address is changed",
                text: "From now on sign in with the new address.",
            },
            other: "",
        },
        de: PageTexts {
            title: "Neue Adresse bestätigen",
            intro: "Bestätigen Sie, dass die neue E-Mail-Adresse Ihnen gehört. Ihr Konto hat sie von da an, und Sie melden sich mit ihr an.",
            sent: "Wir haben eine E-Mail mit einem Code an die neue Adresse geschickt. Geben Sie ihn hier ein; von da an hat Ihr Konto diese \
                   Adresse.",
            button: "Adresse ändern",
            done: Message {
                title: "Ihre Adresse ist geändert",
                text: "Melden Sie sich von jetzt an mit der neuen Adresse an.",
            },
            other: "",
        },
    },
    code: AsksCode::Elsewhere,
    password: AsksPassword::SignedOut,
    other: None,
    asks: None,
    is_grave: false,
    then: Then::DoneAndOn,
};

/// `GET /email/change`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show(&PAGE)
}

/// `POST /email/change`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ConfirmEmail>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    confirm(&PAGE, &page, use_case, &form).await
}
