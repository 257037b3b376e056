//! What all templates share: what is around a page, its forms, and pages that only say something.

use super::{
    PageSettings,
    assets::Asset,
    fields::Field,
    layer,
    passkey::PasskeyButton,
    texts::{Language, Message, Texts},
};
use crate::kit::{problem::Problem, request_id::RequestId};
use actix_web::{
    HttpResponse,
    body::BoxBody,
    http::header::{self, HeaderValue},
};
use askama::Template;
use std::borrow::Cow;

/// What is around every page.
pub(super) struct Frame<'a> {
    pub(super) texts: &'static Texts,
    /// What the service is called.
    pub(super) name: &'a str,
    pub(super) logo: Option<&'a str>,
    pub(super) style: &'a str,
    /// The module for passkeys, on pages that have it.
    pub(super) script: Option<&'a str>,
    pub(super) icon: &'a str,
    pub(super) terms: Option<&'a str>,
    pub(super) privacy: Option<&'a str>,
    /// What the pages of an account have around them, too.
    pub(super) own: Option<OwnFrame>,
    pub(super) is_mistake: bool,
    /// On pages that tell of a mistake or a failure.
    pub(super) request: Option<RequestId>,
}

/// What is around the pages of an account.
pub(super) struct OwnFrame {
    pub(super) nav: Vec<NavItem>,
    /// On the page that leads to all others.
    pub(super) is_home: bool,
}

/// A page in the list of an account's pages.
pub(super) struct NavItem {
    pub(super) href: String,
    pub(super) text: &'static str,
    pub(super) is_current: bool,
}

impl<'a> Frame<'a> {
    pub(super) fn new(language: Language, settings: &'a PageSettings) -> Self {
        let options = &settings.options;
        Self {
            texts: language.texts(),
            name: &options.name,
            logo: settings.logo.as_ref().map(Asset::url),
            style: settings.style.url(),
            script: None,
            icon: settings.icon.url(),
            terms: options.terms.as_deref(),
            privacy: options.privacy.as_deref(),
            own: None,
            is_mistake: false,
            request: None,
        }
    }

    /// Says in the title that something is wrong, and names the request.
    pub(super) fn failed(self) -> Self {
        self.failed_if(true)
    }

    /// The same if there is a problem.
    pub(super) fn failed_if(self, is_mistake: bool) -> Self {
        Self {
            request: is_mistake.then(RequestId::current),
            is_mistake,
            ..self
        }
    }

    /// Puts the pages of an account around it.
    pub(super) fn own(self, own: OwnFrame) -> Self {
        Self {
            own: Some(own),
            ..self
        }
    }

    pub(super) fn has_footer(&self) -> bool {
        self.terms.is_some() || self.privacy.is_some() || self.request.is_some()
    }
}

/// A form.
#[derive(Default)]
pub(super) struct FormView {
    pub(super) action: String,
    pub(super) hidden: Vec<(&'static str, String)>,
    /// What is wrong with it as a whole.
    pub(super) alert: Option<Cow<'static, str>>,
    pub(super) fields: Vec<Field>,
    /// Empty where a passkey alone sends it.
    pub(super) button: &'static str,
    /// Whether it can't be undone.
    pub(super) is_grave: bool,
    /// A passkey in place of what is typed.
    pub(super) passkey: Option<PasskeyButton>,
    /// What else can be asked for, as `by`, with the text of the button.
    pub(super) others: Vec<(&'static str, &'static str)>,
    /// For password managers where none is asked for: whose password it is.
    pub(super) username: Option<String>,
}

impl FormView {
    /// A form; the first field with a mistake in it is where its reader goes on.
    pub(super) fn new(
        action: impl Into<String>,
        button: &'static str,
        mut fields: Vec<Field>,
    ) -> Self {
        if let Some(first) = fields.iter_mut().find(|field| field.error.is_some()) {
            first.is_focused = true;
        }
        Self {
            action: action.into(),
            button,
            fields,
            ..Self::default()
        }
    }
}

/// What a page says that was done, or why it is shown.
pub(super) struct Notice {
    pub(super) text: &'static str,
    pub(super) is_warning: bool,
}

impl Notice {
    pub(super) const fn done(text: &'static str) -> Self {
        let is_warning = false;
        Self { text, is_warning }
    }

    pub(super) const fn warning(text: &'static str) -> Self {
        let is_warning = true;
        Self { text, is_warning }
    }
}

/// A link to another page.
pub(super) struct Link {
    /// The words before it.
    pub(super) before: &'static str,
    pub(super) href: String,
    pub(super) text: &'static str,
}

impl Link {
    pub(super) fn new(href: impl Into<String>, text: &'static str) -> Self {
        Self {
            before: "",
            href: href.into(),
            text,
        }
    }
}

/// A page with a form.
#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct FormPage<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) title: &'a str,
    pub(super) intro: Cow<'a, str>,
    pub(super) notice: Option<Notice>,
    pub(super) form: FormView,
    pub(super) links: Vec<Link>,
}

