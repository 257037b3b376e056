//! How a factor is shown on a page, in the second step of a sign-in and within a session: one way at a time, and buttons for the others.

use super::{
    fields::{Field, Fields},
    form::Form,
    passkey::{PasskeyButton, Purpose},
    texts::{Language, Localized},
    view::FormView,
};
use crate::kit::{body::Body, problem::Problem};
use revolve_domain::model::FactorKind;

/// The field in which a form keeps what it asks for, and the button that asks for something else.
const WAY: &str = "way";
const OTHER: &str = "by";

/// What can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Password,
    Totp,
    RecoveryCode,
}

/// All that an account can show.
pub(super) struct Ways {
    /// What can be typed, the first choice first.
    typed: Vec<Way>,
    passkey: bool,
}

struct Words {
    password: &'static str,
    totp: &'static str,
    recovery_code: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        password: "Use your password",
        totp: "Use your authenticator app",
        recovery_code: "Use a recovery code",
    },
    de: Words {
        password: "Passwort verwenden",
        totp: "Authenticator-App verwenden",
        recovery_code: "Wiederherstellungscode verwenden",
    },
};

/// The fields of what can be typed.
pub(super) const FIELDS: [&str; 3] = ["currentPassword", "totp", "recoveryCode"];

impl Way {
    const ALL: [Self; 3] = [Self::Password, Self::Totp, Self::RecoveryCode];

    /// The field that it is typed into.
    const fn field(self) -> &'static str {
        match self {
            Self::Password => FIELDS[0],
            Self::Totp => FIELDS[1],
            Self::RecoveryCode => FIELDS[2],
        }
    }

    fn asked(self, fields: &Fields<'_>) -> Field {
        match self {
            Self::Password => fields.current_password(),
            Self::Totp => fields.totp(),
            Self::RecoveryCode => fields.recovery_code(),
        }
    }

    const fn button(self, words: &Words) -> &'static str {
        match self {
            Self::Password => words.password,
            Self::Totp => words.totp,
            Self::RecoveryCode => words.recovery_code,
        }
    }
}

impl Ways {
    /// `password`: whether the account has one that would do, too.
    pub(super) fn new(password: bool, factors: &[FactorKind]) -> Self {
        let has = |way: &Way| match way {
            Way::Password => password,
            Way::Totp => factors.contains(&FactorKind::Totp),
            Way::RecoveryCode => factors.contains(&FactorKind::RecoveryCode),
        };
        Self {
            typed: Way::ALL.into_iter().filter(has).collect(),
            passkey: factors.contains(&FactorKind::Passkey),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.typed.is_empty() && !self.passkey
    }

    /// A form that asks for one of them. A passkey is the first choice, unless there is a password.
    pub(super) fn form(
        &self,
        action: &str,
        button: &'static str,
        purpose: Purpose,
        language: Language,
        fields: &Fields<'_>,
    ) -> FormView {
        let way = fields.typed.way().filter(|way| self.typed.contains(way));
        let way = way.or_else(|| self.typed.first().copied());
        let asked = way.map(|way| way.asked(fields));
        let button = if asked.is_some() { button } else { "" };
        let mut form = FormView::new(action, button, asked.into_iter().collect());
        form.alert = fields.alert();
        let kept = way.map(|way| (WAY, way.field().to_owned()));
        form.hidden.extend(kept);
        form.passkey = self.passkey.then(|| PasskeyButton {
            is_first: way != Some(Way::Password),
            is_alone: way.is_none(),
            ..PasskeyButton::new(purpose, language)
        });
        let others = self.typed.iter().filter(|other| Some(**other) != way);
        let words = WORDS.get(language);
        form.others = others
            .map(|other| (other.field(), other.button(words)))
            .collect();
        form
    }
}

impl Form {
    /// Whether it wants to be asked for something else.
    pub(super) fn asks_otherwise(&self) -> bool {
        self.get(OTHER).is_some()
    }

    fn way(&self) -> Option<Way> {
        let named = self.get(OTHER).or_else(|| self.get(WAY))?;
        Way::ALL.into_iter().find(|way| way.field() == named)
    }

    /// What it shows: a passkey, or what was typed, with a challenge where `with` names it. Nothing is a mistake.
    pub(super) fn shown(&self, with: &[&'static str]) -> Result<Body, Problem> {
        if self.has_passkey() {
            return self.only(&["challenge", "credential"]);
        }
        let field = self.way().unwrap_or(Way::Totp).field();
        let mut body = self.only(&[&[field], with].concat())?;
        if !body.has(field) {
            body.refuse(field, "missing", "is needed");
        }
        Ok(body)
    }
}
