//! What the pages say, in each language: the words that they share. What a page says of itself is in its own file.

use actix_web::{
    HttpMessage,
    http::header::{AcceptLanguage, Header},
};

/// A language that pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

impl Language {
    /// The one that the reader prefers (RFC 9110 §12.5.4); English for those who read none of them.
    pub(super) fn of(request: &impl HttpMessage) -> Self {
        let accepted = AcceptLanguage::parse(request).ok();
        let ranked = accepted.iter().flat_map(AcceptLanguage::ranked);
        let mut known = ranked.filter_map(|language| match language.item()?.primary_language() {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            _ => None,
        });
        known.next().unwrap_or(Self::English)
    }

    /// The shared words.
    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }
}

/// The same in each language.
pub(super) struct Localized<T> {
    pub(super) en: T,
    pub(super) de: T,
}

impl<T> Localized<T> {
    pub(super) fn get(&self, language: Language) -> &T {
        match language {
            Language::English => &self.en,
            Language::German => &self.de,
        }
    }
}

/// A page without a form.
pub(super) struct Message {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

/// The words that pages share.
pub(super) struct Texts {
    /// The language's tag (RFC 5646).
    pub(super) tag: &'static str,
    /// Before the title of a page with a mistake.
    pub(super) error: &'static str,
    /// Before a request's id.
    pub(super) request: &'static str,

    pub(super) code: &'static str,
    pub(super) code_hint: &'static str,
    pub(super) code_perhaps: &'static str,
    pub(super) code_away_from_change: &'static str,
    pub(super) code_missing: &'static str,
    pub(super) code_invalid: &'static str,
    pub(super) code_wrong: fn(u32) -> String,

    pub(super) password: &'static str,
    pub(super) password_hint: &'static str,
    pub(super) password_missing: &'static str,
    pub(super) password_wrong: &'static str,

    pub(super) new_password: &'static str,
    pub(super) new_password_hint: fn(usize) -> String,
    pub(super) new_password_missing: &'static str,
    pub(super) too_short: fn(usize) -> String,
    pub(super) too_long: &'static str,
    pub(super) too_common: &'static str,
    pub(super) own_details: &'static str,
    pub(super) unusable: &'static str,

    /// The link was opened in another browser than the one that asked for the mail.
    pub(super) elsewhere: &'static str,
    pub(super) elsewhere_with_password: &'static str,
    /// Nobody has asked for the mail, and what it tells of was asked for in another browser.
    pub(super) away_from_change: &'static str,
    /// The address changes by the account's password.
    pub(super) owner: &'static str,
    pub(super) limited: fn(u64) -> String,
    pub(super) unavailable: &'static str,

