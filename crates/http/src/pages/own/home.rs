//! `/account`: whose account it is, and what its user can do.

use super::{ENTRIES, HOME};
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        BASE,
        form::Form,
        request::{PageRequest, page_url},
        session::SignedIn,
        texts::Localized,
        view::{self, FormView, Frame, Notice},
    },
};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use revolve_domain::{model::Label, use_cases::RequestVerification};

struct Words {
    verified: &'static str,
    unverified: &'static str,
    verify: &'static str,
    send: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        verified: "Address confirmed",
        unverified: "Address not confirmed",
        verify: "Confirm your e-mail address, so that you can choose a new password if you forget yours.",
        send: "Send me a mail",
    },
    de: Words {
        verified: "Adresse bestätigt",
        unverified: "Adresse nicht bestätigt",
        verify: "Bestätigen Sie Ihre E-Mail-Adresse, damit Sie ein neues Passwort wählen können, wenn Sie Ihres vergessen.",
        send: "E-Mail schicken",
    },
};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame<'a>,
    title: &'static str,
    notice: Option<Notice>,
    /// The first letter of the name.
    initial: String,
    name: &'a str,
    /// Beside a name.
    email: Option<&'a str>,
    is_verified: bool,
    badge: &'static str,
    verify_text: &'static str,
    verify: Option<FormView>,
    rows: Vec<Row>,
}

/// A page that this one leads to.
struct Row {
    href: String,
    title: &'static str,
    text: &'static str,
}

/// `GET /account`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| view(&page, me, None, HttpResponse::Ok().finish()))
        .await
}

/// `POST /account`: a mail that verifies the address.
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<RequestVerification>,
    _: Form,
) -> Result<HttpResponse, Problem> {
    page.for_user(
        &[],
        async |me| {
            let (caller, asker) = (me.caller.clone(), page.caller.asker());
            let locale = page.caller.language.clone();
            let proof = use_case
                .run(async move |case| case.execute(&caller, &asker, locale).await)
                .await??;
            page.mail_sent(&page_url("/email/confirm", None), &proof, None)
        },
        |me, problem| match me {
            Some(me) => view(&page, me, Some(problem), problem.error_response()),
            // Nothing was typed that would have to be kept.
            None => Ok(problem.error_response()),
        },
    )
    .await
}

fn view(
    page: &PageRequest,
    me: &SignedIn,
    problem: Option<&Problem>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let (words, texts) = (WORDS.get(me.language), me.language.texts());
    let email = me.user.email.as_str();
    let name = me.user.details.name.as_ref().map(Label::as_str);
    let is_verified = me.user.email_verified_at.is_some();
    let verify = (page.settings.options.mail && !is_verified).then(|| {
        let mut form = FormView::new(BASE, words.send, Vec::new());
        form.alert = page.fields(me.language, &Form::default(), problem).alert();
        form
    });
    let rows = ENTRIES.iter().filter(|entry| entry.path != HOME);
    let rows = rows.map(|entry| Row {
        href: entry.url(),
        title: entry.title.get(me.language),
        text: entry.text.get(me.language),
    });
    let initial = name.unwrap_or(email).chars().next();
    let view = Home {
        frame: page
            .own_frame(me.language, HOME)
            .failed_if(problem.is_some()),
        title: texts.account,
        notice: None,
        initial: initial
            .map(|first| first.to_uppercase().collect())
            .unwrap_or_default(),
        name: name.unwrap_or(email),
        email: name.map(|_| email),
        is_verified,
        badge: if is_verified {
            words.verified
        } else {
            words.unverified
        },
        verify_text: words.verify,
        verify,
        rows: rows.collect(),
    };
    view::page(answer, &view)
}
