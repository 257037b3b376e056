//! A browser: it keeps cookies, says where its forms come from, and follows no redirect by itself.

use crate::support::{Actor, Answer, App, PASSWORD};
use reqwest::{
    Client, Method, RequestBuilder,
    cookie::{CookieStore, Jar},
    header::HeaderMap,
    redirect::Policy,
};
use std::{ops::Deref, sync::Arc};
use url::{Url, form_urlencoded};

/// What a page may load, and where its forms go.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for pages with passkeys.
pub(super) const WITH_PASSKEYS: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The one script that a page may have.
const MODULE: &str = "<script type=\"module\" src=\"/account/passkeys.js?v=";

/// The issuer's origin of the tests.
pub(super) const ORIGIN: &str = "http://localhost:8080";

/// A browser. Scripts in it use the API as an actor does.
pub(super) struct Browser {
    actor: Actor,
    language: &'static str,
    jar: Arc<Jar>,
    service: Url,
}

/// The link of a mail to a page.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) path: String,
    pub(super) proof: String,
    pub(super) secret: String,
}

impl Link {
    pub(super) fn of(link: &str) -> Self {
        assert!(link.starts_with(ORIGIN), "{link}");
        let url = Url::parse(link).expect("a URL");
        let parameter = |wanted: &str| {
            let mut found = url.query_pairs().filter(|(name, _)| name == wanted);
            let (_, value) = found.next().expect("the link has it");
            value.into_owned()
        };
        Self {
            path: url.path().to_owned(),
            proof: parameter("proof"),
            secret: parameter("secret"),
        }
    }

    /// What follows the origin.
    pub(super) fn target(&self) -> String {
        let Self {
            path,
            proof,
            secret,
        } = self;
        format!("{path}?proof={proof}&secret={secret}")
    }
}

impl Browser {
    pub(super) fn new(app: &App) -> Self {
        let jar = Arc::new(Jar::default());
        let client = Client::builder()
            .cookie_provider(Arc::clone(&jar))
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .expect("a client can be made");
        let url = format!("http://{}", app.address);
        Self {
            service: url.parse().expect("a URL"),
            actor: Actor::new(client, url),
            language: "en-GB,en;q=0.9",
            jar,
        }
    }

    /// The cookies whose names begin so, with their values.
    pub(super) fn cookies(&self, prefix: &str) -> Vec<(String, String)> {
        let sent = self.jar.cookies(&self.service);
        let sent = sent.as_ref().map_or("", |sent| sent.to_str().unwrap());
        let pairs = sent.split("; ").filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The one whose name begins so.
    pub(super) fn cookie(&self, prefix: &str) -> (String, String) {
        let mut found = self.cookies(prefix);
        assert_eq!(found.len(), 1, "{prefix}: {found:?}");
        found.remove(0)
    }

    /// Puts a cookie in the jar.
    pub(super) fn keep(&self, name: &str, value: &str) {
        let cookie = format!("{name}={value}; Path=/");
        self.jar.add_cookie_str(&cookie, &self.service);
    }

    /// Takes the cookies away whose names begin so.
    pub(super) fn forget(&self, prefix: &str) {
        for (name, _) in self.cookies(prefix) {
            let gone = format!("{name}=; Path=/; Max-Age=0");
            self.jar.add_cookie_str(&gone, &self.service);
        }
    }

    /// Sends a form and goes where it leads.
    pub(super) async fn sent(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields).await;
        self.done(answer).await
    }

    /// Signs up on the page.
    pub(super) async fn signs_up(&self, email: &str) -> Answer {
        self.sent(
            "/account/signup",
            &[("email", email), ("password", PASSWORD)],
        )
        .await
    }

    /// Signs in on the page.
    pub(super) async fn signs_in(&self, email: &str, password: &str) -> Answer {
        self.sent(
            "/account/signin",
            &[("email", email), ("password", password)],
        )
        .await
    }

