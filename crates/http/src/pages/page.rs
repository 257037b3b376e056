//! What all pages with a form have in common: when they ask for what, and how they say what is wrong.

use super::{
    BASE, PageSettings,
    form::Form,
    texts::{Language, Localized},
    view::{self, Field, FormView, Frame, Given, MessageView, Other, PageTexts},
};
use crate::kit::{
    caller::RequestClient,
    problem::{FieldProblem, Problem},
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    http::{StatusCode, header},
    web::Data,
};
use revolve_domain::{
    model::{FieldError, ProofId},
    policy::PasswordPolicy,
    use_cases::IssuedDevice,
};
use std::{
    borrow::Cow,
    future::{Ready, ready},
};
use url::form_urlencoded;

/// The query of the page that says that a form was carried out.
const DONE: &str = "done";

/// A page with one form.
pub(super) struct Page {
    pub(super) texts: Localized<PageTexts>,
    pub(super) code: AsksCode,
    pub(super) password: AsksPassword,
    /// The path below [`BASE`] of another page for the same mail.
    pub(super) other: Option<&'static str>,
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
    /// That of the account.
    Always,
    /// That of the account, where the mail was not asked for.
    Elsewhere,
}

/// Whether the browser is another one than that which asked for the mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsElsewhere {
    No,
    /// A page that a mail program opens does not see the device cookie, which is of the same site only; the form that it sends does.
    Perhaps,
    Yes,
}

/// A request for a page, or of its form.
pub(crate) struct PageRequest {
    pub(super) caller: RequestClient,
    language: Language,
    settings: Data<PageSettings>,
    /// The fewest characters of a password.
    pub(super) min_length: usize,
    request: HttpRequest,
}

impl FromRequest for PageRequest {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let data = (
            request.app_data::<Data<PageSettings>>().cloned(),
            request.app_data::<Data<PasswordPolicy>>(),
        );
        let (Some(settings), Some(policy)) = data else {
            return ready(Err(Problem::internal(&NotRegistered)));
        };
        let caller = RequestClient::from_request(request, payload).into_inner();
        ready(caller.map(|caller| Self {
            caller,
            language: Language::of(request),
            settings,
            min_length: policy.min_length,
            request: request.clone(),
        }))
    }
}

/// The composition root forgot something.
#[derive(Debug, thiserror::Error)]
#[error("the settings of pages are not registered")]
struct NotRegistered;

impl PageRequest {
    /// The page that a link leads to, or a form once it was carried out.
    pub(super) fn show(&self, page: &Page) -> Result<HttpResponse, Problem> {
        let query = self.request.query_string();
        let texts = page.texts.get(self.language);
        if query == DONE {
            let view = MessageView::new(self.frame(), &texts.done);
            return view::page(HttpResponse::Ok().finish(), &view);
        }
        let given = link(query)?;
        let is_elsewhere = self.is_elsewhere(page, &given);
        let view = self.form(page, self.frame(), &given, is_elsewhere, None);
        view::page(HttpResponse::Ok().finish(), &view)
    }

    /// What a form gets that was carried out or refused.
    pub(super) fn answer(
        &self,
        page: &Page,
        form: &Form,
        outcome: Result<Option<IssuedDevice>, Problem>,
    ) -> Result<HttpResponse, Problem> {
        match outcome {
            Ok(device) => {
                let mut answer = HttpResponse::SeeOther();
                let done = format!("{}?{DONE}", self.request.path());
                answer.insert_header((header::LOCATION, done));
                for cookie in device
                    .iter()
                    .flat_map(|new| self.caller.device_cookies(new))
                {
                    answer.cookie(cookie);
                }
                Ok(answer.finish())
            }
            Err(problem) if can_be_sent_again(&problem) => self.refused(page, form, &problem),
            Err(problem) => Err(problem),
        }
    }

    /// The form once more, with what was typed and what was wrong with it.
    fn refused(
        &self,
        page: &Page,
        form: &Form,
        problem: &Problem,
    ) -> Result<HttpResponse, Problem> {
        let given = form.given();
        let lacks_code = || {
            let mut fields = problem.field_errors().iter();
            fields.any(|error| error.field == "code")
        };
        let is_elsewhere = match problem.code() {
            "code_required" => IsElsewhere::Yes,
            "session_required" if page.password == AsksPassword::Elsewhere => IsElsewhere::Yes,
            _ if given.code.is_some() || lacks_code() => IsElsewhere::Yes,
            _ => self.is_elsewhere(page, &given),
        };
        let frame = self.frame().failed();
        let view = self.form(page, frame, &given, is_elsewhere, Some(problem));
        view::page(problem.error_response(), &view)
    }

