//! `/account/signout`: the end of this session.

use super::HOME;
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        request::PageRequest,
        session::{Farewell, is_session_refused},
        texts::Localized,
        view::{self, FormPage, FormView},
    },
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::SignOut;

static INTRO: Localized<&str> = Localized {
    en: "You will be signed out in this browser. Other devices stay signed in.",
    de: "Sie werden in diesem Browser abgemeldet. Andere Geräte bleiben angemeldet.",
};

/// `GET /signout`, for links: nobody is signed out by opening a page.
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let sign_out = me.language.texts().sign_out;
        let view = FormPage {
            frame: page.own_frame(me.language, HOME),
            title: sign_out,
            intro: (*INTRO.get(me.language)).into(),
            notice: None,
            form: FormView::new(page.path(), sign_out, Vec::new()),
            links: Vec::new(),
        };
        view::page(HttpResponse::Ok().finish(), &view)
    })
    .await
}

/// `POST /signout`: by the refresh token, which may be one that a faster tab has replaced, and without the device: whoever reads that they are
/// signed out has no session left.
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<SignOut>,
    _: Form,
) -> Result<HttpResponse, Problem> {
    if let Some(token) = page.tokens.token().cloned() {
        let ended = use_case.run(async move |case| case.by_refresh_token(&token).await);
        // Whoever is signed out already wanted nothing else.
        if let Err(problem) = ended.await?.map_err(Problem::from)
            && !is_session_refused(&problem)
        {
            return Err(problem);
        }
    }
    page.leave(Some(Farewell::SignedOut), None, true)
}