    pub(super) fn german(app: &App) -> Self {
        Self {
            language: "de-AT,de;q=0.9,en;q=0.5",
            ..Self::new(app)
        }
    }

    /// Opens a page.
    pub(super) async fn open(&self, target: &str) -> Answer {
        self.load(self.actor.request(Method::GET, target)).await
    }

    /// Sends the form of the page that a link leads to, as it stands there, with what is typed.
    pub(super) async fn submit(&self, link: &Link, typed: &[(&str, &str)]) -> Answer {
        let hidden = [("proof", &*link.proof), ("secret", &*link.secret)];
        let fields: Vec<_> = hidden.iter().chain(typed).copied().collect();
        self.post(&link.path, &fields).await
    }

    /// Sends a form as one of these pages does: without a referrer, and therefore from nowhere.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = self.form(path, fields);
        let sent = form
            .header("Origin", "null")
            .header("Sec-Fetch-Site", "same-origin");
        self.load(sent).await
    }

    /// A form that says nothing about where it comes from.
    pub(super) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(fields);
        self.actor
            .request(Method::POST, path)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(encoded.finish())
    }

    pub(super) async fn load(&self, request: RequestBuilder) -> Answer {
        let request = request.header("Accept-Language", self.language);
        let response = request.send().await.expect("the service answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the answer is text");
        Answer {
            status,
            headers,
            text,
        }
    }

    /// Follows where a form leads that was carried out.
    pub(super) async fn done(&self, answer: Answer) -> Answer {
        let answer = answer.expect(303);
        assert_eq!(answer.text, "");
        let page = self.open(answer.header("location")).await.expect(200);
        assert_page(&page);
        page
    }
}

impl Deref for Browser {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

/// The names of the cookies that an answer sets.
pub(super) fn cookies(headers: &HeaderMap) -> Vec<String> {
    let set = headers.get_all("set-cookie").into_iter();
    let names = set.map(|cookie| cookie.to_str().unwrap().split('=').next().unwrap());
    names.map(str::to_owned).collect()
}

/// Whether a page asks for a field.
pub(super) fn asks(page: &Answer, field: &str) -> bool {
    page.text.contains(&format!("<input id=\"{field}\""))
}

/// What a page like this may load.
fn policy_of(page: &Answer) -> &'static str {
    if page.text.contains("data-passkey") {
        WITH_PASSKEYS
    } else {
        POLICY
    }
}

/// Fails unless this is a page, with all that protects it.
#[track_caller]
pub(super) fn assert_page(answer: &Answer) {
    for (header, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", policy_of(answer)),
    ] {
        assert_eq!(answer.header(header), value, "{header}: {answer:#?}");
    }
    let markup = answer.text.to_lowercase();
    for foreign in [
        "style=",
        "src=\"http",
        "href=\"http",
        "action=\"http",
        "javascript:",
    ] {
        assert!(!markup.contains(foreign), "{foreign}: {answer:#?}");
    }
    let scripts = answer.text.matches("<script").count();
    assert_eq!(scripts, answer.text.matches(MODULE).count(), "{answer:#?}");
    assert!(markup.starts_with("<!doctype html>"), "{answer:#?}");
    for token in ["eyJhbGci", "eyJ0eXAi"] {
        assert!(!answer.text.contains(token), "no token: {answer:#?}");
    }
    assert!(answer.text.len() < 20 * 1024, "{}", answer.text.len());
    if answer.status >= 400 {
        let id = answer.header("x-request-id");
        assert!(id.len() == 36 && markup.contains(id), "{answer:#?}");
    }
}

/// What a form carries without showing it.
pub(super) fn hidden(page: &Answer, name: &str) -> Option<String> {
    let before = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let value = page.text.split(&*before).nth(1)?.split('"').next()?;
    Some(value.replace("&#34;", "\"").replace("&#38;", "&"))
}
