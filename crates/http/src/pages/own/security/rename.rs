//! `/account/security/rename`: another name for a passkey.

use super::{RENAME, SECURITY};
use crate::{
    kit::{factor::passkey_name, path_id::path_id, problem::Problem, use_case::UseCase},
    pages::{
        fields::{Field, Kind},
        form::Form,
        own::done,
        request::{PageRequest, page_url},
        session::SignedIn,
        texts::{Language, Localized},
        view::{self, FormPage, FormView},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::{
    model::PasskeyId,
    use_cases::{ManagePasskeys, ReadFactors},
};

struct Words {
    title: &'static str,
    name: &'static str,
    button: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Rename the passkey",
        name: "Name",
        button: "Save",
    },
    de: Words {
        title: "Passkey umbenennen",
        name: "Name",
        button: "Speichern",
    },
};

/// `GET /security/rename?passkey=…`
pub(crate) async fn show(
    page: PageRequest,
    use_case: UseCase<ReadFactors>,
) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let id: PasskeyId = path_id("passkey", &page.parameter("passkey").unwrap_or_default())?;
        let factors = use_case.get().execute(&me.caller).await?;
        let passkey = factors.passkey(id);
        let passkey = passkey.ok_or_else(|| Problem::not_found("You have no such passkey."))?;
        let (typed, answer) = (Form::default(), HttpResponse::Ok().finish());
        let named = Some(passkey.name.as_str());
        view(
            &page,
            me.language,
            &id.to_string(),
            named,
            (&typed, None),
            answer,
        )
    })
    .await
}

/// `POST /security/rename`
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ManagePasskeys>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let passkey = form.get("passkey").unwrap_or_default();
    page.for_user(
        &["name"],
        async |me: &SignedIn| {
            let id: PasskeyId = path_id("passkey", passkey)?;
            let mut body = form.only(&["name"])?;
            let name = body.required("name", passkey_name);
            let (caller, name) = (me.caller.clone(), body.finish(name)?);
            use_case
                .run(async move |case| case.rename(&caller, id, name).await)
                .await??;
            Ok(done(SECURITY))
        },
        |me, problem| {
            let (language, answer) = (page.reads(me), problem.error_response());
            view(
                &page,
                language,
                passkey,
                None,
                (&form, Some(problem)),
                answer,
            )
        },
    )
    .await
}

fn view(
    page: &PageRequest,
    language: Language,
    passkey: &str,
    stored: Option<&str>,
    (typed, problem): (&Form, Option<&Problem>),
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let words = WORDS.get(language);
    let fields = page.fields(language, typed, problem);
    let mut name = fields.stored(Field::new("name", words.name, Kind::Text, "off"), stored);
    name.required = true;
    let mut form = FormView::new(page_url(RENAME, None), words.button, vec![name]);
    form.alert = fields.alert();
    form.hidden.push(("passkey", passkey.to_owned()));
    let view = FormPage {
        frame: page
            .own_frame(language, SECURITY)
            .failed_if(problem.is_some()),
        title: words.title,
        intro: "".into(),
        notice: None,
        form,
        links: Vec::new(),
    };
    view::page(answer, &view)
}
