//! `/account/security/passkey`: a passkey is added.

use super::{PASSKEY, SECURITY};
use crate::{
    kit::{
        factor::{ChallengeAnswer, challenge, credential, passkey_name},
        problem::Problem,
        use_case::UseCase,
    },
    pages::{
        codes,
        fields::{Field, Kind, can_be_sent_again},
        form::Form,
        own::done,
        passkey::{PasskeyButton, Purpose},
        request::{PageRequest, page_url, with_cookies},
        session::SignedIn,
        texts::Localized,
        view::{self, FormPage, FormView},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::use_cases::{ManagePasskeys, NewPasskey};

struct Words {
    title: &'static str,
    intro: &'static str,
    name: &'static str,
    hint: &'static str,
    too_many: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Add a passkey",
        intro: "Your browser asks for your finger, your face or the PIN of the device. From then on you sign in with that.",
        name: "Name",
        hint: "For your list, such as \"Phone\". You can leave it empty.",
        too_many: "Your account has as many passkeys as it may have. Remove one first.",
    },
    de: Words {
        title: "Passkey hinzufügen",
        intro: "Ihr Browser fragt nach Finger, Gesicht oder der PIN des Geräts. Von da an melden Sie sich damit an.",
        name: "Name",
        hint: "Für Ihre Liste, zum Beispiel „Telefon“. Das Feld kann leer bleiben.",
        too_many: "Ihr Konto hat so viele Passkeys, wie es haben darf. Entfernen Sie zuerst einen.",
    },
};

/// `GET /security/passkey`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show_reauthenticated(page.path(), async |me| {
        let answer = HttpResponse::Ok().finish();
        view(&page, me, &Form::default(), None, answer)
    })
    .await
}

/// `POST /security/passkey`: what the browser has made.
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ManagePasskeys>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.act_for_user(async |me| match add(&page, me, use_case, &form).await {
        Err(problem) if problem.code() == "reauthentication_required" => {
            Ok(page.reauthenticate_first(page.path()))
        }
        Err(problem)
            if can_be_sent_again(&problem, &["name"]) || problem.code() == "too_many_passkeys" =>
        {
            view(&page, me, &form, Some(&problem), problem.error_response())
        }
        outcome => outcome,
    })
    .await
}

/// `POST /security/passkey/options`: a challenge for the module.
pub(crate) async fn options(
    page: PageRequest,
    use_case: UseCase<ManagePasskeys>,
) -> Result<HttpResponse, Problem> {
    page.act_for_user(async |me| {
        let caller = me.caller.clone();
        let begun = use_case
            .run(async move |case| case.begin(&caller).await)
            .await??;
        Ok(HttpResponse::Ok().json(ChallengeAnswer::from(&begun)))
    })
    .await
}

async fn add(
    page: &PageRequest,
    me: &SignedIn,
    use_case: UseCase<ManagePasskeys>,
    form: &Form,
) -> Result<HttpResponse, Problem> {
    let mut body = form.only(&["challenge", "credential", "name"])?;
    let (challenge, credential) = (challenge(&mut body), credential(&mut body));
    let name = body.optional("name", passkey_name);
    let (challenge, credential) = body.finish(challenge.zip(credential))?;
    let new = NewPasskey {
        challenge,
        credential,
        name,
    };
    let caller = me.caller.clone();
    let added = use_case
        .run(async move |case| case.add(&caller, new).await)
        .await??;
    let Some(codes) = added.codes else {
        return Ok(done(SECURITY));
    };
    let frame = page.own_frame(me.language, SECURITY);
    let shown = codes::page(frame, me.language, &codes, &page_url(SECURITY, None))?;
    // The first factor has ended what was shown before.
    with_cookies(shown, &page.reauthentication.clear())
}

fn view(
    page: &PageRequest,
    me: &SignedIn,
    typed: &Form,
    problem: Option<&Problem>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let words = WORDS.get(me.language);
    let fields = page.fields(me.language, typed, problem);
    let name = fields.filled(Field {
        hint: words.hint.into(),
        required: false,
        ..Field::new("name", words.name, Kind::Text, "off")
    });
    let is_full = problem.is_some_and(|problem| problem.code() == "too_many_passkeys");
    let too_many = is_full.then(|| words.too_many.into());
    let form = FormView {
        alert: too_many.or_else(|| fields.alert()),
        passkey: Some(PasskeyButton {
            is_alone: true,
            ..PasskeyButton::new(Purpose::Add, me.language)
        }),
        ..FormView::new(page_url(PASSKEY, None), "", vec![name])
    };
    let view = FormPage {
        frame: page
            .own_frame(me.language, SECURITY)
            .failed_if(problem.is_some()),
        title: words.title,
        intro: words.intro.into(),
        notice: None,
        form,
        links: Vec::new(),
    };
    view::form_page(answer, view, &page.settings)
}
