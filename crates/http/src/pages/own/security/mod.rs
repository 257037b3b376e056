//! `/account/security`: what an account has besides its password, and a reset that its user can stop.

pub(crate) mod codes;
pub(crate) mod passkey;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod totp;

use super::{SECURITY, done, title};
use crate::{
    kit::{problem::Problem, use_case::UseCase},
    pages::{
        form::Form,
        request::{PageRequest, page_url},
        session::SignedIn,
        texts::{Localized, Texts},
        view::{self, FormView, Frame, Notice},
    },
};
use actix_web::HttpResponse;
use askama::Template;
use revolve_domain::{
    model::{AccountFactors, Passkey, Timestamp},
    use_cases::{ReadFactors, StopFactorReset},
};

const TOTP: &str = "/security/app";
const PASSKEY: &str = "/security/passkey";
const CODES: &str = "/security/codes";
const REMOVE: &str = "/security/remove";
const RENAME: &str = "/security/rename";

struct Words {
    intro: &'static str,
    needed: &'static str,
    done: &'static str,
    reset: &'static str,
    reset_text: fn(&str) -> String,
    stop: &'static str,
    app: &'static str,
    app_text: &'static str,
    active: &'static str,
    set_up: &'static str,
    passkeys: &'static str,
    passkeys_text: &'static str,
    add: &'static str,
    codes: &'static str,
    codes_text: &'static str,
    no_codes: &'static str,
    unconfirmed: &'static str,
    codes_left: fn(usize) -> String,
    new_codes: &'static str,
    added: fn(&str) -> String,
    used: fn(&str) -> String,
    never_used: &'static str,
    synchronised: &'static str,
    rename: &'static str,
    remove: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        intro: "With one of these, a stolen password alone is not enough to sign in.",
        needed: "Your account needs an authenticator app or a passkey. Set one up to go on.",
        unconfirmed: "Confirm your e-mail address, too: until then, whoever reads its mail can take all of this away.",
        done: "Done. Below is what your account has now.",
        reset: "All of this is to be removed",
        reset_text: |at| {
            format!(
                "Somebody has asked our support to remove your authenticator app, your passkeys and your recovery codes. That happens on {at}. If it was \
                 not you, stop it."
            )
        },
        stop: "Stop it",
        app: "Authenticator app",
        app_text: "An app on your phone shows a code that you type when you sign in.",
        active: "In use",
        set_up: "Set up",
        passkeys: "Passkeys",
        passkeys_text: "You sign in with your finger, your face or the PIN of your device, without a password.",
        add: "Add a passkey",
        codes: "Recovery codes",
        codes_text: "For the day on which the app and the passkeys are lost.",
        no_codes: "You get them with your first app or passkey.",
        codes_left: |left| match left {
            1 => "One is left".to_owned(),
            left => format!("{left} are left"),
        },
        new_codes: "Make new ones",
        added: |day| format!("Added on {day}"),
        used: |at| format!("Last used {at}"),
        never_used: "Not used yet",
        synchronised: "Synchronised",
        rename: "Rename",
        remove: "Remove",
    },
    de: Words {
        intro: "Damit genügt ein gestohlenes Passwort allein nicht, um sich anzumelden.",
        needed: "Ihr Konto braucht eine Authenticator-App oder einen Passkey. Richten Sie etwas davon ein, um weiterzumachen.",
        unconfirmed: "Bestätigen Sie auch Ihre E-Mail-Adresse: Bis dahin kann jeder, der Mails an diese Adresse liest, all das entfernen.",
        done: "Erledigt. Unten steht, was Ihr Konto jetzt hat.",
        reset: "All das soll entfernt werden",
        reset_text: |at| {
            format!(
                "Jemand hat unseren Support gebeten, Ihre Authenticator-App, Ihre Passkeys und Ihre Wiederherstellungscodes zu entfernen. Das \
                 geschieht am {at}. Wenn Sie das nicht waren, halten Sie es auf."
            )
        },
        stop: "Aufhalten",
        app: "Authenticator-App",
        app_text: "Eine App auf Ihrem Telefon zeigt einen Code, den Sie beim Anmelden eingeben.",
        active: "In Gebrauch",
        set_up: "Einrichten",
        passkeys: "Passkeys",
        passkeys_text: "Sie melden sich mit Finger, Gesicht oder der PIN Ihres Geräts an, ohne Passwort.",
        add: "Passkey hinzufügen",
        codes: "Wiederherstellungscodes",
        codes_text: "Für den Tag, an dem die App und die Passkeys verloren sind.",
        no_codes: "Sie bekommen sie mit der ersten App oder dem ersten Passkey.",
        codes_left: |left| match left {
            1 => "Einer ist übrig".to_owned(),
            left => format!("{left} sind übrig"),
        },
        new_codes: "Neue erstellen",
        added: |day| format!("Hinzugefügt am {day}"),
        used: |at| format!("Zuletzt benutzt {at}"),
        never_used: "Noch nicht benutzt",
        synchronised: "Synchronisiert",
        rename: "Umbenennen",
        remove: "Entfernen",
    },
};

#[derive(Template)]
#[template(path = "security.html")]
struct Security<'a> {
    frame: Frame<'a>,
    title: &'static str,
    notice: Option<Notice>,
    intro: &'static str,
    unconfirmed: Option<&'static str>,
    reset: Option<Reset>,
    parts: [Part; 3],
}

