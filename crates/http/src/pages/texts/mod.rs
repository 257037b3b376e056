//! What the pages say, in each language: the words that they share. What a page says of itself is in its own file.

mod english;
mod german;

use actix_web::{
    HttpMessage,
    http::header::{AcceptLanguage, Header},
};
use time::OffsetDateTime;

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
        let mut known = ranked.filter_map(|language| Self::of_tag(language.item()?.as_str()));
        known.next().unwrap_or(Self::English)
    }

    /// That of a language tag (RFC 5646), if pages are written in it.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        [(Self::English, "en"), (Self::German, "de")]
            .into_iter()
            .find_map(|(language, name)| primary.eq_ignore_ascii_case(name).then_some(language))
    }

    /// The shared words.
    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &english::TEXTS,
            Self::German => &german::TEXTS,
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
    /// What it calls itself.
    pub(super) own_name: &'static str,
    /// Which way it is written.
    pub(super) dir: &'static str,
    /// Before the title of a page with a mistake.
    pub(super) error: &'static str,
    /// Before a request's id.
    pub(super) request: &'static str,
    pub(super) skip: &'static str,
    pub(super) account: &'static str,
    pub(super) go_on: &'static str,
    pub(super) sign_in: &'static str,
    pub(super) sign_out: &'static str,
    /// Before `another_mail`.
    pub(super) mail_missing: &'static str,
    pub(super) another_mail: &'static str,
    pub(super) terms: &'static str,
    pub(super) privacy: &'static str,
    /// As dates have them.
    pub(super) months: [&'static str; 12],

    pub(super) email: &'static str,
    pub(super) email_missing: &'static str,
    pub(super) email_invalid: &'static str,
    pub(super) code: &'static str,
    pub(super) code_hint: &'static str,
    pub(super) code_perhaps: &'static str,
    pub(super) code_away_from_change: &'static str,
    pub(super) code_missing: &'static str,
    pub(super) code_invalid: &'static str,
    pub(super) code_wrong: fn(u32) -> String,
    /// A code of an authenticator app.
    pub(super) totp: &'static str,
    pub(super) totp_hint: &'static str,
    pub(super) recovery_code: &'static str,
    pub(super) recovery_code_hint: &'static str,
    pub(super) recovery_code_invalid: &'static str,
    pub(super) factor_missing: &'static str,
    pub(super) factor_wrong: &'static str,
    pub(super) code_used: &'static str,
    pub(super) passkey_refused: &'static str,
    /// A passkey came too late.
    pub(super) challenge_gone: &'static str,
    /// A sign-up with a passkey is proved in another browser.
    pub(super) other_client: &'static str,
    pub(super) password: &'static str,
    /// On pages that do not ask whose it is.
    pub(super) account_password: &'static str,
    pub(super) current_password: &'static str,
    pub(super) password_missing: &'static str,
    pub(super) password_wrong: &'static str,
    pub(super) new_password: &'static str,
    pub(super) new_password_hint: fn(usize) -> String,
    pub(super) new_password_missing: &'static str,
    pub(super) too_short: fn(usize) -> String,
    pub(super) too_long: &'static str,
    pub(super) too_common: &'static str,
    pub(super) own_details: &'static str,
    pub(super) url_invalid: &'static str,
    pub(super) unusable: &'static str,

    /// The link was opened in another browser than the one that asked for the mail.
    pub(super) elsewhere: &'static str,
    pub(super) elsewhere_with_password: &'static str,
    /// Nobody has asked for the mail, and what it tells of was asked for in another browser.
    pub(super) away_from_change: &'static str,
    /// Only the account's user may, and the browser has no session of it.
    pub(super) owner: &'static str,
    pub(super) wrong_credentials: &'static str,
    pub(super) superseded: &'static str,
    pub(super) email_taken: &'static str,
    pub(super) conflict: &'static str,
    pub(super) limited: fn(u64) -> String,
    pub(super) unavailable: &'static str,

    pub(super) gone: Message,
    pub(super) no_attempts: Message,
    pub(super) incomplete: Message,
    pub(super) taken: Message,
    pub(super) no_mail: Message,
    pub(super) verified: Message,
    pub(super) factor_needed: Message,
    pub(super) foreign: Message,
    pub(super) not_found: Message,
    pub(super) busy: Message,
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
            ("email_verified", _) => &self.verified,
            ("factor_setup_required", _) => &self.factor_needed,
            ("mail_not_configured" | "sign_in_code_off", _) => &self.no_mail,
            ("csrf_refused", _) => &self.foreign,
            (_, 404) => &self.not_found,
            (_, 429) => &self.busy,
            (_, 503) => &self.down,
            (_, 500..) => &self.failed,
            _ => &self.refused,
        }
    }

    /// A day, such as "2 January 2026".
    pub(super) fn day(&self, at: OffsetDateTime) -> String {
        let month = self.months[usize::from(u8::from(at.month())) - 1];
        let (day, year) = (at.day(), at.year());
        match self.tag {
            "de" => format!("{day}. {month} {year}"),
            _ => format!("{day} {month} {year}"),
        }
    }

    /// The same with the time. Pages do not know the zone of their reader.
    pub(super) fn instant(&self, at: OffsetDateTime) -> String {
        format!("{}, {:02}:{:02} UTC", self.day(at), at.hour(), at.minute())
    }
}

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

    #[test]
    fn instants_are_written_as_their_reader_would() {
        let at = time::macros::datetime!(2026-01-02 03:04:05 UTC);
        for (language, written) in [
            (Language::English, "2 January 2026, 03:04 UTC"),
            (Language::German, "2. Januar 2026, 03:04 UTC"),
        ] {
            assert_eq!(language.texts().instant(at), written);
        }
    }
}
