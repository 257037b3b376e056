//! What the pages that mails lead to have in common: when they ask for what, and how they say what is wrong.

use crate::{
    kit::problem::{FieldProblem, Problem},
    pages::{
        BASE,
        entry::Entered,
        fields::{Field, Fields, can_be_sent_again},
        form::{Form, RETURN_TO},
        request::{DONE, PageRequest, leading_to, page_url, see},
        settings::Destination,
        texts::{Localized, Message, Texts},
        view::{self, FormPage, FormView, Link, MessagePage},
    },
};
use actix_web::{HttpResponse, ResponseError};
use revolve_domain::model::{FieldError, ProofId};
use std::borrow::Cow;

/// What can be typed.
const FIELDS: [&str; 3] = ["code", "password", "newPassword"];

/// A page with one form.
pub(super) struct Page {
    pub(super) texts: Localized<PageTexts>,
    pub(super) code: AsksCode,
    pub(super) password: AsksPassword,
    /// The path below [`BASE`] of another page for the same mail.
    pub(super) other: Option<&'static str>,
    /// The path below [`BASE`] of the page that asks for the mail, where there is one.
    pub(super) asks: Option<&'static str>,
    /// Whether it can't be undone.
    pub(super) is_grave: bool,
    pub(super) then: Then,
}

/// What a page says of itself.
pub(super) struct PageTexts {
    pub(super) title: &'static str,
    /// Where a link has led here.
    pub(super) intro: &'static str,
    /// Where the mail was asked for, which is under way.
    pub(super) sent: &'static str,
    pub(super) button: &'static str,
    /// Once it is done.
    pub(super) done: Message,
    /// The text of a link to another page.
    pub(super) other: &'static str,
}

/// Whether a form asks for the code of the mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AsksCode {
    Always,
    /// Where the mail was not asked for.
    Elsewhere,
    /// Where the change was not asked for that the mail tells of: nobody has asked for the mail itself.
    AwayFromChange,
    /// Once the link was not enough.
    IfNeeded,
}

/// Whether a form asks for a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AsksPassword {
    Never,
    New,
    /// That of the account, where the browser has no session of it.
    SignedOut,
    /// That of the account, where the mail was not asked for.
    Elsewhere,
}

/// Where a form leads that was carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The page says what was done.
    Done,
    /// The same, and leads on.
    DoneAndOn,
    /// On at once.
    On,
}

/// Whether the browser is another one than that which asked for the mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsElsewhere {
    No,
    /// A page that a mail program opens does not see the device cookie, which is of the same site only; the form that it sends does.
    Perhaps,
    Yes,
}

/// What a form has been given: by its link, or when it was sent.
#[derive(Debug, Default)]
pub(in crate::pages) struct Given {
    pub(in crate::pages) proof: String,
    pub(in crate::pages) secret: Option<String>,
}

/// A form as it is shown.
struct Shown<'a> {
    given: Given,
    is_elsewhere: IsElsewhere,
    typed: &'a Form,
    problem: Option<&'a Problem>,
    on: Option<Destination>,
}

impl PageRequest {
    /// Whether this is more than the request to be sent a mail.
    pub(super) fn is_landed(&self) -> bool {
        self.is_done() || self.parameter("proof").is_some() || self.parameter("secret").is_some()
    }

    /// The page that a link leads to, or a form once it was carried out.
    pub(super) fn show(&self, page: &Page) -> Result<HttpResponse, Problem> {
        let on = self.destination();
        if self.is_done() {
            let message = &page.texts.get(self.language).done;
            let view = MessagePage::new(self.frame(), message, self.next(page, on));
            return view::page(HttpResponse::Ok().finish(), &view);
        }
        let given = self.given()?;
        let shown = Shown {
            is_elsewhere: self.is_elsewhere(page, &given),
            given,
            typed: &Form::default(),
            problem: None,
            on,
        };
        self.form(page, shown, HttpResponse::Ok().finish())
    }