    pub(super) gone: Message,
    pub(super) no_attempts: Message,
    pub(super) incomplete: Message,
    pub(super) taken: Message,
    pub(super) foreign: Message,
    pub(super) not_found: Message,
    pub(super) down: Message,
    pub(super) refused: Message,
    pub(super) failed: Message,
}

impl Texts {
    /// The page that stands for a problem with this code, where there is no form to show it in.
    pub(super) fn problem(&self, code: &str, status: u16) -> &Message {
        match (code, status) {
            ("proof_gone", _) => &self.gone,
            ("code_wrong", _) => &self.no_attempts,
            ("invalid_fields", _) => &self.incomplete,
            ("email_taken", _) => &self.taken,
            ("csrf_refused", _) => &self.foreign,
            (_, 404) => &self.not_found,
            (_, 503) => &self.down,
            (_, 500..) => &self.failed,
            _ => &self.refused,
        }
    }
}

static ENGLISH: Texts = Texts {
    tag: "en",
    error: "Error",
    request: "Request",

    code: "Code from the mail",
    code_hint: "Six digits.",
    code_perhaps: "Six digits. Only needed if you asked for the mail in another browser.",
    code_away_from_change: "Six digits. Only needed if the address was changed in another browser.",
    code_missing: "Enter the code from the mail.",
    code_invalid: "The code has six digits and nothing else.",
    code_wrong: |left| match left {
        1 => "The code is wrong. You can try once more.".to_owned(),
        left => format!("The code is wrong. You can try {left} more times."),
    },

    password: "Your password",
    password_hint: "The password of the account.",
    password_missing: "Enter the password of the account.",
    password_wrong: "The password is wrong.",

    new_password: "New password",
    new_password_hint: |least| {
        format!(
            "At least {least} characters. A few unrelated words are hard to guess and easy to remember."
        )
    },
    new_password_missing: "Enter a new password.",
    too_short: |least| format!("It needs at least {least} characters."),
    too_long: "It is too long.",
    too_common: "It is easy to guess. Choose a less common one.",
    own_details: "It contains what others know of you, such as your address. Choose another one.",
    unusable: "It has characters that cannot be used.",

    elsewhere: "This is not the browser in which you asked for the mail, so the link alone is not enough. Enter the code from the mail.",
    elsewhere_with_password: "This is not the browser in which you asked for the mail, so the link alone is not enough. Enter the code from the mail and the password of the account.",
    away_from_change: "The address was not changed in this browser, so the link alone is not enough. Enter the code from the mail.",
    owner: "Enter the password of the account.",
    limited: |seconds| match seconds.div_ceil(60) {
        0 | 1 => "There were too many attempts. Try again in a minute.".to_owned(),
        minutes => format!("There were too many attempts. Try again in {minutes} minutes."),
    },
    unavailable: "The service can't do this at the moment. Try again in a moment.",

    gone: Message {
        title: "This link is no longer valid",
        text: "It was used already, has expired, or a newer one has replaced it. Ask for another one where you asked for this one. If you got it unasked, ask whoever sent it.",
    },
    no_attempts: Message {
        title: "The code was wrong too often",
        text: "This mail can't be used any more. Ask for another one where you asked for it.",
    },
    incomplete: Message {
        title: "This link is incomplete",
        text: "Open it once more from the mail, or copy the whole of it.",
    },
    taken: Message {
        title: "The address is taken",
        text: "Another account has this e-mail address by now. If you read its mails, you can ask for a new password for that account, and delete it if you don't want it.",
    },
    foreign: Message {
        title: "This form was not sent from this page",
        text: "Nothing was changed. Open the link from the mail, and send the form from there.",
    },
    not_found: Message {
        title: "There is no such page",
        text: "Open the link from the mail once more, or copy the whole of it.",
    },
    down: Message {
        title: "The service is not available",
        text: "Open the link from the mail again in a moment.",
    },
    refused: Message {
        title: "This request can't be carried out",
        text: "Nothing was changed. Open the link from the mail, and send the form from there.",
    },
    failed: Message {
        title: "Something went wrong here",
        text: "Open the link from the mail again. If this happens once more, tell the operators the number below.",
    },
};

static GERMAN: Texts = Texts {
    tag: "de",
    error: "Fehler",
    request: "Anfrage",

    code: "Code aus der E-Mail",
    code_hint: "Sechs Ziffern.",
    code_perhaps: "Sechs Ziffern. Nur nötig, wenn Sie die E-Mail in einem anderen Browser angefordert haben.",
    code_away_from_change: "Sechs Ziffern. Nur nötig, wenn die Adresse in einem anderen Browser geändert wurde.",
    code_missing: "Geben Sie den Code aus der E-Mail ein.",
    code_invalid: "Der Code besteht aus sechs Ziffern.",
    code_wrong: |left| match left {
        1 => "Der Code ist falsch. Sie haben noch einen Versuch.".to_owned(),
        left => format!("Der Code ist falsch. Sie haben noch {left} Versuche."),
    },

    password: "Ihr Passwort",
    password_hint: "Das Passwort des Kontos.",
    password_missing: "Geben Sie das Passwort des Kontos ein.",
    password_wrong: "Das Passwort ist falsch.",

    new_password: "Neues Passwort",
    new_password_hint: |least| {
        format!(
            "Mindestens {least} Zeichen. Einige Wörter ohne Zusammenhang sind schwer zu erraten und leicht zu merken."
        )
    },
    new_password_missing: "Geben Sie ein neues Passwort ein.",
    too_short: |least| format!("Es braucht mindestens {least} Zeichen."),
    too_long: "Es ist zu lang.",
    too_common: "Es ist leicht zu erraten. Wählen Sie ein weniger gebräuchliches.",
    own_details: "Es enthält, was andere von Ihnen wissen, zum Beispiel Ihre Adresse. Wählen Sie ein anderes.",
    unusable: "Es enthält Zeichen, die nicht verwendet werden können.",

    elsewhere: "In diesem Browser haben Sie die E-Mail nicht angefordert, deshalb genügt der Link allein nicht. Geben Sie den Code aus der E-Mail ein.",
    elsewhere_with_password: "In diesem Browser haben Sie die E-Mail nicht angefordert, deshalb genügt der Link allein nicht. Geben Sie den Code aus der E-Mail und das Passwort des Kontos ein.",
    away_from_change: "Die Adresse wurde nicht in diesem Browser geändert, deshalb genügt der Link allein nicht. Geben Sie den Code aus der E-Mail ein.",
    owner: "Geben Sie das Passwort des Kontos ein.",
    limited: |seconds| match seconds.div_ceil(60) {
        0 | 1 => "Das waren zu viele Versuche. Versuchen Sie es in einer Minute wieder.".to_owned(),
        minutes => {
            format!("Das waren zu viele Versuche. Versuchen Sie es in {minutes} Minuten wieder.")
        }
    },
    unavailable: "Der Dienst kann das gerade nicht ausführen. Versuchen Sie es gleich noch einmal.",

    gone: Message {
        title: "Dieser Link gilt nicht mehr",
        text: "Er wurde schon benutzt, ist abgelaufen oder wurde durch einen neueren ersetzt. Fordern Sie dort, wo Sie diesen angefordert haben, einen neuen an. Haben Sie ihn nicht angefordert, fragen Sie den Absender.",
    },
    no_attempts: Message {
        title: "Der Code war zu oft falsch",
        text: "Diese E-Mail kann nicht mehr verwendet werden. Fordern Sie eine neue an.",
    },
    incomplete: Message {
        title: "Dieser Link ist unvollständig",
        text: "Öffnen Sie ihn noch einmal aus der E-Mail, oder kopieren Sie ihn ganz.",
    },
    taken: Message {
        title: "Die Adresse ist vergeben",
        text: "Ein anderes Konto hat inzwischen diese E-Mail-Adresse. Wenn Sie ihre E-Mails lesen, können Sie für jenes Konto ein neues Passwort anfordern und es löschen, falls Sie es nicht wollen.",
    },
    foreign: Message {
        title: "Dieses Formular kam nicht von dieser Seite",
        text: "Nichts wurde geändert. Öffnen Sie den Link aus der E-Mail, und senden Sie das Formular von dort.",
    },
    not_found: Message {
        title: "Diese Seite gibt es nicht",
        text: "Öffnen Sie den Link noch einmal aus der E-Mail, oder kopieren Sie ihn ganz.",
    },
    down: Message {
        title: "Der Dienst ist nicht erreichbar",
        text: "Öffnen Sie den Link aus der E-Mail gleich noch einmal.",
    },
    refused: Message {
        title: "Diese Anfrage kann nicht ausgeführt werden",
        text: "Nichts wurde geändert. Öffnen Sie den Link aus der E-Mail, und senden Sie das Formular von dort.",
    },
    failed: Message {
        title: "Hier ist etwas schiefgegangen",
        text: "Öffnen Sie den Link aus der E-Mail noch einmal. Wenn das wieder geschieht, nennen Sie den Betreibern die Nummer unten.",
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{http::header::ACCEPT_LANGUAGE, test::TestRequest};

    #[test]
    fn the_first_language_that_there_is_wins() {
        for (accepted, language) in [
            ("de", Language::German),
            ("de-CH, en;q=0.5", Language::German),
            ("en-GB, de;q=0.9", Language::English),
            ("fr, de;q=0.3, en;q=0.2", Language::German),
            ("fr, es", Language::English),
            ("*", Language::English),
            ("", Language::English),
            (";;", Language::English),
        ] {
            let request = TestRequest::default().insert_header((ACCEPT_LANGUAGE, accepted));
            assert_eq!(Language::of(&request.to_request()), language, "{accepted}");
        }
        let none = TestRequest::default().to_request();
        assert_eq!(Language::of(&none), Language::English);
    }
}
