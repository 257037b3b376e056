//! `/account/delete`: the end of the account.

use super::{DELETE, asked_again, done, title};
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        request::{PageRequest, with_cookies},
        session::SignedIn,
        texts::{Localized, Message},
        view::{self, FormPage, FormView, MessagePage},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::use_cases::{DeleteAccount, Reauthenticate};

struct Words {
    intro: &'static str,
    button: &'static str,
    done: Message,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        intro: "Your account is deleted with all that is stored about you, and all devices are signed out. This cannot be undone.",
        button: "Delete account for good",
        done: Message {
            title: "Your account is deleted",
            text: "All that was stored about you is deleted, and all devices are signed out.",
        },
    },
    de: Words {
        intro: "Ihr Konto wird gelöscht, mit allem, was über Sie gespeichert ist, und alle Geräte werden abgemeldet. Das lässt sich nicht \
                rückgängig machen.",
        button: "Konto endgültig löschen",
        done: Message {
            title: "Ihr Konto ist gelöscht",
            text: "Alles, was über Sie gespeichert war, ist gelöscht, und alle Geräte sind abgemeldet.",
        },
    },
};

/// `GET /delete`
pub(crate) async fn show(
    page: PageRequest,
    reauthenticate: UseCase<Reauthenticate>,
) -> Result<HttpResponse, Problem> {
    if page.is_done() {
        let message = &WORDS.get(page.language).done;
        let view = MessagePage::new(page.frame(), message, None);
        return view::page(HttpResponse::Ok().finish(), &view);
    }
    page.show_sensitive(reauthenticate, |me| {
        view(&page, Some(me), None, HttpResponse::Ok().finish())
    })
    .await
}

/// `POST /delete`
pub(crate) async fn submit(
    page: PageRequest,
    reauthenticate: UseCase<Reauthenticate>,
    use_case: UseCase<DeleteAccount>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.for_user(
        &["currentPassword"],
        async |me| {
            let caller = me.reauthenticated(&form, reauthenticate).await?;
            use_case
                .run(async move |case| case.execute(&caller).await)
                .await??;
            with_cookies(done(DELETE), &page.forgotten())
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
        is_grave: true,
        username: me.map(|me| me.user.email.as_str().to_owned()),
        ..FormView::new(page.path(), words.button, asked)
    };
    let view = FormPage {
        frame: page
            .own_frame(language, DELETE)
            .failed_if(problem.is_some()),
        title: title(DELETE, language),
        intro: words.intro.into(),
        notice: None,
        form,
        links: page.other_ways(me).into_iter().collect(),
    };
    view::page(answer, &view)
}