/// A page without one: what was done, or why it was not.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct MessagePage<'a> {
    frame: Frame<'a>,
    title: &'a str,
    text: &'a str,
    next: Option<Link>,
}

impl<'a> MessagePage<'a> {
    pub(super) fn new(frame: Frame<'a>, message: &'a Message, next: Option<Link>) -> Self {
        Self {
            frame,
            title: message.title,
            text: message.text,
            next,
        }
    }
}

/// Puts a page in the place of an answer's content.
pub(super) fn page<B>(
    answer: HttpResponse<B>,
    view: &impl Template,
) -> Result<HttpResponse, Problem> {
    let html = view.render().map_err(|error| Problem::internal(&error))?;
    let mut answer = answer.set_body(BoxBody::new(html));
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Ok(answer)
}

/// The same with a form. Where it has a button for passkeys, the page loads their module, which may ask this service for a challenge.
pub(super) fn form_page<'a>(
    answer: HttpResponse,
    mut view: FormPage<'a>,
    settings: &'a PageSettings,
) -> Result<HttpResponse, Problem> {
    if view.form.passkey.is_none() {
        return page(answer, &view);
    }
    view.frame.script = Some(settings.passkeys.url());
    let mut answer = page(answer, &view)?;
    let policy = HeaderValue::from_static(layer::POLICY_WITH_PASSKEYS);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::{
        PageOptions,
        fields::{Field, Kind},
    };

    fn rendered(name: &str, hidden: Vec<(&'static str, String)>, field: Field) -> String {
        let settings = PageSettings::new(PageOptions {
            name: name.to_owned(),
            ..PageOptions::default()
        });
        let mut form = FormView::new("/account/recovery", "Do it", vec![field]);
        form.hidden = hidden;
        let page = FormPage {
            frame: Frame::new(Language::German, &settings),
            title: "A title",
            intro: "An intro".into(),
            notice: None,
            form,
            links: Vec::new(),
        };
        page.render().expect("it is a page")
    }

    fn field() -> Field {
        Field::new("code", "Code", Kind::Code, "one-time-code")
    }

    #[test]
    fn what_a_client_sends_is_no_markup() {
        let hidden = vec![
            ("proof", "\"><script>alert(1)</script>".to_owned()),
            ("secret", "'\"<&>".to_owned()),
        ];
        let code = Field {
            value: "<img src=x onerror=alert(1)>".to_owned(),
            ..field()
        };
        let html = rendered("Bücher & <b>Co</b>", hidden, code);
        for markup in ["<script", "<img", "<b>"] {
            assert!(!html.contains(markup), "{markup}: {html}");
        }
        assert!(html.contains("Bücher &#38; &#60;b&#62;Co"), "{html}");
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"de\" dir=\"ltr\">"));
    }

    #[test]
    fn an_error_stands_beside_its_field_and_a_password_is_never_shown_again() {
        let wrong = Field {
            hint: "Eight characters.".into(),
            error: Some("It is too short.".into()),
            value: "hunter2".to_owned(),
            ..Field::new("newPassword", "New", Kind::Password, "new-password")
        };
        let html = rendered("Example", Vec::new(), wrong);
        assert!(!html.contains("hunter2"), "{html}");
        let input = html.split("<input id=\"newPassword\"").nth(1);
        let input = input.and_then(|rest| rest.split('>').next()).unwrap();
        for attribute in [
            "type=\"password\"",
            "autocomplete=\"new-password\"",
            " required",
            "aria-invalid=\"true\"",
            "aria-describedby=\"newPassword-error newPassword-hint\"",
            " autofocus",
        ] {
            assert!(input.contains(attribute), "{attribute}: {input}");
        }
        assert!(html.contains("id=\"newPassword-error\">It is too short."));
        assert!(!html.contains("type=\"hidden\""), "there is none: {html}");
    }

    #[test]
    fn only_the_first_mistake_is_where_its_reader_goes_on() {
        let wrong = |name| Field {
            error: Some("It is wrong.".into()),
            ..Field::new(name, "Label", Kind::Text, "off")
        };
        let form = FormView::new("/", "Do it", vec![field(), wrong("a"), wrong("b")]);
        let focused: Vec<bool> = form.fields.iter().map(|field| field.is_focused).collect();
        assert_eq!(focused, [false, true, false]);
    }
}
