//! `/account/export`: all that is stored about the account, as a file.

use super::{EXPORT, asked_again, title};
use crate::{
    accounts::exported,
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        request::PageRequest,
        session::SignedIn,
        texts::Localized,
        view::{self, FormPage, FormView},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::use_cases::{ExportAccount, Reauthenticate};

struct Words {
    intro: &'static str,
    button: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        intro: "You get a file with all that is stored about you: your account, your devices, and what happened. It is written in JSON, which \
                other services can read.",
        button: "Download your data",
    },
    de: Words {
        intro: "Sie bekommen eine Datei mit allem, was über Sie gespeichert ist: Ihr Konto, Ihre Geräte, und was geschehen ist. Sie ist in JSON \
                geschrieben, das andere Dienste lesen können.",
        button: "Daten herunterladen",
    },
};

/// `GET /export`
pub(crate) async fn show(
    page: PageRequest,
    reauthenticate: UseCase<Reauthenticate>,
) -> Result<HttpResponse, Problem> {
    page.show_sensitive(reauthenticate, |me| {
        view(&page, Some(me), None, HttpResponse::Ok().finish())
    })
    .await
}

/// `POST /export`: the answer is the file, so that the page stays where it is.
pub(crate) async fn submit(
    page: PageRequest,
    reauthenticate: UseCase<Reauthenticate>,
    use_case: UseCase<ExportAccount>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.for_user(
        &["currentPassword"],
        async |me| {
            let caller = me.reauthenticated(&form, reauthenticate).await?;
            exported(use_case, &caller).await
        },
        |me, problem| view(&page, me, Some(problem), problem.error_response()),
    )
    .await
}

fn view(
    page: &PageRequest,
    me: Option<&SignedIn>,
    problem: Option<&Problem>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let language = page.reads(me);
    let words = WORDS.get(language);
    let typed = Form::default();
    let fields = page.fields(language, &typed, problem);
    let asked = asked_again(me, &fields).into_iter().collect();
    let form = FormView {
        alert: fields.alert(),
        username: me.map(|me| me.user.email.as_str().to_owned()),
        ..FormView::new(page.path(), words.button, asked)
    };
    let view = FormPage {
        frame: page
            .own_frame(language, EXPORT)
            .failed_if(problem.is_some()),
        title: title(EXPORT, language),
        intro: words.intro.into(),
        notice: None,
        form,
        links: page.other_ways(me).into_iter().collect(),
    };
    view::page(answer, &view)
}
