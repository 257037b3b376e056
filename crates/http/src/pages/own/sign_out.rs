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
use revolve_domain::use_cases::{SignOut, SignOutScope};

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

/// `POST /signout`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<SignOut>,
    _: Form,
) -> Result<HttpResponse, Problem> {
    let (found, _) = page.session().await;
    let ended = match found {
        Ok(me) => {
            let caller = me.caller;
            let ended =
                use_case.run(async move |case| case.execute(&caller, SignOutScope::This).await);
            ended.await?.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match ended {
        // Whoever is signed out already wanted nothing else.
        Err(problem) if !is_session_refused(&problem) => Err(problem),
        _ => page.leave(Some(Farewell::SignedOut), None, true),
    }
}
