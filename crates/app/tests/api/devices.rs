//! Device credentials in browsers, which have one cookie jar for all front ends and all ports of a host, and copies of credentials.

use crate::support::{Actor, Answer, App, Backing, PASSWORD, Store, on_both_stores, path};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SHOP: &str = "https://shop.example.org";
const BLOG: &str = "https://blog.example.org";

/// The cookie that earlier versions set.
const EARLIER: &str = "revolve-device";

/// A browser with its cookies of the service's host.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

/// What a front end keeps of a sign-in.
struct Page {
    origin: &'static str,
    refresh_token: String,
}

impl Browser {
    /// A browser that has this cookie already.
    fn with(name: &str, value: &str) -> Self {
        Self {
            cookies: [(name.to_owned(), value.to_owned())].into(),
        }
    }

    async fn post(&mut self, actor: &Actor, origin: &str, operation: &str, body: &Value) -> Answer {
        let mut request = actor
            .request(Method::POST, &path(operation))
            .header("Sec-Fetch-Site", "same-site")
            .header("Origin", origin);
        if !self.cookies.is_empty() {
            request = request.header("Cookie", self.header());
        }
        let answer = actor.send(request.json(body)).await;
        self.keep(&answer);
        answer
    }

    fn header(&self) -> String {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next();
            let (name, value) = pair.and_then(|pair| pair.split_once('=')).unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    async fn sign_up(&mut self, actor: &Actor, origin: &'static str, name: &str) -> Page {
        let answer = self.post(actor, origin, "/signup", &who(name)).await;
        Page::of(origin, &answer.expect(201))
    }

    async fn sign_in(&mut self, actor: &Actor, origin: &'static str, name: &str) -> Page {
        let answer = self.post(actor, origin, "/signin", &who(name)).await;
        Page::of(origin, &answer.expect(200))
    }

    async fn refresh(&mut self, actor: &Actor, page: &mut Page) -> Answer {
        let body = json!({ "refreshToken": page.refresh_token });
        let answer = self.post(actor, page.origin, "/tokens", &body).await;
        if answer.status == 200 {
            *page = Page::of(page.origin, &answer);
        }
        answer
    }
}

impl Page {
    fn of(origin: &'static str, answer: &Answer) -> Self {
        let token = &answer.json()["tokens"]["refreshToken"];
        Self {
            origin,
            refresh_token: token.as_str().unwrap().to_owned(),
        }
    }

    fn device(&self) -> Value {
        Actor::claims(&self.refresh_token)["did"].clone()
    }
}

fn who(name: &str) -> Value {
    json!({ "email": format!("{name}@example.org"), "password": PASSWORD })
}

/// Sends a token with a credential in the header.
async fn refresh_showing(actor: &Actor, token: &str, credential: &str) -> Answer {
    let request = actor
        .request(Method::POST, &path("/tokens"))
        .header("Revolve-Device", credential);
    actor
        .send(request.json(&json!({ "refreshToken": token })))
        .await
}

/// Signs in with a copy of a credential that is worth nothing any more: the new session has another one.
async fn assert_replaced(mut ann: Actor, copy: &str) {
    let before = ann.clone();
    ann.sign_in_again("ann@example.org").await.expect(200);
    assert_ne!(ann.credential.as_deref(), Some(copy), "a new credential");
    ann.refresh_bound().await.expect(200);
    refresh_showing(&ann, &ann.refresh_token, copy)
        .await
        .expect_problem(401, "device_mismatch");
    let status = before.get("/me").await.status;
    assert_eq!(status, 401, "the session that the device had is over");
    let kept = ann.credential.clone();
    ann.sign_in_again("ann@example.org").await.expect(200);
    assert_eq!(ann.credential, kept, "the new one is kept");
}

on_both_stores! {
    async fn a_copied_credential_is_replaced_after_a_password_change(app: App) {
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);
        let copy = ann.credential.clone().unwrap();
        for (current, new) in [(PASSWORD, "staple of a better horse"), ("staple of a better horse", PASSWORD)] {
            ann.put("/password", json!({ "currentPassword": current, "newPassword": new })).await.expect(204);
        }
        ann.refresh_bound().await.expect(200);
        assert_replaced(ann, &copy).await;
    }

