//! `/account/security/remove`: the authenticator app, or a passkey, is removed.

use super::{REMOVE, SECURITY};
use crate::{
    kit::{path_id::path_id, problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        own::done,
        request::{PageRequest, page_url},
        session::SignedIn,
        texts::Localized,
        view::{self, FormPage, FormView},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::{
    model::PasskeyId,
    use_cases::{ManagePasskeys, ManageTotp},
};

struct Words {
    app: &'static str,
    app_text: &'static str,
    passkey: &'static str,
    passkey_text: &'static str,
    button: &'static str,
    last: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        app: "Remove the authenticator app",
        app_text: "Its codes count no more. The recovery codes go with your last app or passkey.",
        passkey: "Remove the passkey",
        passkey_text: "It signs in no more. Delete it on your device, too. The recovery codes go with your last app or passkey.",
        button: "Remove",
        last: "Your account needs it: there is no other way in, or it must have a second factor. Set up another one first.",
    },
    de: Words {
        app: "Authenticator-App entfernen",
        app_text: "Ihre Codes gelten nicht mehr. Mit der letzten App oder dem letzten Passkey gehen auch die Wiederherstellungscodes.",
        passkey: "Passkey entfernen",
        passkey_text: "Sie melden sich damit nicht mehr an. Löschen Sie ihn auch auf Ihrem Gerät. Mit der letzten App oder dem letzten Passkey gehen \
                       auch die Wiederherstellungscodes.",
        button: "Entfernen",
        last: "Ihr Konto braucht das: Es gibt keinen anderen Weg hinein, oder es muss einen zweiten Faktor haben. Richten Sie zuerst etwas anderes ein.",
    },
};

/// `GET /security/remove`, for the app, or with `?passkey=…`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    let passkey = page.parameter("passkey");
    let passkey = passkey.as_deref().map(of).transpose()?;
    page.show_reauthenticated(&back(passkey), async |me| {
        view(&page, me, passkey, None, HttpResponse::Ok().finish())
    })
    .await
}

/// `POST /security/remove`
pub(crate) async fn submit(
    page: PageRequest,
    totp: UseCase<ManageTotp>,
    passkeys: UseCase<ManagePasskeys>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let passkey = form.get("passkey").map(of).transpose()?;
    page.act_for_user(async |me| {
        let caller = me.caller.clone();
        let removed = match passkey {
            Some(id) => {
                passkeys
                    .run(async move |case| case.remove(&caller, id).await)
                    .await?
            }
            None => {
                totp.run(async move |case| case.remove(&caller).await)
                    .await?
            }
        };
        let Err(problem) = removed.map_err(Problem::from) else {
            return Ok(done(SECURITY));
        };
        match problem.code() {
            // A form that is sent twice has removed it the first time.
            "not_found" => Ok(done(SECURITY)),
            "reauthentication_required" => Ok(page.reauthenticate_first(&back(passkey))),
            "last_factor" => {
                let answer = problem.error_response();
                view(&page, me, passkey, Some(&problem), answer)
            }
            _ => Err(problem),
        }
    })
    .await
}

fn of(passkey: &str) -> Result<PasskeyId, Problem> {
    path_id("passkey", passkey)
}

fn back(passkey: Option<PasskeyId>) -> String {
    let page = page_url(REMOVE, None);
    match passkey {
        Some(id) => format!("{page}?passkey={id}"),
        None => page,
    }
}

fn view(
    page: &PageRequest,
    me: &SignedIn,
    passkey: Option<PasskeyId>,
    problem: Option<&Problem>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let words = WORDS.get(me.language);
    let (title, intro) = match passkey {
        Some(_) => (words.passkey, words.passkey_text),
        None => (words.app, words.app_text),
    };
    let mut form = FormView::new(page_url(REMOVE, None), words.button, Vec::new());
    form.alert = problem.map(|_| words.last.into());
    form.is_grave = true;
    form.hidden
        .extend(passkey.map(|id| ("passkey", id.to_string())));
    let view = FormPage {
        frame: page
            .own_frame(me.language, SECURITY)
            .failed_if(problem.is_some()),
        title,
        intro: intro.into(),
        notice: None,
        form,
        links: Vec::new(),
    };
    view::page(answer, &view)
}
