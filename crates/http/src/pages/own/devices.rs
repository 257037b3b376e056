//! `/account/devices`: where the account is signed in, and signing out there.

use super::{DEVICES, done, title};
use crate::{
    kit::{path_id::path_id, problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        request::PageRequest,
        session::Farewell,
        texts::{Language, Localized},
        view::{self, Frame, Notice},
    },
    sessions::scope_of,
};
use actix_web::HttpResponse;
use askama::Template;
use revolve_domain::{
    model::{Label, SessionId},
    use_cases::{EndSession, EndSessionError, ListSessions, SessionView, SignOut, SignOutScope},
};

struct Words {
    intro: &'static str,
    this: &'static str,
    unknown: &'static str,
    used: &'static str,
    signed_in: &'static str,
    end: &'static str,
    more: &'static str,
    more_text: &'static str,
    others: &'static str,
    everywhere: &'static str,
    done: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        intro: "Your account is signed in on these devices. If you do not know one of them, sign it out and change your password.",
        this: "This device",
        unknown: "Unknown device",
        used: "Last used",
        signed_in: "Signed in",
        end: "Sign out",
        more: "Sign out elsewhere",
        more_text: "Whoever is signed out has to sign in again to go on.",
        others: "All other devices",
        everywhere: "Everywhere, here too",
        done: "The device is signed out.",
    },
    de: Words {
        intro: "Auf diesen Geräten ist Ihr Konto angemeldet. Wenn Sie eines davon nicht kennen, melden Sie es ab, und ändern Sie Ihr Passwort.",
        this: "Dieses Gerät",
        unknown: "Unbekanntes Gerät",
        used: "Zuletzt benutzt",
        signed_in: "Angemeldet",
        end: "Abmelden",
        more: "Anderswo abmelden",
        more_text: "Wer abgemeldet ist, muss sich neu anmelden, um weiterzumachen.",
        others: "Alle anderen Geräte",
        everywhere: "Überall, auch hier",
        done: "Das Gerät ist abgemeldet.",
    },
};

#[derive(Template)]
#[template(path = "devices.html")]
struct Shown<'a> {
    frame: Frame<'a>,
    title: &'static str,
    notice: Option<Notice>,
    intro: &'static str,
    texts: &'static Words,
    devices: Vec<Device<'a>>,
}

/// A device with its session.
struct Device<'a> {
    session: SessionId,
    name: &'a str,
    is_current: bool,
    lines: Vec<String>,
}

impl<'a> Device<'a> {
    fn new(view: &'a SessionView, language: Language) -> Self {
        let (words, texts) = (WORDS.get(language), language.texts());
        let session = &view.session;
        let name = session.device_label().map(Label::as_str);
        let used = texts.instant(view.refreshed_at.to_datetime());
        let began = texts.day(session.began_at.to_datetime());
        let address = session.client.address.map(|address| address.to_string());
        let lines = [
            format!("{} {used}", words.used),
            format!("{} {began}", words.signed_in),
        ];
        Self {
            session: session.id,
            name: name.unwrap_or(words.unknown),
            is_current: view.current,
            lines: lines.into_iter().chain(address).collect(),
        }
    }
}

/// `GET /devices`
pub(crate) async fn show(
    page: PageRequest,
    use_case: UseCase<ListSessions>,
) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let sessions = use_case.get().execute(&me.caller).await?;
        let words = WORDS.get(me.language);
        let devices = sessions.iter().map(|view| Device::new(view, me.language));
        let view = Shown {
            frame: page.own_frame(me.language, DEVICES),
            title: title(DEVICES, me.language),
            notice: page.is_done().then_some(Notice::done(words.done)),
            intro: words.intro,
            texts: words,
            devices: devices.collect(),
        };
        view::page(HttpResponse::Ok().finish(), &view)
    })
    .await
}

/// `POST /devices`: one of them, the others or all are signed out.
pub(crate) async fn submit(
    page: PageRequest,
    end: UseCase<EndSession>,
    sign_out: UseCase<SignOut>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let caller = me.caller.clone();
        let is_here = if let Some(session) = form.get("session") {
            let session: SessionId = path_id("session", session)?;
            let ended = end.run(async move |case| case.execute(&caller, session).await);
            match ended.await? {
                // Signed out is what it was to be.
                Ok(()) | Err(EndSessionError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
            session == me.session
        } else {
            let scope = scope_of(form.body())?;
            let ended = sign_out.run(async move |case| case.execute(&caller, scope).await);
            ended.await??;
            scope != SignOutScope::Others
        };
        if is_here {
            page.leave(Some(Farewell::SignedOut), None, true)
        } else {
            Ok(done(DEVICES))
        }
    })
    .await
}