    /// What a form gets that was carried out or refused. A session may have begun with it, or have to begin with a factor.
    pub(super) fn answer(
        &self,
        page: &Page,
        form: &Form,
        outcome: Result<Option<Entered>, Problem>,
    ) -> Result<HttpResponse, Problem> {
        let on = self.destination_of(form);
        match outcome {
            Ok(entered) => {
                let to = self.after(page, on);
                entered.map_or_else(|| Ok(see(&to)), |entered| self.entered(entered, &to))
            }
            Err(problem) if is_mendable(&problem) => {
                let given = form.given();
                let shown = Shown {
                    is_elsewhere: self.is_elsewhere_after(page, &given, form, &problem),
                    given,
                    typed: form,
                    problem: Some(&problem),
                    on,
                };
                self.form(page, shown, problem.error_response())
            }
            Err(problem) => Err(problem),
        }
    }

    fn after(&self, page: &Page, on: Option<Destination>) -> String {
        match (page.then, on) {
            (Then::On, Some(on)) => on.url().to_owned(),
            (Then::On, None) => BASE.to_owned(),
            (_, Some(on)) => format!("{}?{DONE}&{}", self.path(), on.parameter()),
            (_, None) => format!("{}?{DONE}", self.path()),
        }
    }

    fn next(&self, page: &Page, on: Option<Destination>) -> Option<Link> {
        let texts = self.language.texts();
        match (page.then, on) {
            (Then::Done, _) => None,
            (_, Some(on)) => Some(Link::new(on.url(), texts.go_on)),
            (_, None) => Some(Link::new(BASE, texts.account)),
        }
    }

    /// What a link has in its query.
    fn given(&self) -> Result<Given, Problem> {
        let parameter = |name| self.parameter(name).map(Cow::into_owned);
        let given = Given {
            proof: parameter("proof").unwrap_or_default(),
            secret: parameter("secret").filter(|secret| !secret.is_empty()),
        };
        if given.proof.parse::<ProofId>().is_err() {
            let invalid = FieldProblem::invalid("proof", FieldError::InvalidId);
            return Err(Problem::fields(vec![invalid]));
        }
        Ok(given)
    }

    /// Whether the browser shows something that the one that asked has.
    fn may_have_asked(&self) -> bool {
        self.caller.has_asked() || !self.caller.device_credentials.is_empty()
    }

    /// As far as it is known before the form is sent.
    fn is_elsewhere(&self, page: &Page, given: &Given) -> IsElsewhere {
        match given.secret {
            None => IsElsewhere::Yes,
            // One more step is less than a field that most don't need, unless something has to be typed twice.
            Some(_) if self.caller.has_asked() || page.password != AsksPassword::New => {
                IsElsewhere::No
            }
            Some(_) => IsElsewhere::Perhaps,
        }
    }

    /// The same once it was refused.
    fn is_elsewhere_after(
        &self,
        page: &Page,
        given: &Given,
        form: &Form,
        problem: &Problem,
    ) -> IsElsewhere {
        let mut errors = problem.field_errors().iter();
        match (problem.code(), page.password) {
            ("code_required", _) | ("session_required", AsksPassword::Elsewhere) => {
                IsElsewhere::Yes
            }
            ("session_required", _) if !self.may_have_asked() => IsElsewhere::Yes,
            _ if form.get("code").is_some() || errors.any(|error| error.field == "code") => {
                IsElsewhere::Yes
            }
            _ => self.is_elsewhere(page, given),
        }
    }

