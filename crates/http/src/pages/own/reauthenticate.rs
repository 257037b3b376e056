//! `/account/reauthenticate`: the user shows once more who they are, by the password or a factor, and goes back to what is sensitive. The browser keeps
//! the reauthentication for the minutes that it counts.

use super::REAUTHENTICATE;
use crate::{
    accounts::shown_again,
    kit::{factor::ChallengeAnswer, problem::Problem, use_case::UseCase},
    pages::{
        BASE,
        factors::{FIELDS, Ways},
        form::{Form, RETURN_TO},
        passkey::Purpose,
        request::{PageRequest, page_url, see, with_cookies},
        session::SignedIn,
        settings::Destination,
        texts::Localized,
        view::{self, FormPage, Link},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::use_cases::{Reauthenticate, ReauthenticateRequest, ReauthenticationWays};

struct Words {
    title: &'static str,
    intro: &'static str,
    nothing: &'static str,
    button: &'static str,
    recovery: &'static str,
    otherwise: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Confirm that it is you",
        intro: "What comes next is sensitive.",
        nothing: "Your account has neither a password nor another way to show that it is you. Choose a password first.",
        button: "Confirm",
        recovery: "Choose a password by a mail",
        otherwise: "Use a passkey or a code instead",
    },
    de: Words {
        title: "Bestätigen Sie, dass Sie es sind",
        intro: "Was jetzt kommt, ist heikel.",
        nothing: "Ihr Konto hat weder ein Passwort noch etwas anderes, womit Sie sich ausweisen können. Wählen Sie zuerst ein Passwort.",
        button: "Bestätigen",
        recovery: "Passwort mit einer E-Mail wählen",
        otherwise: "Stattdessen Passkey oder Code verwenden",
    },
};

impl PageRequest {
    /// To this page, from where the browser comes back to another, which has this URL.
    pub(super) fn reauthenticate_first(&self, back: &str) -> HttpResponse {
        let back = self.settings.destination(back);
        see(&page_url(REAUTHENTICATE, back.as_ref()))
    }

    /// A page whose form is sensitive: users without a password reauthenticate before they see it.
    pub(super) async fn show_sensitive(
        &self,
        use_case: UseCase<Reauthenticate>,
        view: impl FnOnce(&SignedIn) -> Result<HttpResponse, Problem>,
    ) -> Result<HttpResponse, Problem> {
        self.show_user(async |me| {
            if !me.has_reauthenticated() && !use_case.get().ways(&me.caller).await?.password {
                return Ok(self.reauthenticate_first(self.path()));
            }
            view(me)
        })
        .await
    }

    /// A page for those alone who have reauthenticated a moment ago.
    pub(super) async fn show_reauthenticated(
        &self,
        back: &str,
        view: impl AsyncFnOnce(&SignedIn) -> Result<HttpResponse, Problem>,
    ) -> Result<HttpResponse, Problem> {
        self.show_user(async |me| {
            if me.has_reauthenticated() {
                view(me).await
            } else {
                Ok(self.reauthenticate_first(back))
            }
        })
        .await
    }

    /// A link for users who would rather not type their password.
    pub(super) fn other_ways(&self, me: Option<&SignedIn>) -> Option<Link> {
        let me = me.filter(|me| me.user.factors.any() && !me.has_reauthenticated())?;
        let back = self.settings.destination(self.path());
        let href = page_url(REAUTHENTICATE, back.as_ref());
        Some(Link::new(href, WORDS.get(me.language).otherwise))
    }
}

/// `GET /reauthenticate`
pub(crate) async fn show(
    page: PageRequest,
    use_case: UseCase<Reauthenticate>,
) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let ways = use_case.get().ways(&me.caller).await?;
        let (typed, on) = (Form::default(), page.destination());
        let answer = HttpResponse::Ok().finish();
        view(&page, me, &ways, &typed, None, on.as_ref(), answer)
    })
    .await
}

/// `POST /reauthenticate`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<Reauthenticate>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let on = page.destination_of(&form);
    page.act_for_user(async |me| {
        let ways = use_case.get().ways(&me.caller).await?;
        let shown = async {
            let request = (!form.asks_otherwise()).then(|| read(&form)).transpose()?;
            let Some(request) = request else {
                let answer = HttpResponse::Ok().finish();
                return view(&page, me, &ways, &form, None, on.as_ref(), answer);
            };
            let caller = me.caller.clone();
            let shown = use_case
                .clone()
                .run(async move |case| case.by(&caller, request).await)
                .await??;
            let cookie = page
                .reauthentication
                .set_for(&shown.token, shown.expires_in);
            let to = on.as_ref().map_or(BASE, Destination::url);
            with_cookies(see(to), cookie.as_slice())
        };
        match shown.await {
            Err(problem) if is_mendable(&problem) => {
                let answer = problem.error_response();
                view(&page, me, &ways, &form, Some(&problem), on.as_ref(), answer)
            }
            outcome => outcome,
        }
    })
    .await
}

/// `POST /reauthenticate/options`: a challenge for the module.
pub(crate) async fn options(
    page: PageRequest,
    use_case: UseCase<Reauthenticate>,
) -> Result<HttpResponse, Problem> {
    page.act_for_user(async |me| {
        let caller = me.caller.clone();
        let begun = use_case
            .run(async move |case| case.begin_passkey(&caller).await)
            .await??;
        Ok(HttpResponse::Ok().json(ChallengeAnswer::from(&begun)))
    })
    .await
}

fn read(form: &Form) -> Result<ReauthenticateRequest, Problem> {
    shown_again(form.shown(&[])?)
}

fn is_mendable(problem: &Problem) -> bool {
    crate::pages::fields::can_be_sent_again(problem, &FIELDS)
}

fn view(
    page: &PageRequest,
    me: &SignedIn,
    ways: &ReauthenticationWays,
    typed: &Form,
    problem: Option<&Problem>,
    on: Option<&Destination>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let (language, words) = (me.language, WORDS.get(me.language));
    let fields = page.fields(language, typed, problem);
    let ways = Ways::new(ways.password, &ways.factors);
    let (action, purpose) = (page_url(REAUTHENTICATE, None), Purpose::Reauthenticate);
    let mut form = ways.form(&action, words.button, purpose, language, &fields);
    form.username = Some(me.user.email.as_str().to_owned());
    form.hidden
        .extend(on.map(|on| (RETURN_TO, on.url().to_owned())));
    let recovery = Link::new(page_url("/recovery", None), words.recovery);
    let view = FormPage {
        frame: page
            .own_frame(language, REAUTHENTICATE)
            .failed_if(problem.is_some()),
        title: words.title,
        intro: if ways.is_empty() {
            words.nothing.into()
        } else {
            words.intro.into()
        },
        notice: None,
        form,
        links: ways.is_empty().then_some(recovery).into_iter().collect(),
    };
    view::form_page(answer, view, &page.settings)
}
