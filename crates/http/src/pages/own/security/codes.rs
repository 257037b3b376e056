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
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    model::RecoveryCodes,
    use_cases::{ReadFactors, ReplaceRecoveryCodes},
};
use sha2::{Digest as _, Sha256};

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
        made: "New codes have just been made: these count, and you have seen them. Make others only if you have not kept them.",
        button: "Make new codes",
    },
    de: Words {
        title: "Neue Wiederherstellungscodes",
        intro: "Sie bekommen zehn Codes, die nur dieses eine Mal angezeigt werden. Die jetzigen gelten nicht mehr.",
        made: "Gerade wurden neue Codes erstellt: Diese gelten, und Sie haben sie gesehen. Erstellen Sie andere nur, wenn Sie sie nicht \
               aufbewahrt haben.",
        button: "Neue Codes erstellen",
    },
};

/// The set that a form replaces, so that a form that is sent again replaces no other.
const REPLACES: &str = "replaces";

/// `GET /security/codes`
pub(crate) async fn show(
    page: PageRequest,
    factors: UseCase<ReadFactors>,
) -> Result<HttpResponse, Problem> {
    page.show_reauthenticated(page.path(), async |me| {
        let present = present(&factors, me).await?;
        view(&page, me, present, None)
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
        if form.get(REPLACES).unwrap_or_default() != present {
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

/// A mark of the present set; empty if there is none.
async fn present(factors: &UseCase<ReadFactors>, me: &SignedIn) -> Result<String, Problem> {
    let found = factors.get().execute(&me.caller).await?;
    let mark = |codes: RecoveryCodes| URL_SAFE_NO_PAD.encode(Sha256::digest(codes.key.as_bytes()));
    Ok(found.codes.map(mark).unwrap_or_default())
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
