//! What can be clicked on a page: its links, and its forms.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use url::{Url, form_urlencoded::Serializer};

/// What the robot types where a password is asked for.
const PASSWORD: &str = "a password that no robot has";

/// A page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Where its links lead, each once.
    pub(super) links: Vec<Url>,
    pub(super) forms: Vec<Form>,
}

/// A form with its fields as they stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    target: Target,
    fields: Vec<Field>,
    /// What sends it; one without any is sent by the enter key.
    buttons: Vec<Button>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    url: Url,
    is_post: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
    is_password: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Button {
    /// What it adds to the fields, if it has a name.
    field: Option<(String, String)>,
    /// Where it sends the form.
    target: Target,
}

/// A form as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Submission {
    pub(super) url: Url,
    /// Of a POST, `application/x-www-form-urlencoded`; a GET has its fields in the URL.
    pub(super) body: Option<String>,
}

impl Page {
    /// Reads a page that was found at this URL.
    pub(super) fn read(html: &str, base: &Url) -> Self {
        let mut emitter = DefaultEmitter::<()>::default();
        // What scripts and styles hold are no tags.
        emitter.naively_switch_states(true);
        let (mut page, mut is_in_form) = (Self::default(), false);
        for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
            match token {
                Token::StartTag(tag) => match &tag.name[..] {
                    b"a" | b"area" => page.link(&tag, base),
                    b"form" => {
                        page.forms.push(Form::begin(&tag, base));
                        is_in_form = true;
                    }
                    b"input" | b"button" if is_in_form => {
                        if let Some(form) = page.forms.last_mut() {
                            form.control(&tag, base);
                        }
                    }
                    _ => {}
                },
                Token::EndTag(tag) if tag.name == b"form" => is_in_form = false,
                _ => {}
            }
        }
        page
    }

    fn link(&mut self, tag: &StartTag<()>, base: &Url) {
        let url = attribute(tag, "href").and_then(|href| base.join(&href).ok());
        if let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https"))
            && !self.links.contains(&url)
        {
            self.links.push(url);
        }
    }
}

impl Form {
    fn begin(tag: &StartTag<()>, base: &Url) -> Self {
        let action = attribute(tag, "action").filter(|action| !action.is_empty());
        let url = action.and_then(|action| base.join(&action).ok());
        Self {
            target: Target {
                url: url.unwrap_or_else(|| base.clone()),
                is_post: is_post(attribute(tag, "method")),
            },
            fields: Vec::new(),
            buttons: Vec::new(),
        }
    }

    fn control(&mut self, tag: &StartTag<()>, base: &Url) {
        if attribute(tag, "disabled").is_some() {
            return;
        }
        let usual = if tag.name == b"button" {
            "submit"
        } else {
            "text"
        };
        let kind = attribute(tag, "type").unwrap_or_else(|| usual.to_owned());
        let name = attribute(tag, "name").filter(|name| !name.is_empty());
        let value = attribute(tag, "value");
        match kind.to_ascii_lowercase().as_str() {
            "submit" | "image" => {
                let mut target = self.target.clone();
                if let Some(url) = attribute(tag, "formaction").and_then(|url| base.join(&url).ok())
                {
                    target.url = url;
                }
                if let Some(method) = attribute(tag, "formmethod") {
                    target.is_post = is_post(Some(method));
                }
                let field = name.map(|name| (name, value.unwrap_or_default()));
                self.buttons.push(Button { field, target });
            }
            "button" | "reset" | "file" => {}
            "checkbox" | "radio" if attribute(tag, "checked").is_none() => {}
            kind => {
                let unnamed_value = if matches!(kind, "checkbox" | "radio") {
                    "on"
                } else {
                    ""
                };
                self.fields.extend(name.map(|name| Field {
                    name,
                    value: value.unwrap_or_else(|| unnamed_value.to_owned()),
                    is_password: kind == "password",
                }));
            }
        }
    }

    /// How it can be sent: by each of its buttons with its fields as they stand, and, if passwords are asked for, with some.
    pub(super) fn submissions(&self) -> Vec<Submission> {
        let enter = Button {
            field: None,
            target: self.target.clone(),
        };
        let buttons: &[Button] = if self.buttons.is_empty() {
            std::slice::from_ref(&enter)
        } else {
            &self.buttons
        };
        let asks = |field: &Field| field.is_password && field.value.is_empty();
        let fillings: &[&str] = if self.fields.iter().any(asks) {
            &["", PASSWORD]
        } else {
            &[""]
        };
        let sent = buttons.iter().flat_map(|button| {
            fillings
                .iter()
                .map(move |password| self.sent(button, password))
        });
        sent.collect()
    }

