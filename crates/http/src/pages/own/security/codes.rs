//! `/account/security/codes`: new recovery codes in the place of the old ones.

use super::SECURITY;
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        codes,
        form::Form,
        request::{PageRequest, page_url, see},
        texts::Localized,
        view::{self, FormPage, FormView},
    },
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::ReplaceRecoveryCodes;

struct Words {
    title: &'static str,
    intro: &'static str,
    button: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Make new recovery codes",
        intro: "You get ten codes, which are shown this once. Those that you have now count no more.",
        button: "Make new codes",
    },
    de: Words {
        title: "Neue Wiederherstellungscodes",
        intro: "Sie bekommen zehn Codes, die nur dieses eine Mal angezeigt werden. Die jetzigen gelten nicht mehr.",
        button: "Neue Codes erstellen",
    },
};

/// `GET /security/codes`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show_reauthenticated(page.path(), async |me| {
        let words = WORDS.get(me.language);
        let view = FormPage {
            frame: page.own_frame(me.language, SECURITY),
            title: words.title,
            intro: words.intro.into(),
            notice: None,
            form: FormView::new(page.path(), words.button, Vec::new()),
            links: Vec::new(),
        };
        view::page(HttpResponse::Ok().finish(), &view)
    })
    .await
}

/// `POST /security/codes`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ReplaceRecoveryCodes>,
    _: Form,
) -> Result<HttpResponse, Problem> {
    page.act_for_user(async |me| {
        let caller = me.caller.clone();
        let made = use_case
            .run(async move |case| case.execute(&caller).await)
            .await?;
        match made.map_err(Problem::from) {
            Ok(codes) => {
                let frame = page.own_frame(me.language, SECURITY);
                codes::page(frame, me.language, &codes, &page_url(SECURITY, None))
            }
            Err(problem) => match problem.code() {
                "reauthentication_required" => Ok(page.reauthenticate_first(page.path())),
                "no_factor" => Ok(see(&page_url(SECURITY, None))),
                _ => Err(problem),
            },
        }
    })
    .await
}