/// A reset that waits.
struct Reset {
    title: &'static str,
    text: String,
    form: FormView,
}

/// A kind of factor.
struct Part {
    id: &'static str,
    title: &'static str,
    text: &'static str,
    rows: Vec<Row>,
    action: Option<Action>,
}

struct Row {
    name: String,
    lines: Vec<String>,
    actions: Vec<Action>,
}

struct Action {
    href: String,
    text: &'static str,
}

/// `GET /security`
pub(crate) async fn show(
    page: PageRequest,
    use_case: UseCase<ReadFactors>,
) -> Result<HttpResponse, Problem> {
    page.show_user(async |me| {
        let factors = use_case.get().execute(&me.caller).await?;
        view(&page, me, &factors)
    })
    .await
}

/// `POST /security`: stops the reset that an operator has ordered.
pub(crate) async fn submit(
    page: PageRequest,
    use_case: UseCase<StopFactorReset>,
    _: Form,
) -> Result<HttpResponse, Problem> {
    page.act_for_user(async |me| {
        let caller = me.caller.clone();
        let stopped = use_case
            .run(async move |case| case.in_session(&caller).await)
            .await?;
        match stopped.map_err(Problem::from) {
            // A form that is sent twice has stopped it the first time.
            Err(problem) if problem.code() != "not_found" => Err(problem),
            _ => Ok(done(SECURITY)),
        }
    })
    .await
}

/// The page that removes or renames something, by its query.
fn about(page: &str, passkey: &Passkey) -> String {
    format!("{}?passkey={}", page_url(page, None), passkey.id)
}

fn instant(texts: &Texts, at: Timestamp) -> String {
    texts.instant(at.to_datetime())
}

fn day(texts: &Texts, at: Timestamp) -> String {
    texts.day(at.to_datetime())
}

fn view(
    page: &PageRequest,
    me: &SignedIn,
    factors: &AccountFactors,
) -> Result<HttpResponse, Problem> {
    let (words, texts) = (WORDS.get(me.language), me.language.texts());
    let needed = page.needs_set_up(me).then(|| Notice::warning(words.needed));
    let is_done = page.is_done().then(|| Notice::done(words.done));
    let is_confirmed = me.user.email_verified_at.is_some();
    let is_weak = page.settings.options.mail && factors.set_up().any() && !is_confirmed;
    let reset = factors.reset.map(|reset| Reset {
        title: words.reset,
        text: (words.reset_text)(&instant(texts, reset.due_at)),
        form: FormView::new(page_url(SECURITY, None), words.stop, Vec::new()),
    });
    let view = Security {
        frame: page.own_frame(me.language, SECURITY),
        title: title(SECURITY, me.language),
        notice: needed.or(is_done),
        intro: words.intro,
        unconfirmed: is_weak.then_some(words.unconfirmed),
        reset,
        parts: [
            app(words, texts, factors),
            passkeys(words, texts, factors),
            codes(words, texts, factors),
        ],
    };
    view::page(HttpResponse::Ok().finish(), &view)
}

impl Action {
    fn to(page: &str, text: &'static str) -> Self {
        let href = page_url(page, None);
        Self { href, text }
    }
}

fn app(words: &Words, texts: &Texts, factors: &AccountFactors) -> Part {
    let row = factors.confirmed_totp().map(|totp| Row {
        name: words.active.to_owned(),
        lines: totp
            .confirmed_at
            .map(|at| (words.added)(&day(texts, at)))
            .into_iter()
            .collect(),
        actions: vec![Action::to(REMOVE, words.remove)],
    });
    let set_up = row.is_none().then(|| Action::to(TOTP, words.set_up));
    Part {
        id: "app",
        title: words.app,
        text: words.app_text,
        rows: row.into_iter().collect(),
        action: set_up,
    }
}

fn passkeys(words: &Words, texts: &Texts, factors: &AccountFactors) -> Part {
    let rows = factors.passkeys.iter().map(|passkey| {
        let used = passkey.used_at.map_or_else(
            || words.never_used.to_owned(),
            |at| (words.used)(&instant(texts, at)),
        );
        let added = (words.added)(&day(texts, passkey.created_at));
        let is_copied = passkey.credential.backed_up;
        let copied = is_copied.then(|| words.synchronised.to_owned());
        let action = |path, text| Action {
            href: about(path, passkey),
            text,
        };
        Row {
            name: passkey.name.as_str().to_owned(),
            lines: [added, used].into_iter().chain(copied).collect(),
            actions: vec![action(RENAME, words.rename), action(REMOVE, words.remove)],
        }
    });
    Part {
        id: "passkeys",
        title: words.passkeys,
        text: words.passkeys_text,
        rows: rows.collect(),
        action: Some(Action::to(PASSKEY, words.add)),
    }
}

fn codes(words: &Words, texts: &Texts, factors: &AccountFactors) -> Part {
    let row = factors.codes.as_ref().map(|codes| Row {
        name: (words.codes_left)(factors.codes_left()),
        lines: vec![(words.added)(&day(texts, codes.created_at))],
        actions: Vec::new(),
    });
    let new = factors.set_up().any();
    Part {
        id: "codes",
        title: words.codes,
        text: if new {
            words.codes_text
        } else {
            words.no_codes
        },
        rows: row.into_iter().collect(),
        action: new.then(|| Action::to(CODES, words.new_codes)),
    }
}
