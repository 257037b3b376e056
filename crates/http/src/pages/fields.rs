//! The fields that forms ask for, with what is wrong with them.

use super::{
    form::Form,
    request::PageRequest,
    texts::{Language, Texts},
};
use crate::kit::problem::Problem;
use actix_web::http::StatusCode;
use std::borrow::Cow;

/// What is typed into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words of a language.
    Text,
    Email,
    /// Never shown again.
    Password,
    Url,
    /// Six digits.
    Code,
    /// Letters and digits that are no words.
    RecoveryCode,
    /// One of a few.
    Choice,
}

impl Kind {
    pub(super) const fn html(self) -> &'static str {
        match self {
            Self::Text | Self::Code | Self::RecoveryCode | Self::Choice => "text",
            Self::Email => "email",
            Self::Password => "password",
            Self::Url => "url",
        }
    }

    pub(super) const fn is_code(self) -> bool {
        matches!(self, Self::Code)
    }

    pub(super) const fn is_password(self) -> bool {
        matches!(self, Self::Password)
    }

    /// Whether no spelling is to be corrected.
    pub(super) const fn is_verbatim(self) -> bool {
        !matches!(self, Self::Text)
    }
}

/// A field that is asked for.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) hint: Cow<'static, str>,
    pub(super) error: Option<Cow<'static, str>>,
    /// What browsers and password managers fill in (HTML, "autofill").
    pub(super) autocomplete: &'static str,
    pub(super) required: bool,
    pub(super) value: String,
    pub(super) options: Vec<Choice>,
    pub(super) is_focused: bool,
}

/// One of a few values.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) is_chosen: bool,
}

impl Field {
    /// One that has to be filled in.
    pub(super) fn new(
        name: &'static str,
        label: &'static str,
        kind: Kind,
        autocomplete: &'static str,
    ) -> Self {
        Self {
            name,
            label,
            kind,
            hint: "".into(),
            error: None,
            autocomplete,
            required: true,
            value: String::new(),
            options: Vec::new(),
            is_focused: false,
        }
    }

    /// The attributes that name its hint and what is wrong with it. They are made of its name alone.
    pub(super) fn described(&self) -> String {
        let name = self.name;
        let (is_wrong, has_hint) = (self.error.is_some(), !self.hint.is_empty());
        let by = match (is_wrong, has_hint) {
            (true, true) => format!(" aria-describedby=\"{name}-error {name}-hint\""),
            (true, false) => format!(" aria-describedby=\"{name}-error\""),
            (false, true) => format!(" aria-describedby=\"{name}-hint\""),
            (false, false) => String::new(),
        };
        let invalid = if is_wrong {
            " aria-invalid=\"true\""
        } else {
            ""
        };
        let focus = if self.is_focused { " autofocus" } else { "" };
        format!("{invalid}{by}{focus}")
    }
}

/// What the fields of a form are shown with: what was typed, but for passwords, and what was wrong with it.
pub(super) struct Fields<'a> {
    pub(super) texts: &'static Texts,
    /// The fewest characters of a password.
    pub(super) min_length: usize,
    pub(super) typed: &'a Form,
    pub(super) problem: Option<&'a Problem>,
}

impl PageRequest {
    /// The fields of a form of this page.
    pub(super) fn fields<'a>(
        &self,
        language: Language,
        typed: &'a Form,
        problem: Option<&'a Problem>,
    ) -> Fields<'a> {
        Fields {
            texts: language.texts(),
            min_length: self.min_length,
            typed,
            problem,
        }
    }
}

