//! The pages of an account, for its user.

pub(crate) mod activity;
pub(crate) mod delete;
pub(crate) mod devices;
mod events;
pub(crate) mod export;
pub(crate) mod home;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod reauthenticate;
pub(crate) mod security;
pub(crate) mod sign_out;

use super::{
    BASE,
    fields::{Field, Fields},
    request::{DONE, PageRequest, see},
    session::SignedIn,
    texts::{Language, Localized},
    view::{Frame, NavItem, OwnFrame},
};
use crate::kit::problem::Problem;
use actix_web::HttpResponse;

/// A page in the list of an account's pages.
struct Entry {
    /// Its path below [`BASE`].
    path: &'static str,
    title: Localized<&'static str>,
    text: Localized<&'static str>,
}

const HOME: &str = "";
const PROFILE: &str = "/profile";
const PASSWORD: &str = "/password";
pub(super) const DEVICES: &str = "/devices";
const ACTIVITY: &str = "/activity";
const EXPORT: &str = "/export";
pub(super) const DELETE: &str = "/delete";
pub(super) const SECURITY: &str = "/security";
/// Those that are not in the list.
pub(super) const REAUTHENTICATE: &str = "/reauthenticate";
pub(super) const SIGN_OUT: &str = "/signout";

/// In the order in which they are listed, the one that leads to the others first.
static ENTRIES: [Entry; 8] = [
    Entry {
        path: HOME,
        title: Localized {
            en: "Overview",
            de: "Übersicht",
        },
        text: Localized { en: "", de: "" },
    },
    Entry {
        path: PROFILE,
        title: Localized {
            en: "Profile",
            de: "Profil",
        },
        text: Localized {
            en: "Your name, your e-mail address and your language",
            de: "Ihr Name, Ihre E-Mail-Adresse und Ihre Sprache",
        },
    },
    Entry {
        path: PASSWORD,
        title: Localized {
            en: "Password",
            de: "Passwort",
        },
        text: Localized {
            en: "Choose another one",
            de: "Ein anderes wählen",
        },
    },
    Entry {
        path: SECURITY,
        title: Localized {
            en: "Security",
            de: "Sicherheit",
        },
        text: Localized {
            en: "Authenticator app, passkeys and recovery codes",
            de: "Authenticator-App, Passkeys und Wiederherstellungscodes",
        },
    },
    Entry {
        path: DEVICES,
        title: Localized {
            en: "Devices",
            de: "Geräte",
        },
        text: Localized {
            en: "Where you are signed in, and how to sign out there",
            de: "Wo Sie angemeldet sind, und wie Sie sich dort abmelden",
        },
    },
    Entry {
        path: ACTIVITY,
        title: Localized {
            en: "Activity",
            de: "Aktivität",
        },
        text: Localized {
            en: "What happened to your account",
            de: "Was mit Ihrem Konto geschehen ist",
        },
    },
    Entry {
        path: EXPORT,
        title: Localized {
            en: "Your data",
            de: "Ihre Daten",
        },
        text: Localized {
            en: "All that is stored about you, as a file",
            de: "Alles, was über Sie gespeichert ist, als Datei",
        },
    },
    Entry {
        path: DELETE,
        title: Localized {
            en: "Delete account",
            de: "Konto löschen",
        },
        text: Localized {
            en: "For good",
            de: "Endgültig",
        },
    },
];

impl Entry {
    fn url(&self) -> String {
        format!("{BASE}{}", self.path)
    }
}

/// The title of a page in the list.
fn title(path: &str, language: Language) -> &'static str {
    let found = ENTRIES.iter().find(|entry| entry.path == path);
    found.map_or("", |entry| *entry.title.get(language))
}

impl PageRequest {
    /// In which language somebody reads; where their session is not known, as their browser says.
    fn reads(&self, me: Option<&SignedIn>) -> Language {
        me.map_or(self.language, |me| me.language)
    }

    /// What is around a page of an account.
    fn own_frame(&self, language: Language, path: &str) -> Frame<'_> {
        let nav = ENTRIES.iter().map(|entry| NavItem {
            href: entry.url(),
            text: entry.title.get(language),
            is_current: entry.path == path,
        });
        Frame::new(language, &self.settings).own(OwnFrame {
            nav: nav.collect(),
            is_home: path == HOME,
        })
    }
}

/// The field for what is sensitive. Who has reauthenticated a moment ago is not asked again.
fn asked_again(me: Option<&SignedIn>, fields: &Fields<'_>) -> Option<Field> {
    let code = fields.problem.map(Problem::code);
    let counts = !matches!(code, Some("reauthentication_required" | "wrong_password"));
    let is_asked = !(counts && me.is_some_and(SignedIn::has_reauthenticated));
    is_asked.then(|| fields.current_password())
}

/// To a page that says that its form was carried out.
pub(super) fn done(path: &str) -> HttpResponse {
    see(&format!("{BASE}{path}?{DONE}"))
}
