//! `/account/security/codes`: new recovery codes in the place of the old ones.

use super::SECURITY;
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        codes,
        form::Form,
        request::{PageRequest, page_url, see},
        session::SignedIn,
        texts::Localized,
        view::{self, FormPage, FormView, Notice},
    },
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::RecoveryCodes,
    use_cases::{ReadFactors, ReplaceRecoveryCodes},
};

struct Words {
    title: &'static str,
    intro: &'static str,
    made: &'static str,
    button: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Make new recovery codes",
        intro: "You get ten codes, which are shown this once. Those that you have now count no more.",
        made: "Meanwhile other codes were made, by this form or elsewhere, and they count now. If you have not kept them, make new ones.",
        button: "Make new codes",
    },
    de: Words {
        title: "Neue Wiederherstellungscodes",
        intro: "Sie bekommen zehn Codes, die nur dieses eine Mal angezeigt werden. Die jetzigen gelten nicht mehr.",
        made: "Inzwischen wurden andere Codes erstellt, durch dieses Formular oder anderswo, und diese gelten jetzt. Wenn Sie sie nicht \
               aufbewahrt haben, erstellen Sie neue.",
        button: "Neue Codes erstellen",
    },
};

/// The set that a form replaces, so that a form that is sent again, as by a reload, replaces no other. Of two that are sent at once both may replace it, and
/// the later one counts.
const REPLACES: &str = "replaces";

/// `GET /security/codes`
pub(crate) async fn show(
    page: PageRequest,
    factors: UseCase<ReadFactors>,
) -> Result<HttpResponse, Problem> {
    page.show_reauthenticated(page.path(), async |me| {
        match present(&factors, me).await? {
            Some(present) => view(&page, me, present, None),
            None => Ok(see(&page_url(SECURITY, None))),
        }
    })
    .await
}

/// `POST /security/codes`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ReplaceRecoveryCodes>,
    factors: UseCase<ReadFactors>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.act_for_user(async |me| {
        let present = present(&factors, me).await?;
        if let Some(present) = present.filter(|present| form.get(REPLACES) != Some(present)) {
            let words = WORDS.get(me.language);
            return view(&page, me, present, Some(Notice::warning(words.made)));
        }
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

/// A mark of the present set: when it was made, in milliseconds. `None` without a factor to make codes for.
async fn present(factors: &UseCase<ReadFactors>, me: &SignedIn) -> Result<Option<String>, Problem> {
    let found = factors.get().execute(&me.caller).await?;
    let mark = |codes: &RecoveryCodes| codes.created_at.as_millis().to_string();
    let present = found.codes.as_ref().map(mark).unwrap_or_default();
    Ok(found.set_up().any().then_some(present))
}

fn view(
    page: &PageRequest,
    me: &SignedIn,
    present: String,
    notice: Option<Notice>,
) -> Result<HttpResponse, Problem> {
    let words = WORDS.get(me.language);
    let mut form = FormView::new(page.path(), words.button, Vec::new());
    form.hidden = vec![(REPLACES, present)];
    let view = FormPage {
        frame: page.own_frame(me.language, SECURITY),
        title: words.title,
        intro: words.intro.into(),
        notice,
        form,
        links: Vec::new(),
    };
    view::page(HttpResponse::Ok().finish(), &view)
}