    fn form(
        &self,
        page: &Page,
        shown: Shown<'_>,
        answer: HttpResponse,
    ) -> Result<HttpResponse, Problem> {
        let texts = page.texts.get(self.language);
        let fields = Fields {
            texts: self.language.texts(),
            min_length: self.min_length,
            typed: shown.typed,
            problem: shown.problem,
        };
        let (is_elsewhere, problem) = (shown.is_elsewhere, shown.problem);
        let asks_code = match page.code {
            AsksCode::Always => true,
            AsksCode::Elsewhere | AsksCode::AwayFromChange => is_elsewhere != IsElsewhere::No,
            AsksCode::IfNeeded => is_elsewhere == IsElsewhere::Yes,
        };
        let is_needed = page.code == AsksCode::Always || is_elsewhere == IsElsewhere::Yes;
        let hint = match page.code {
            _ if is_needed => fields.texts.code_hint,
            AsksCode::AwayFromChange => fields.texts.code_away_from_change,
            _ => fields.texts.code_perhaps,
        };
        let code = asks_code.then(|| fields.code(is_needed, hint));
        let password = self.password(page, &shown, &fields);
        let asked = code.into_iter().chain(password).collect();
        let mut form = FormView::new(self.path(), texts.button, asked);
        form.alert = problem.and_then(|problem| alert(page, fields.texts, is_elsewhere, problem));
        form.alert = form.alert.or_else(|| fields.alert());
        let intro = match shown.given.secret {
            None if problem.is_none() => texts.sent,
            _ => texts.intro,
        };
        let other = page.other.map(|path| {
            Link::new(
                format!("{BASE}{path}?proof={}", shown.given.proof),
                texts.other,
            )
        });
        let is_mail_under_way = shown.given.secret.is_none();
        let again = page.asks.filter(|_| is_mail_under_way).map(|path| Link {
            before: fields.texts.mail_missing,
            ..Link::new(page_url(path, shown.on.as_ref()), fields.texts.another_mail)
        });
        form.is_grave = page.is_grave;
        form.hidden.push(("proof", shown.given.proof));
        form.hidden
            .extend(shown.given.secret.map(|secret| ("secret", secret)));
        let on = shown.on.as_ref();
        form.hidden
            .extend(on.map(|on| (RETURN_TO, on.url().to_owned())));
        let view = FormPage {
            frame: self.frame().failed_if(problem.is_some()),
            title: texts.title,
            intro: intro.into(),
            notice: None,
            form,
            links: other.into_iter().chain(again).collect(),
        };
        Ok(leading_to(view::page(answer, &view)?, on))
    }

    fn password(&self, page: &Page, shown: &Shown<'_>, fields: &Fields<'_>) -> Option<Field> {
        let texts = fields.texts;
        let code = shown.problem.map(Problem::code);
        // Whose it is was asked, or answered.
        let is_asked = code == Some("session_required")
            || shown.typed.get("password").is_some()
            || fields.is_wrong("password");
        let is_asked = match page.password {
            AsksPassword::Never => false,
            AsksPassword::New => {
                return Some(fields.new_password("newPassword", texts.new_password));
            }
            AsksPassword::SignedOut => is_asked,
            // Who types the code where the mail was asked for has no link.
            AsksPassword::Elsewhere => {
                let is_by_code = shown.given.secret.is_none() && self.may_have_asked();
                is_asked || (shown.is_elsewhere == IsElsewhere::Yes && !is_by_code)
            }
        };
        let mut field = is_asked.then(|| fields.password("password", texts.account_password))?;
        // Never shown again, whatever was wrong.
        field.value.clear();
        // Who has signed up with a passkey has none, and is told where to go on.
        field.required = page.password != AsksPassword::Elsewhere;
        if code == Some("wrong_password") {
            field.error = Some(texts.password_wrong.into());
        }
        Some(field)
    }
}

/// What is wrong with the form as a whole, where its mail was opened elsewhere.
fn alert(
    page: &Page,
    texts: &Texts,
    is_elsewhere: IsElsewhere,
    problem: &Problem,
) -> Option<Cow<'static, str>> {
    let asks_password = match page.password {
        AsksPassword::Elsewhere => true,
        AsksPassword::SignedOut => problem.code() == "session_required",
        AsksPassword::Never | AsksPassword::New => false,
    };
    let alert = match problem.code() {
        "session_required" if is_elsewhere != IsElsewhere::Yes => texts.owner,
        "code_required" | "session_required" if asks_password => texts.elsewhere_with_password,
        "code_required" if page.code == AsksCode::AwayFromChange => texts.away_from_change,
        "code_required" => texts.elsewhere,
        _ => return None,
    };
    Some(alert.into())
}

/// Whether the same form may succeed another time. That another account has the address is nothing that its sender can mend here.
fn is_mendable(problem: &Problem) -> bool {
    can_be_sent_again(problem, &FIELDS) && problem.code() != "email_taken"
}
