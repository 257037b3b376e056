//! Requests that a page of somebody else makes a signed-in browser send: none is accepted. The cookies go along with each, though a browser
//! keeps them back from other sites (`SameSite=Strict`).

use super::*;
use crate::support::{App, described::operations, on_both_stores};
use revolve::BASE;

/// Who sends it: `Origin`, and `Sec-Fetch-Site`.
const STRANGERS: [(Option<&str>, Option<&str>); 22] = [
    // A page of another site, and one whose browser is old.
    (Some("https://evil.example"), Some("cross-site")),
    (Some("https://evil.example"), None),
    // Sibling hosts, to which `SameSite` is no hindrance.
    (Some("https://evil.example.org"), Some("same-site")),
    (Some("https://x.shop.example.org"), Some("same-site")),
    (Some("http://localhost:8081"), Some("same-site")),
    (Some("http://localhost"), Some("same-site")),
    (Some("https://localhost:8080"), Some("cross-site")),
    // Sandboxed frames, files, redirects and pages without a referrer.
    (Some("null"), Some("cross-site")),
    (Some("null"), Some("same-site")),
    (Some("null"), Some("none")),
    (Some("null"), None),
    // No origin.
    (None, Some("cross-site")),
    (None, Some("same-site")),
    (None, Some("none")),
    (None, Some("Same-Origin")),
    (None, None),
    // What only looks like one of ours.
    (Some("http://localhost:8080/"), Some("same-origin")),
    (Some("HTTP://LOCALHOST:8080"), Some("same-origin")),
    (
        Some("http://localhost:8080.evil.example"),
        Some("same-origin"),
    ),
    (
        Some("https://evil.example http://localhost:8080"),
        Some("same-origin"),
    ),
    (Some("https://blog.example.org"), Some("same-site")),
    // Listed, but of another site: browsers keep the cookie back.
    (Some(SHOP), Some("cross-site")),
];

/// What takes or sets the cookie.
const OPERATIONS: [&str; 10] = [
    "/tokens",
    "/signout",
    "/signin",
    "/signup",
    "/signup/confirm",
    "/signin/code/confirm",
    "/signin/factor",
    "/signin/passkey",
    "/recovery/confirm",
    "/email/undo/confirm",
];

/// What forms and `fetch` with `no-cors` can send (Fetch Standard, "CORS-safelisted request-header"): a media type, and any text.
const SIMPLE: [(&str, &str); 5] = [
    (
        "application/x-www-form-urlencoded",
        "email=bob%40example.org&password=correct+horse+battery&scope=this&Revolve-Tokens=cookie",
    ),
    (
        "text/plain",
        "{\"email\":\"bob@example.org\",\"password\":\"correct horse battery\"}",
    ),
    ("text/plain;charset=UTF-8", "{}"),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"scope\"\r\n\r\nthis\r\n--x--\r\n",
    ),
    ("text/plain", ""),
];

fn from(request: RequestBuilder, origin: Option<&str>, site: Option<&str>) -> RequestBuilder {
    let sent = [("Origin", origin), ("Sec-Fetch-Site", site)];
    let sent = sent
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    sent.fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

/// Somebody who is signed in at the service's own pages and at a front end.
async fn signed_in(app: &App) -> (Actor, Browser) {
    let (anon, mut browser) = (app.anon(), Browser::default());
    browser.sign_up(&anon, OWN, "ann").await;
    browser.refresh(&anon, OWN).await.expect(200);
    browser.sign_in(&anon, SHOP, "ann").await;
    app.sign_up("bob").await;
    (anon, browser)
}

/// Fails if something has come of it.
#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
    let json = answer.json();
    assert!(
        json["code"].is_string() && json.get("tokens").is_none(),
        "{what}: {answer:?}"
    );
    assert_eq!(answer.headers.get("set-cookie"), None, "{what}: {answer:?}");
}

/// The sessions are as they were.
async fn assert_unharmed(anon: &Actor, mut browser: Browser) {
    let (own, shop) = (browser.claims(OWN), browser.claims(SHOP));
    for (origin, before) in [(OWN, own), (SHOP, shop)] {
        let answer = browser.refresh(anon, origin).await.expect(200);
        assert_eq!(
            email_of(anon, &id_token(&answer), &browser).await,
            "ann@example.org"
        );
        let after = browser.claims(origin);
        assert_eq!(after["sid"], before["sid"], "{origin}");
        assert_eq!(
            after["gen"],
            json!(before["gen"].as_u64().unwrap() + 1),
            "{origin}"
        );
    }
}

