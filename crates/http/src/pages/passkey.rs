//! The button of a form that asks the browser for a passkey. The module `passkeys.js` shows it, and sends the form with what the browser gives.

use super::{
    BASE,
    texts::{Language, Localized},
};
use crate::BASE as API;

/// What a passkey is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Also where the browser fills in the address.
    SignIn,
    /// With the address that is typed.
    SignUp,
    /// The challenge is in the form, as `options`.
    SecondStep,
    Reauthenticate,
    Add,
}

impl Purpose {
    /// Whether a passkey is made.
    pub(super) const fn makes(self) -> bool {
        matches!(self, Self::SignUp | Self::Add)
    }

    /// Whether its challenge is for the address that is typed.
    pub(super) const fn is_for_address(self) -> bool {
        matches!(self, Self::SignUp)
    }

    /// Whether browsers offer passkeys where they fill in the address.
    pub(super) const fn is_filled_in(self) -> bool {
        matches!(self, Self::SignIn)
    }

    /// Where challenges are from.
    fn from(self) -> String {
        match self {
            Self::SignIn => format!("{API}/signin/passkey/options"),
            Self::SignUp => format!("{API}/signup/passkey/options"),
            Self::SecondStep => String::new(),
            Self::Reauthenticate => format!("{BASE}/reauthenticate/options"),
            Self::Add => format!("{BASE}/security/passkey/options"),
        }
    }
}

/// A button that needs the module.
pub(super) struct PasskeyButton {
    pub(super) purpose: Purpose,
    pub(super) from: String,
    pub(super) text: &'static str,
    pub(super) words: &'static Words,
    /// Whether it stands before what else is asked for.
    pub(super) is_first: bool,
    /// Whether nothing else sends the form: readers without scripts are told.
    pub(super) is_alone: bool,
}

/// What it says.
pub(super) struct Words {
    sign_in: &'static str,
    sign_up: &'static str,
    show: &'static str,
    add: &'static str,
    pub(super) or: &'static str,
    /// Where the browser gives none.
    pub(super) failed: &'static str,
    /// Where the authenticator has one of the account.
    pub(super) known: &'static str,
    pub(super) without_script: &'static str,
}

static WORDS: Localized<Words> = Localized {
    en: Words {
        sign_in: "Sign in with a passkey",
        sign_up: "Sign up with a passkey",
        show: "Use a passkey",
        add: "Create the passkey",
        or: "or",
        failed: "No passkey was used. Try once more, or go on another way.",
        known: "This device has a passkey of your account already.",
        without_script: "A passkey needs JavaScript, which is switched off in this browser.",
    },
    de: Words {
        sign_in: "Mit einem Passkey anmelden",
        sign_up: "Mit einem Passkey registrieren",
        show: "Passkey verwenden",
        add: "Passkey anlegen",
        or: "oder",
        failed: "Es wurde kein Passkey verwendet. Versuchen Sie es noch einmal, oder nehmen Sie einen anderen Weg.",
        known: "Dieses Gerät hat schon einen Passkey Ihres Kontos.",
        without_script: "Ein Passkey braucht JavaScript, das in diesem Browser ausgeschaltet ist.",
    },
};

impl PasskeyButton {
    pub(super) fn new(purpose: Purpose, language: Language) -> Self {
        let words = WORDS.get(language);
        let text = match purpose {
            Purpose::SignIn => words.sign_in,
            Purpose::SignUp => words.sign_up,
            Purpose::SecondStep | Purpose::Reauthenticate => words.show,
            Purpose::Add => words.add,
        };
        Self {
            purpose,
            from: purpose.from(),
            text,
            words,
            is_first: false,
            is_alone: false,
        }
    }
}
