//! `/account/security/app`: an authenticator app is set up, by a QR code and the first code that the app shows.

use super::{SECURITY, TOTP};
use crate::{
    kit::{factor::one_time_code, problem::Problem, use_case::UseCase},
    pages::{
        codes,
        fields::can_be_sent_again,
        form::Form,
        own::done,
        request::{PageRequest, page_url, see, with_cookies},
        session::SignedIn,
        texts::Localized,
        view::{self, FormPage, FormView, Frame, Notice},
    },
};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use revolve_domain::use_cases::{ManageTotp, NewTotp, ReadFactors};
use secrecy::{ExposeSecret, SecretString};

/// No app waits for this code.
const GONE: &str = "challenge_gone";

struct Words {
    title: &'static str,
    intro: &'static str,
    begin: &'static str,
    scan: &'static str,
    picture: &'static str,
    by_hand: &'static str,
    open: &'static str,
    button: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        title: "Set up an authenticator app",
        intro: "You need an app on your phone that shows one-time codes; password managers have one, too.",
        begin: "Show the QR code",
        scan: "Scan the QR code with the app, then enter the code that it shows.",
        picture: "QR code for your authenticator app",
        by_hand: "If you can't scan it, enter this key:",
        open: "Open in an app on this device",
        button: "Set up",
    },
    de: Words {
        title: "Authenticator-App einrichten",
        intro: "Sie brauchen eine App auf Ihrem Telefon, die Einmalcodes anzeigt; auch Passwortmanager können das.",
        begin: "QR-Code anzeigen",
        scan: "Scannen Sie den QR-Code mit der App, und geben Sie dann den Code ein, den sie anzeigt.",
        picture: "QR-Code für Ihre Authenticator-App",
        by_hand: "Wenn Sie ihn nicht scannen können, geben Sie diesen Schlüssel ein:",
        open: "In einer App auf diesem Gerät öffnen",
        button: "Einrichten",
    },
};

#[derive(Template)]
#[template(path = "app.html")]
struct App<'a> {
    frame: Frame<'a>,
    title: &'static str,
    notice: Option<Notice>,
    intro: &'static str,
    words: &'static Words,
    /// In groups, as it is typed.
    secret: String,
    uri: &'a str,
    /// An `<svg>` element of this service.
    qr_code: &'a str,
    form: FormView,
}

/// `GET /security/app`
pub(crate) async fn show(page: PageRequest) -> Result<HttpResponse, Problem> {
    page.show_reauthenticated(page.path(), async |me| {
        let words = WORDS.get(me.language);
        let view = FormPage {
            frame: page.own_frame(me.language, SECURITY),
            title: words.title,
            intro: words.intro.into(),
            notice: None,
            form: FormView::new(page.path(), words.begin, Vec::new()),
            links: Vec::new(),
        };
        view::page(HttpResponse::Ok().finish(), &view)
    })
    .await
}

/// `POST /security/app`: shows the QR code, and takes the first code.
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<ManageTotp>,
    factors: UseCase<ReadFactors>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let outcome = async |me: &SignedIn| {
        let Some(shown) = form.get("secret") else {
            let caller = me.caller.clone();
            let enrolment = use_case
                .clone()
                .run(async move |case| case.set_up(&caller).await)
                .await??;
            return view(&page, me, &enrolment, None, HttpResponse::Ok().finish());
        };
        match confirm(&page, me, use_case.clone(), &form).await {
            Err(problem) if is_wrong(&problem) => {
                let shown = SecretString::from(shown);
                let enrolment = use_case.get().waiting(&me.caller, &shown).await?;
                let answer = problem.error_response();
                view(&page, me, &enrolment, Some(&problem), answer)
            }
            outcome => outcome,
        }
    };
    page.act_for_user(async |me| {
        let problem = match outcome(me).await {
            Ok(answer) => return Ok(answer),
            Err(problem) => problem,
        };
        // The same form may have ended the reauthentication before: its answer was reloaded.
        let is_unproved = problem.code() == "reauthentication_required";
        if is_unproved && !is_set_up(&factors, me).await? {
            return Ok(page.reauthenticate_first(page.path()));
        }
        // Another tab, another session or the same form was faster.
        if is_unproved || matches!(problem.code(), "already_set_up" | GONE) {
            return Ok(see(&page_url(SECURITY, None)));
        }
        Err(problem)
    })
    .await
}

/// Whether another code may be right.
fn is_wrong(problem: &Problem) -> bool {
    !matches!(problem.code(), GONE | "reauthentication_required")
        && can_be_sent_again(problem, &["totp"])
}

async fn is_set_up(factors: &UseCase<ReadFactors>, me: &SignedIn) -> Result<bool, Problem> {
    let found = factors.get().execute(&me.caller).await?;
    Ok(found.confirmed_totp().is_some())
}

async fn confirm(
    page: &PageRequest,
    me: &SignedIn,
    use_case: UseCase<ManageTotp>,
    form: &Form,
) -> Result<HttpResponse, Problem> {
    let mut body = form.only(&["totp"])?;
    let code = body.secret("totp", one_time_code);
    let (caller, code) = (me.caller.clone(), body.finish(code)?);
    let codes = use_case
        .run(async move |case| case.confirm(&caller, &code).await)
        .await??;
    let Some(codes) = codes else {
        return Ok(done(SECURITY));
    };
    let frame = page.own_frame(me.language, SECURITY);
    let shown = codes::page(frame, me.language, &codes, &page_url(SECURITY, None))?;
    // The first factor has ended what was shown before.
    with_cookies(shown, &page.reauthentication.clear())
}

/// A key in groups of four characters.
fn grouped(secret: &str) -> String {
    let characters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = characters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

fn view(
    page: &PageRequest,
    me: &SignedIn,
    enrolment: &NewTotp,
    problem: Option<&Problem>,
    answer: HttpResponse,
) -> Result<HttpResponse, Problem> {
    let (words, typed) = (WORDS.get(me.language), Form::default());
    let secret = enrolment.secret.expose_secret();
    let fields = page.fields(me.language, &typed, problem);
    let mut form = FormView::new(page_url(TOTP, None), words.button, vec![fields.totp()]);
    form.alert = fields.alert();
    form.hidden = vec![("secret", secret.to_owned())];
    let view = App {
        frame: page
            .own_frame(me.language, SECURITY)
            .failed_if(problem.is_some()),
        title: words.title,
        notice: None,
        intro: words.scan,
        words,
        secret: grouped(secret),
        uri: enrolment.uri.expose_secret(),
        qr_code: enrolment.qr_code.expose_secret(),
        form,
    };
    view::page(answer, &view)
}