on_both_stores! {
    async fn nothing_that_a_form_an_image_or_a_blind_fetch_sends_is_accepted(app: App, "http.cors_origins = ['https://shop.example.org']\n") {
        let (anon, browser) = signed_in(&app).await;
        // Nor is it if the page is one of ours: without the header the cookie counts for nothing.
        let ours = [(Some(OWN), Some("same-origin")), (Some(SHOP), Some("same-site")), (None, Some("same-origin"))];
        for (origin, site) in STRANGERS.into_iter().chain(ours) {
            for operation in OPERATIONS {
                for (media_type, body) in SIMPLE {
                    for target in [operation.to_owned(), format!("{operation}?Revolve-Tokens=cookie&revolve-tokens=cookie")] {
                        let request = browser.with_cookies(anon.request(Method::POST, &path(&target)));
                        let request = from(request, origin, site).header("Content-Type", media_type).body(body);
                        let what = format!("{origin:?} {site:?} {operation} {media_type}");
                        assert_refused(&anon.send(request).await, &what);
                    }
                }
                // A form without fields.
                let empty = from(browser.with_cookies(anon.request(Method::POST, &path(operation))), origin, site);
                assert_refused(&anon.send(empty).await, operation);
                // Images, links and frames.
                let get = from(browser.with_cookies(anon.request(Method::GET, &path(operation))), origin, site);
                anon.send(get).await.expect_problem(405, "method_not_allowed");
            }
        }
        assert_unharmed(&anon, browser).await;
    }

    async fn nothing_from_elsewhere_is_accepted_with_the_header(app: App, "http.cors_origins = ['https://shop.example.org']\n") {
        let (anon, browser) = signed_in(&app).await;
        for (origin, site) in STRANGERS {
            for operation in OPERATIONS {
                for body in [None, Some(json!({})), Some(who("bob"))] {
                    let request = browser.with_cookies(anon.request(Method::POST, &path(operation)));
                    let request = from(request, origin, site).header("Revolve-Tokens", "cookie");
                    let request = match body {
                        Some(body) => request.json(&body),
                        None => request,
                    };
                    let answer = anon.send(request).await;
                    assert_refused(&answer, &format!("{origin:?} {site:?} {operation}"));
                    answer.expect_problem(403, "csrf_refused");
                }
            }
        }
        assert_unharmed(&anon, browser).await;
    }

    async fn scripts_from_elsewhere_may_not_even_ask(app: App, "http.cors_origins = ['https://shop.example.org']\n") {
        let (anon, browser) = signed_in(&app).await;
        let preflight = |origin: &str, operation: &str| {
            let request = anon.request(Method::OPTIONS, &path(operation)).header("Origin", origin);
            let request = request.header("Access-Control-Request-Method", "POST");
            anon.send(request.header("Access-Control-Request-Headers", "content-type, revolve-tokens"))
        };
        let named = STRANGERS.into_iter().filter_map(|(origin, _)| origin).filter(|origin| *origin != SHOP);
        for origin in named {
            for operation in OPERATIONS {
                let answer = preflight(origin, operation).await.expect_problem(403, "cors_refused");
                assert_eq!(answer.headers.get("access-control-allow-origin"), None, "{answer:?}");
            }
        }
        for operation in OPERATIONS {
            let answer = preflight(SHOP, operation).await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), SHOP);
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
            assert!(answer.header("access-control-allow-headers").to_lowercase().contains("revolve-tokens"));
        }
        assert_unharmed(&anon, browser).await;
    }

    async fn the_cookie_authenticates_nothing_but_a_refresh_and_a_sign_out(app: App, "http.cors_origins = ['https://shop.example.org']\n") {
        let (anon, browser) = signed_in(&app).await;
        let needs_token = |operation: &Value| {
            let ways = operation["security"].as_array();
            ways.is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| way.get("idToken").is_some()))
        };
        let mut tried = 0;
        for (method, target, _) in operations().filter(|(_, target, said)| target.starts_with(BASE) && needs_token(said)) {
            let target = target.replace("{sid}", browser.claims(OWN)["sid"].as_str().unwrap());
            let request = browser.with_cookies(anon.request(method.clone(), &target));
            let request = from(request, Some(OWN), Some("same-origin")).header("Revolve-Tokens", "cookie");
            let request = if method == Method::POST || method == Method::PUT { request.json(&json!({})) } else { request };
            anon.send(request).await.expect_problem(401, "unauthenticated");
            tried += 1;
        }
        assert!(tried > 8, "{tried}");
        assert_unharmed(&anon, browser).await;
    }
}