    /// As far as it is known before the form is sent.
    fn is_elsewhere(&self, page: &Page, given: &Given) -> IsElsewhere {
        let asks_late = matches!(page.password, AsksPassword::Never | AsksPassword::Elsewhere);
        match given.secret {
            None => IsElsewhere::Yes,
            // One more step is less than a field that most don't need, unless something has to be typed twice.
            Some(_) if self.caller.has_asked() || asks_late => IsElsewhere::No,
            Some(_) => IsElsewhere::Perhaps,
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame::new(self.language, &self.settings.name)
    }

    fn form<'a>(
        &'a self,
        page: &'a Page,
        frame: Frame<'a>,
        given: &'a Given,
        is_elsewhere: IsElsewhere,
        problem: Option<&Problem>,
    ) -> FormView<'a> {
        let texts = page.texts.get(self.language);
        let asks_code = match page.code {
            AsksCode::Always => true,
            AsksCode::Elsewhere | AsksCode::AwayFromChange => is_elsewhere != IsElsewhere::No,
            AsksCode::IfNeeded => is_elsewhere == IsElsewhere::Yes,
        };
        let code = asks_code.then(|| self.code(page, given, is_elsewhere, problem));
        FormView {
            frame,
            texts,
            action: self.request.path(),
            given,
            alert: problem.and_then(|problem| self.alert(page, problem)),
            fields: code
                .into_iter()
                .chain(self.password(page, is_elsewhere, problem))
                .collect(),
            other: page.other.map(|path| Other {
                href: format!("{BASE}{path}?proof={}", given.proof),
                text: texts.other,
            }),
        }
    }

    fn code(
        &self,
        page: &Page,
        given: &Given,
        is_elsewhere: IsElsewhere,
        problem: Option<&Problem>,
    ) -> Field {
        let texts = self.language.texts();
        let required = page.code == AsksCode::Always || is_elsewhere == IsElsewhere::Yes;
        let wrong = problem.and_then(Problem::attempts_left);
        let wrong = wrong.map(|left| Cow::Owned((texts.code_wrong)(left)));
        Field {
            name: "code",
            label: texts.code,
            hint: match page.code {
                _ if required => texts.code_hint.into(),
                AsksCode::AwayFromChange => texts.code_away_from_change.into(),
                _ => texts.code_perhaps.into(),
            },
            error: wrong.or_else(|| self.field_error("code", problem)),
            autocomplete: "one-time-code",
            required,
            is_code: true,
            value: given.code.clone().unwrap_or_default(),
        }
    }

    fn password(
        &self,
        page: &Page,
        is_elsewhere: IsElsewhere,
        problem: Option<&Problem>,
    ) -> Option<Field> {
        let texts = self.language.texts();
        let field = |name, label, hint, error, autocomplete| Field {
            name,
            label,
            hint,
            error,
            autocomplete,
            required: true,
            is_code: false,
            value: String::new(),
        };
        match page.password {
            AsksPassword::Never => None,
            AsksPassword::Elsewhere if is_elsewhere != IsElsewhere::Yes => None,
            AsksPassword::New => Some(field(
                "newPassword",
                texts.new_password,
                (texts.new_password_hint)(self.min_length).into(),
                self.field_error("newPassword", problem),
                "new-password",
            )),
            AsksPassword::Always | AsksPassword::Elsewhere => {
                let is_wrong = problem.is_some_and(|problem| problem.code() == "wrong_password");
                let wrong = is_wrong.then_some(Cow::Borrowed(texts.password_wrong));
                Some(field(
                    "password",
                    texts.password,
                    texts.password_hint.into(),
                    wrong.or_else(|| self.field_error("password", problem)),
                    "current-password",
                ))
            }
        }
    }

    /// What is wrong with a field.
    fn field_error(&self, field: &str, problem: Option<&Problem>) -> Option<Cow<'static, str>> {
        let mut errors = problem?.field_errors().iter();
        let code = errors.find(|error| error.field == field)?.code;
        let texts = self.language.texts();
        Some(match (field, code) {
            ("code", "missing") => texts.code_missing.into(),
            ("code", _) => texts.code_invalid.into(),
            ("password", "missing") => texts.password_missing.into(),
            ("password", _) => texts.password_wrong.into(),
            (_, "missing") => texts.new_password_missing.into(),
            (_, "too_short") => (texts.too_short)(self.min_length).into(),
            (_, "too_long") => texts.too_long.into(),
            (_, "too_common") => texts.too_common.into(),
            (_, "contains_own_details") => texts.own_details.into(),
            _ => texts.unusable.into(),
        })
    }

    /// What is wrong with the form as a whole.
    fn alert(&self, page: &Page, problem: &Problem) -> Option<Cow<'static, str>> {
        let texts = self.language.texts();
        let asks_password = page.password == AsksPassword::Elsewhere;
        match (problem.code(), problem.retry_after()) {
            (_, Some(wait)) => Some((texts.limited)(wait.as_secs()).into()),
            ("code_required" | "session_required", _) if asks_password => {
                Some(texts.elsewhere_with_password.into())
            }
            ("code_required", _) if page.code == AsksCode::AwayFromChange => {
                Some(texts.away_from_change.into())
            }
            ("code_required", _) => Some(texts.elsewhere.into()),
            ("session_required", _) => Some(texts.owner.into()),
            _ if problem.status() == StatusCode::SERVICE_UNAVAILABLE => {
                Some(texts.unavailable.into())
            }
            _ => None,
        }
    }
}

/// What a link has in its query.
fn link(query: &str) -> Result<Given, Problem> {
    let mut given = Given::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "proof" => given.proof = value.into_owned(),
            "secret" => given.secret = Some(value.into_owned()).filter(|text| !text.is_empty()),
            _ => {}
        }
    }
    if given.proof.parse::<ProofId>().is_err() {
        let invalid = FieldProblem::invalid("proof", FieldError::InvalidId);
        return Err(Problem::fields(vec![invalid]));
    }
    Ok(given)
}

/// Whether the same form may succeed another time.
fn can_be_sent_again(problem: &Problem) -> bool {
    let is_typed = |error: &FieldProblem| {
        matches!(&*error.field, "code" | "password" | "newPassword")
            && error.code != "unknown_field"
    };
    match problem.status() {
        // What the link has is not for the reader to mend.
        StatusCode::UNPROCESSABLE_ENTITY => {
            problem.attempts_left() != Some(0) && problem.field_errors().iter().all(is_typed)
        }
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            true
        }
        _ => false,
    }
}