impl Fields<'_> {
    /// Fills in what was typed and what is wrong with it.
    pub(super) fn filled(&self, mut field: Field) -> Field {
        if let Some(typed) = self.typed.get(field.name) {
            typed.clone_into(&mut field.value);
        }
        field.error = self.error(field.name);
        field
    }

    /// The same where something is stored, which is shown unless another value was sent.
    pub(super) fn stored(&self, mut field: Field, stored: Option<&str>) -> Field {
        if self.problem.is_none() {
            stored.unwrap_or_default().clone_into(&mut field.value);
        }
        field.required = false;
        self.filled(field)
    }

    /// The address of an account.
    pub(super) fn email(&self) -> Field {
        let label = self.texts.email;
        self.filled(Field::new("email", label, Kind::Email, "username"))
    }

    /// The password of an account, as `password` or `currentPassword`.
    pub(super) fn password(&self, name: &'static str, label: &'static str) -> Field {
        self.filled(Field::new(name, label, Kind::Password, "current-password"))
    }

    /// The password of the account that its user is signed in with.
    pub(super) fn current_password(&self) -> Field {
        let mut field = self.password("currentPassword", self.texts.current_password);
        if self.problem_code() == Some("wrong_password") {
            field.error = Some(self.texts.password_wrong.into());
        }
        field
    }

    /// A password that is chosen.
    pub(super) fn new_password(&self, name: &'static str, label: &'static str) -> Field {
        let hint = (self.texts.new_password_hint)(self.min_length);
        let mut field = Field {
            hint: hint.into(),
            ..Field::new(name, label, Kind::Password, "new-password")
        };
        field.error = self.error_of_new_password(name);
        field
    }

    /// The code of a mail.
    pub(super) fn code(&self, required: bool, hint: &'static str) -> Field {
        let texts = self.texts;
        let mut field = self.filled(Field {
            hint: hint.into(),
            required,
            ..Field::new("code", texts.code, Kind::Code, "one-time-code")
        });
        if let Some(left) = self.problem.and_then(Problem::attempts_left) {
            field.error = Some((texts.code_wrong)(left).into());
        }
        field
    }

    /// A code of the authenticator app. It counts once, so that it is never shown again.
    pub(super) fn totp(&self) -> Field {
        let field = Field::new("totp", self.texts.totp, Kind::Code, "one-time-code");
        self.factor(Field {
            hint: self.texts.totp_hint.into(),
            ..field
        })
    }

    /// A recovery code.
    pub(super) fn recovery_code(&self) -> Field {
        let label = self.texts.recovery_code;
        let field = Field::new("recoveryCode", label, Kind::RecoveryCode, "off");
        self.factor(Field {
            hint: self.texts.recovery_code_hint.into(),
            ..field
        })
    }

    fn factor(&self, field: Field) -> Field {
        let mut field = self.filled(field);
        field.value.clear();
        let texts = self.texts;
        let left = self.problem.and_then(Problem::attempts_left);
        match self.problem_code() {
            Some("code_wrong") => {
                let wrong = left.map(|left| (texts.code_wrong)(left).into());
                field.error = Some(wrong.unwrap_or_else(|| texts.factor_wrong.into()));
            }
            Some("code_used") => field.error = Some(texts.code_used.into()),
            _ => {}
        }
        field
    }

    /// What is wrong with the form as a whole, if its page says nothing better.
    pub(super) fn alert(&self) -> Option<Cow<'static, str>> {
        let (texts, problem) = (self.texts, self.problem?);
        let alert = match (problem.code(), problem.retry_after()) {
            (_, Some(wait)) => (texts.limited)(wait.as_secs()).into(),
            ("invalid_credentials", _) => texts.wrong_credentials.into(),
            ("sign_in_superseded", _) => texts.superseded.into(),
            ("credential_refused", _) => texts.passkey_refused.into(),
            ("challenge_gone", _) => texts.challenge_gone.into(),
            ("other_client", _) => texts.other_client.into(),
            ("email_taken", _) => texts.email_taken.into(),
            ("conflict" | "reauthentication_required", _) => texts.conflict.into(),
            _ if problem.status() == StatusCode::SERVICE_UNAVAILABLE => texts.unavailable.into(),
            _ => return None,
        };
        Some(alert)
    }

    /// Whether something is wrong with a field.
    pub(super) fn is_wrong(&self, field: &str) -> bool {
        self.error_code(field).is_some()
    }

    fn problem_code(&self) -> Option<&'static str> {
        self.problem.map(Problem::code)
    }

    fn error_code(&self, field: &str) -> Option<&'static str> {
        let mut errors = self.problem?.field_errors().iter();
        Some(errors.find(|error| error.field == field)?.code)
    }

    fn error(&self, field: &str) -> Option<Cow<'static, str>> {
        let (texts, code) = (self.texts, self.error_code(field)?);
        let error = match (field, code) {
            (_, "too_long") => texts.too_long,
            ("code", "missing") => texts.code_missing,
            ("totp" | "recoveryCode", "missing") => texts.factor_missing,
            ("code" | "totp", _) => texts.code_invalid,
            ("recoveryCode", _) => texts.recovery_code_invalid,
            ("email", "missing") => texts.email_missing,
            ("email", _) => texts.email_invalid,
            ("password" | "currentPassword", "missing") => texts.password_missing,
            ("password" | "currentPassword", _) => texts.password_wrong,
            (_, "invalid_url") => texts.url_invalid,
            _ => texts.unusable,
        };
        Some(error.into())
    }

    fn error_of_new_password(&self, field: &str) -> Option<Cow<'static, str>> {
        let (texts, code) = (self.texts, self.error_code(field)?);
        Some(match code {
            "missing" => texts.new_password_missing.into(),
            "too_short" => (texts.too_short)(self.min_length).into(),
            "too_long" => texts.too_long.into(),
            "too_common" => texts.too_common.into(),
            "contains_own_details" => texts.own_details.into(),
            _ => texts.unusable.into(),
        })
    }
}

/// Whether the same form may succeed another time, once these fields are mended.
pub(super) fn can_be_sent_again(problem: &Problem, fields: &[&str]) -> bool {
    let is_typed = |field: &str, code: &str| fields.contains(&field) && code != "unknown_field";
    match problem.status() {
        StatusCode::UNPROCESSABLE_ENTITY => {
            let mut errors = problem.field_errors().iter();
            problem.attempts_left() != Some(0)
                && errors.all(|error| is_typed(&error.field, error.code))
        }
        StatusCode::UNAUTHORIZED => {
            matches!(problem.code(), "invalid_credentials" | "sign_in_superseded")
        }
        StatusCode::CONFLICT => matches!(problem.code(), "email_taken" | "conflict"),
        StatusCode::GONE => problem.code() == "challenge_gone",
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            true
        }
        _ => false,
    }
}
