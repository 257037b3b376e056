//! `/account/password`: another password. This session goes on, all others end.

use super::{PASSWORD, asked_again, done, title};
use crate::{
    accounts::passwords_of,
    kit::{
        problem::{FieldProblem, Problem},
        use_case::UseCase,
    },
    pages::{
        form::Form,
        request::{PageRequest, page_url, see, with_cookies},
        session::SignedIn,
        texts::Localized,
        view::{self, FormPage, FormView, Notice},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::use_cases::{ChangePassword, ChangePasswordError, Reauthenticate};

const FIELDS: [&str; 2] = ["currentPassword", "newPassword"];

struct Words {
    intro: &'static str,
    button: &'static str,
    done: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        intro: "You stay signed in here; all other devices are signed out.",
        button: "Change password",
        done: "Your password is changed, and all other devices are signed out.",
    },
    de: Words {
        intro: "Sie bleiben hier angemeldet; alle anderen Geräte werden abgemeldet.",
        button: "Passwort ändern",
        done: "Ihr Passwort ist geändert, und alle anderen Geräte sind abgemeldet.",
    },
};

/// `GET /.well-known/change-password` (W3C, "A Well-Known URL for Changing Passwords"): where the form is.
pub(crate) async fn lead() -> HttpResponse {
    see(&page_url(PASSWORD, None))
}

/// `GET /password`
pub(crate) async fn show(
    page: PageRequest,
    reauthenticate: UseCase<Reauthenticate>,
) -> Result<HttpResponse, Problem> {
    page.show_sensitive(reauthenticate, |me| {
        view(&page, Some(me), None, HttpResponse::Ok().finish())
    })
    .await
}

/// `POST /password`
pub(crate) async fn submit(
    page: PageRequest,
    change: UseCase<ChangePassword>,
    reauthenticate: UseCase<Reauthenticate>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.for_user(
        &FIELDS,
        async |me| {
            let request = passwords_of(form.body(), page.min_length)?;
            if request.current.is_none() && !me.has_reauthenticated() {
                let missing = FieldProblem::new("currentPassword", "missing", "is needed");
                return Err(Problem::fields(vec![missing]));
            }
            let (caller, new) = (me.caller.clone(), request.new.clone());
            let changed = change
                .run(async move |case| case.execute(&caller, request).await)
                .await?;
            let Err(error) = changed else {
                // The reauthentication was of the former password's time.
                return with_cookies(done(PASSWORD), &page.reauthentication.clear());
            };
            // A form that is sent twice changes it the first time.
            let may_be_done = match error {
                ChangePasswordError::Conflict => true,
                ChangePasswordError::WrongPassword => me.user.kept_session == Some(me.session),
                _ => false,
            };
            if may_be_done {
                let caller = me.caller.clone();
                let shown = reauthenticate
                    .run(async move |case| case.execute(&caller, &new).await)
                    .await?;
                if shown.is_ok() {
                    return Ok(done(PASSWORD));
                }
            }
            Err(error.into())
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
    // No password is shown again.
    let typed = Form::default();
    let fields = page.fields(language, &typed, problem);
    let new = fields.new_password("newPassword", fields.texts.new_password);
    let asked = asked_again(me, &fields).into_iter().chain([new]).collect();
    let form = FormView {
        alert: fields.alert(),
        username: me.map(|me| me.user.email.as_str().to_owned()),
        ..FormView::new(page.path(), words.button, asked)
    };
    let is_done = problem.is_none() && page.is_done();
    let view = FormPage {
        frame: page
            .own_frame(language, PASSWORD)
            .failed_if(problem.is_some()),
        title: title(PASSWORD, language),
        intro: words.intro.into(),
        notice: is_done.then_some(Notice::done(words.done)),
        form,
        links: page.other_ways(me).into_iter().collect(),
    };
    view::page(answer, &view)
}