    fn sent(&self, button: &Button, password: &str) -> Submission {
        let mut pairs = Serializer::new(String::new());
        for field in &self.fields {
            let is_empty = field.is_password && field.value.is_empty();
            let value = if is_empty { password } else { &field.value };
            pairs.append_pair(&field.name, value);
        }
        if let Some((name, value)) = &button.field {
            pairs.append_pair(name, value);
        }
        let (mut url, pairs) = (button.target.url.clone(), pairs.finish());
        if button.target.is_post {
            return Submission {
                url,
                body: Some(pairs),
            };
        }
        url.set_query(Some(&pairs));
        Submission { url, body: None }
    }
}

fn is_post(method: Option<String>) -> bool {
    method.is_some_and(|method| method.eq_ignore_ascii_case("post"))
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        let base = "http://127.0.0.1:8080/account/recovery?proof=a&secret=b";
        Page::read(html, &base.parse().expect("a URL"))
    }

    /// What is sent, as method, path with query, and body.
    fn sent(html: &str) -> Vec<(&'static str, String, String)> {
        let page = page(html);
        let all = page.forms.iter().flat_map(Form::submissions);
        all.map(|sent| {
            let query = sent.url.query().map(|query| format!("?{query}"));
            let at = format!("{}{}", sent.url.path(), query.unwrap_or_default());
            match sent.body {
                Some(body) => ("POST", at, body),
                None => ("GET", at, String::new()),
            }
        })
        .collect()
    }

    #[test]
    fn links_are_resolved_and_found_once() {
        let page = page(
            "<!doctype html><a href='/docs'>x</a> <A HREF=\"/docs\">y</A> <a href='?a=1&amp;b=2'>z</a> <a href='mailto:ann@example.org'>m</a>
             <a>none</a> <script>'<a href=\"/script\">'</script> <!-- <a href='/comment'> --> <a href='https://example.org/x'>out</a>",
        );
        let links: Vec<_> = page.links.iter().map(Url::as_str).collect();
        assert_eq!(
            links,
            [
                "http://127.0.0.1:8080/docs",
                "http://127.0.0.1:8080/account/recovery?a=1&b=2",
                "https://example.org/x"
            ]
        );
    }

    #[test]
    fn a_form_is_sent_with_its_fields_as_they_stand() {
        let html = "<input name=outside value=x>
            <form method=POST action=/account/recovery/confirm>
            <input type=hidden name=proof value='a b&amp;c'> <input name=code> <input type=checkbox name=no> <input type=checkbox name=yes checked>
            <input name=off value=x disabled> <input type=file name=file> <input value='no name'> <button type=button name=none>x</button>
            <button>Go</button></form> <input name=behind value=x>";
        let body = "proof=a+b%26c&code=&yes=on".to_owned();
        assert_eq!(
            sent(html),
            [("POST", "/account/recovery/confirm".to_owned(), body)]
        );
    }

    #[test]
    fn each_button_is_clicked_and_may_lead_elsewhere() {
        let html = "<form method=post><input name=a value=1><button name=do value=yes>Yes</button>
            <input type=submit name=do value=no formaction='/no'><button formmethod=get>Look</button></form>";
        let here = "/account/recovery?proof=a&secret=b".to_owned();
        assert_eq!(
            sent(html),
            [
                ("POST", here, "a=1&do=yes".to_owned()),
                ("POST", "/no".to_owned(), "a=1&do=no".to_owned()),
                ("GET", "/account/recovery?a=1".to_owned(), String::new()),
            ]
        );
    }

    #[test]
    fn a_form_that_asks_for_a_password_is_sent_without_and_with_one() {
        let html = "<form method=post action=x><input type=hidden name=proof value=a><input type=password name=new></form>";
        let bodies: Vec<_> = sent(html).into_iter().map(|(_, _, body)| body).collect();
        assert_eq!(
            bodies,
            ["proof=a&new=", "proof=a&new=a+password+that+no+robot+has"]
        );
    }
}