    async fn a_copied_credential_is_replaced_after_a_sign_out_everywhere(app: App) {
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);
        ann.sign_out("everywhere").await.expect(204);
        let copy = ann.credential.clone().unwrap();
        assert_replaced(ann, &copy).await;
    }

    async fn a_copied_credential_is_replaced_after_reuse(app: App, "sessions.retry_free = '0s'\nsessions.bound_retry_window = '0s'") {
        let mut ann = app.sign_up("ann").await;
        let parent = ann.refresh_token.clone();
        ann.refresh_bound().await.expect(200);
        let copy = ann.credential.clone().unwrap();
        refresh_showing(&ann, &parent, &copy).await.expect_problem(401, "token_reused");
        assert_replaced(ann, &copy).await;
    }

    async fn a_credential_is_kept_through_ordinary_sign_ins(app: App) {
        let mut ann = app.sign_up("ann").await;
        let credential = ann.credential.clone();
        ann.sign_in_again("ann@example.org").await.expect(200);
        ann.sign_out("this").await.expect(204);
        ann.sign_in_again("ann@example.org").await.expect(200);
        assert_eq!(ann.credential, credential);
        assert!(Actor::claims(&ann.refresh_token)["did"].is_string(), "bound from the start");
    }

    async fn a_planted_credential_binds_nobodys_session(app: App) {
        let mallory = app.sign_up("mallory").await;
        let planted = mallory.credential.clone().unwrap();
        app.sign_up("ann").await;
        let anon = app.anon();
        for operation in ["/signin", "/signup"] {
            let mut browser = Browser::with(EARLIER, &planted);
            let name = if operation == "/signin" { "ann" } else { "bob" };
            let answer = browser.post(&anon, SHOP, operation, &who(name)).await;
            let mut page = Page::of(SHOP, &answer);
            assert_eq!(page.device(), Value::Null, "the session is not bound to it");
            browser.refresh(&anon, &mut page).await.expect(200);
            assert!(page.device().is_string());
            refresh_showing(&anon, &page.refresh_token, &planted).await.expect_problem(401, "device_mismatch");
            browser.refresh(&anon, &mut page).await.expect(200);
        }
    }

    async fn front_ends_of_one_site_do_not_sign_each_other_out(
        app: App, "http.cors_origins = ['https://shop.example.org', 'https://blog.example.org']\n"
    ) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        let mut shop = browser.sign_up(&anon, SHOP, "ann").await;
        let mut blog = browser.sign_in(&anon, BLOG, "ann").await;
        for _ in 0..2 {
            browser.refresh(&anon, &mut shop).await.expect(200);
            browser.refresh(&anon, &mut blog).await.expect(200);
            assert_eq!(shop.device(), blog.device(), "one browser is one device");
            let mut before = shop;
            shop = browser.sign_in(&anon, SHOP, "ann").await;
            browser.refresh(&anon, &mut before).await.expect_problem(401, "session_replaced");
            browser.refresh(&anon, &mut blog).await.expect(200);
        }
        // A client that names no origin is one more.
        let mut app_of_hers = app.anon();
        app_of_hers.credential = browser.cookies.values().next().cloned();
        app_of_hers.sign_in_again("ann@example.org").await.expect(200);
        app_of_hers.sign_in_again("ann@example.org").await.expect(200);
        browser.refresh(&anon, &mut shop).await.expect(200);
        browser.refresh(&anon, &mut blog).await.expect(200);
    }

    async fn two_accounts_in_one_browser_do_not_sign_each_other_out(
        app: App, "http.cors_origins = ['https://shop.example.org', 'https://blog.example.org']\n"
    ) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        let mut ann = browser.sign_up(&anon, SHOP, "ann").await;
        browser.refresh(&anon, &mut ann).await.expect(200);
        let mut bob = browser.sign_up(&anon, BLOG, "bob").await;
        for _ in 0..2 {
            browser.refresh(&anon, &mut ann).await.expect(200);
            browser.refresh(&anon, &mut bob).await.expect(200);
            assert_ne!(ann.device(), bob.device(), "each account has a credential of its own");
            let device = ann.device();
            ann = browser.sign_in(&anon, SHOP, "ann").await;
            assert_eq!(ann.device(), device, "and keeps it");
        }
        anon.refresh_with(&ann.refresh_token).await.expect_problem(401, "device_mismatch");
        let others = browser.header().matches('~').count();
        assert_eq!(others, 1, "no credential is there twice: {}", browser.header());
    }

    async fn two_sign_ins_at_once_in_one_browser_are_no_theft(app: App) {
        app.sign_up("ann").await;
        let (anon, body) = (app.anon(), who("ann"));
        let (mut one, mut other) = (Browser::default(), Browser::default());
        let (first, second) = futures_util::future::join(
            one.post(&anon, SHOP, "/signin", &body),
            other.post(&anon, SHOP, "/signin", &body),
        )
        .await;
        // The browser keeps the cookie of the second answer, the front end the token of the first, or both.
        let (mut first, mut second) = (Page::of(SHOP, &first.expect(200)), Page::of(SHOP, &second.expect(200)));
        let mut browser = other;
        browser.refresh(&anon, &mut first).await.expect(200);
        browser.refresh(&anon, &mut second).await.expect(200);
        assert_eq!(first.device(), second.device(), "both are bound to the device of the cookie");
        one.refresh(&anon, &mut first).await.expect_problem(401, "device_mismatch");
        browser.refresh(&anon, &mut first).await.expect(200);
        let mut third = browser.sign_in(&anon, SHOP, "ann").await;
        for mut replaced in [first, second] {
            browser.refresh(&anon, &mut replaced).await.expect_problem(401, "session_replaced");
        }
        browser.refresh(&anon, &mut third).await.expect(200);
    }

    async fn another_users_device_binds_nothing(app: App) {
        let (mut ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        for credential in [bob.credential.as_deref().unwrap(), "forged"] {
            let answer = refresh_showing(&ann, &ann.refresh_token, credential).await.expect(200);
            assert_eq!(Page::of(SHOP, &answer).device(), Value::Null, "as if none had been shown");
        }
        ann.refresh_bound().await.expect(200);
        for credential in [bob.credential.as_deref().unwrap(), "forged"] {
            refresh_showing(&ann, &ann.refresh_token, credential).await.expect_problem(401, "device_mismatch");
        }
        ann.refresh_bound().await.expect(200);
    }

    async fn two_users_who_sign_in_at_once_in_one_browser_are_no_theft(app: App) {
        let (anon, mut one, mut browser) = (app.anon(), Browser::default(), Browser::default());
        // The browser keeps the cookie of the second answer, which knows nothing of the first.
        let mut ann = one.sign_up(&anon, SHOP, "ann").await;
        let mut bob = browser.sign_up(&anon, SHOP, "bob").await;
        for _ in 0..2 {
            browser.refresh(&anon, &mut ann).await.expect(200);
            browser.refresh(&anon, &mut bob).await.expect(200);
        }
        assert_eq!(ann.device(), Value::Null, "not bound to another user's device");
        assert!(bob.device().is_string());
        let mut ann = browser.sign_in(&anon, SHOP, "ann").await;
        browser.refresh(&anon, &mut ann).await.expect(200);
        browser.refresh(&anon, &mut bob).await.expect(200);
        assert_ne!(ann.device(), bob.device());
    }

    async fn two_installations_on_one_host_share_a_browser(app: App) {
        let second = Backing::new(Store::Embedded).await.unwrap();
        let other = app.replica_with(&second.config("")).await;
        // Browsers send the cookies of a host to all of its ports.
        let (anon, there, mut browser) = (app.anon(), other.anon(), Browser::default());
        let mut here = browser.sign_up(&anon, SHOP, "ann").await;
        browser.refresh(&anon, &mut here).await.expect(200);
        let mut elsewhere = browser.sign_up(&there, SHOP, "ann").await;
        for _ in 0..2 {
            browser.refresh(&anon, &mut here).await.expect(200);
            browser.refresh(&there, &mut elsewhere).await.expect(200);
        }
        browser.cookies.remove(EARLIER);
        assert_eq!(browser.cookies.len(), 2, "{:?}", browser.cookies.keys());
        let replica = app.replica().await;
        let mut again = Browser::default();
        again.sign_in(&replica.anon(), SHOP, "ann").await;
        again.cookies.remove(EARLIER);
        let name = again.cookies.keys().next().unwrap();
        assert!(browser.cookies.contains_key(name), "all replicas use the same name, at every start");
        replica.stop().await;
        other.stop().await;
    }

    async fn the_cookie_of_an_earlier_release_is_read(app: App) {
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);
        let (anon, device) = (app.anon(), Actor::claims(&ann.refresh_token)["did"].clone());
        let mut browser = Browser::with(EARLIER, ann.credential.as_deref().unwrap());
        let mut page = Page { origin: SHOP, refresh_token: ann.refresh_token.clone() };
        browser.refresh(&anon, &mut page).await.expect(200);
        let mut renamed = Browser { cookies: browser.cookies.clone() };
        assert_eq!(renamed.cookies.remove(EARLIER), ann.credential);
        assert_eq!(renamed.cookies.values().next(), ann.credential.as_ref(), "the same under the present name");
        let answer = renamed.refresh(&anon, &mut page).await.expect(200);
        assert!(!answer.headers.contains_key("set-cookie"), "once is enough");
        let mut page = browser.sign_in(&anon, SHOP, "ann").await;
        assert_eq!(page.device(), device, "the device is kept");
        let (name, value) = browser.cookies.remove_entry(EARLIER).unwrap();
        browser.refresh(&anon, &mut page).await.expect(200);
        // A replica of that version reads nothing else.
        Browser::with(&name, &value).refresh(&anon, &mut page).await.expect(200);
    }
}
