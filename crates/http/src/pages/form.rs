//! The forms of pages as browsers send them.

use super::landing::Given;
use crate::kit::{
    body::{Body, MediaType, NestedBody, read},
    form::fields,
    problem::Problem,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::{collections::BTreeMap, future::Future, pin::Pin};

/// The fields of a form, but for those that were left empty.
#[derive(Debug, Default)]
pub(crate) struct Form(BTreeMap<String, String>);

/// The field with the place that its reader wants to go on to.
pub(super) const RETURN_TO: &str = "return_to";

/// The field in which the module sends a passkey.
const CREDENTIAL: &str = "credential";

impl Form {
    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        fields(bytes).map(Self)
    }

    /// What the API's operation would be sent. A code goes before the link's secret: where it was asked for, the link did not do.
    pub(super) fn body(&self) -> Body {
        self.fields(!self.0.contains_key("code"))
    }

    /// The same where the link alone never does.
    pub(super) fn body_with_code(&self) -> Body {
        self.fields(false)
    }

    fn fields(&self, with_secret: bool) -> Body {
        let fields = self.0.clone().into_iter();
        Body::of_fields(
            fields.filter(|(name, _)| name != RETURN_TO && (with_secret || name != "secret")),
        )
    }

    /// These fields alone. A passkey stands in `credential` as JSON.
    pub(super) fn only(&self, names: &[&str]) -> Result<Body, Problem> {
        let named = |name: &&str| Some(((*name).to_owned(), self.0.get(*name)?.clone()));
        let fields = names.iter().filter_map(named);
        let body = Body::of_fields(fields.filter(|(name, _)| name != CREDENTIAL));
        match self.get(CREDENTIAL).filter(|_| names.contains(&CREDENTIAL)) {
            Some(json) => Ok(body.with_object(CREDENTIAL, NestedBody::parse(json.as_bytes())?)),
            None => Ok(body),
        }
    }

    /// Whether a passkey was shown or made.
    pub(super) fn has_passkey(&self) -> bool {
        self.0.contains_key(CREDENTIAL)
    }

    /// A field as it was typed.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// What is shown once more.
    pub(super) fn given(&self) -> Given {
        let field = |name| self.get(name).map(str::to_owned);
        Given {
            proof: field("proof").unwrap_or_default(),
            secret: field("secret"),
        }
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { Self::parse(&read(&request, payload, MediaType::Form).await?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(form: &str) -> Result<Option<String>, &'static str> {
        let form = Form::parse(form.as_bytes());
        form.map(|form| form.get("code").map(str::to_owned))
            .map_err(|problem| problem.code())
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let typed = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(code("proof=x&code=204+816"), typed("204 816"));
        assert_eq!(code("code=%C3%BC%26%3D%2B"), typed("ü&=+"));
        assert_eq!(code("proof=x&code="), Ok(None), "left empty");
        assert_eq!(code("code=+%20"), Ok(None), "left empty");
        assert_eq!(code(""), Ok(None));
    }

    #[test]
    fn a_field_that_is_there_twice_or_no_text_is_refused() {
        assert_eq!(code("code=1&code=2"), Err("duplicate_member"));
        assert_eq!(code("code=&code=2"), Err("duplicate_member"));
        for bytes in ["newPassword=%FF", "newPassword=%C3", "%FF=1"] {
            assert_eq!(code(bytes), Err("incomplete_body"), "{bytes}");
        }
    }

    #[test]
    fn a_code_goes_before_the_secret_of_the_link() {
        let has = |form: &str| {
            let body = Form::parse(form.as_bytes()).unwrap().body();
            (body.has("code"), body.has("secret"))
        };
        assert_eq!(has("secret=s&code=1"), (true, false));
        assert_eq!(has("secret=s&code="), (false, true));
        let form = Form::parse(b"secret=s&code=").unwrap();
        assert!(!form.body_with_code().has("secret"));
        let form = Form::parse(b"return_to=/account&email=a").unwrap();
        assert!(form.body().has("email") && !form.body().has("return_to"));
    }

    #[test]
    fn a_passkey_is_an_object_among_the_fields() {
        let only = |form: &str| {
            let form = Form::parse(form.as_bytes()).unwrap();
            let body = form.only(&["challenge", "credential"]);
            body.map_err(|problem| problem.code())
        };
        let mut body = only("challenge=c&credential=%7B%22id%22%3A%22x%22%7D&email=a").unwrap();
        assert!(body.has("challenge") && !body.has("email"));
        let credential = body.object("credential").unwrap();
        assert_eq!(credential["id"], "x");
        assert!(!only("challenge=c").unwrap().has("credential"));
        for text in ["%5B%5D", "%7B", "null", "x"] {
            let refused = only(&format!("credential={text}"));
            assert_eq!(refused.err(), Some("malformed_json"), "{text}");
        }
    }
}
