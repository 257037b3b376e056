//! The templates, and what they are filled with.

use super::{
    style,
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
    texts: &'static Texts,
    /// What the service is called.
    name: &'a str,
    style: &'static str,
    /// On pages that tell of a mistake or a failure.
    request: Option<RequestId>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(language: Language, name: &'a str) -> Self {
        Self {
            texts: language.texts(),
            name,
            style: style::url(),
            request: None,
        }
    }

    /// Names the request.
    pub(super) fn failed(self) -> Self {
        Self {
            request: Some(RequestId::current()),
            ..self
        }
    }
}

/// What a page says of itself.
pub(super) struct PageTexts {
    pub(super) title: &'static str,
    pub(super) intro: &'static str,
    pub(super) button: &'static str,
    /// Once it is done.
    pub(super) done: Message,
    /// The text of a link to another page.
    pub(super) other: &'static str,
}

/// What a form has been given: by its link, or when it was sent.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) proof: String,
    pub(super) secret: Option<String>,
    /// As it was typed.
    pub(super) code: Option<String>,
}

/// A field that is asked for.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: Cow<'static, str>,
    pub(super) error: Option<Cow<'static, str>>,
    pub(super) autocomplete: &'static str,
    pub(super) required: bool,
    /// Else it is a password, which is never shown again.
    pub(super) is_code: bool,
    pub(super) value: String,
}

/// A link to another page.
pub(super) struct Other {
    pub(super) href: String,
    pub(super) text: &'static str,
}

/// A page with a form.
#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct FormView<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) texts: &'a PageTexts,
    pub(super) action: &'a str,
    pub(super) given: &'a Given,
    pub(super) alert: Option<Cow<'static, str>>,
    pub(super) fields: Vec<Field>,
    pub(super) other: Option<Other>,
}

/// A page without one: what was done, or why it was not.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct MessageView<'a> {
    frame: Frame<'a>,
    title: &'a str,
    text: &'a str,
}

impl<'a> MessageView<'a> {
    pub(super) fn new(frame: Frame<'a>, message: &'a Message) -> Self {
        Self {
            frame,
            title: message.title,
            text: message.text,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(name: &str, given: &Given, field: Field) -> String {
        let texts = PageTexts {
            title: "A title",
            intro: "An intro",
            button: "Do it",
            done: Message {
                title: "Done",
                text: "It is done.",
            },
            other: "",
        };
        let view = FormView {
            frame: Frame::new(Language::German, name),
            texts: &texts,
            action: "/account/recovery",
            given,
            alert: None,
            fields: vec![field],
            other: None,
        };
        view.render().expect("it is a page")
    }

    fn field() -> Field {
        Field {
            name: "code",
            label: "Code",
            hint: "Six digits.".into(),
            error: None,
            autocomplete: "one-time-code",
            required: true,
            is_code: true,
            value: String::new(),
        }
    }

    #[test]
    fn what_a_client_sends_is_no_markup() {
        let given = Given {
            proof: "\"><script>alert(1)</script>".to_owned(),
            secret: Some("'\"<&>".to_owned()),
            code: None,
        };
        let code = Field {
            value: "<img src=x onerror=alert(1)>".to_owned(),
            ..field()
        };
        let html = rendered("Bücher & <b>Co</b>", &given, code);
        for markup in ["<script", "<img", "<b>"] {
            assert!(!html.contains(markup), "{markup}: {html}");
        }
        assert!(html.contains("Bücher &#38; &#60;b&#62;Co"), "{html}");
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"de\">"));
    }

    #[test]
    fn an_error_stands_beside_its_field_and_a_password_is_never_shown_again() {
        let wrong = Field {
            name: "newPassword",
            error: Some("It is too short.".into()),
            autocomplete: "new-password",
            is_code: false,
            value: "hunter2".to_owned(),
            ..field()
        };
        let html = rendered("Example", &Given::default(), wrong);
        assert!(!html.contains("hunter2"), "{html}");
        let input = html.split("<input id=\"newPassword\"").nth(1);
        let input = input.and_then(|rest| rest.split('>').next()).unwrap();
        for attribute in [
            "type=\"password\"",
            "autocomplete=\"new-password\"",
            " required",
            "aria-invalid=\"true\"",
            "aria-describedby=\"newPassword-error newPassword-hint\"",
        ] {
            assert!(input.contains(attribute), "{attribute}: {input}");
        }
        assert!(html.contains("id=\"newPassword-error\">It is too short."));
        assert!(!html.contains("name=\"secret\""), "there is none: {html}");
    }
}
