//! What pages refuse, what protects them, and where there are none.

use super::{ANN, NEW, attempts_left, forgotten, mail, signs_in};
use crate::{
    pages::browser::{Browser, Link, ORIGIN, asks, assert_page},
    support::{Mailing, PASSWORD, Store, on_both_stores_with_mail, with_mail},
};
use reqwest::Method;
use serde_json::json;

const PROOF: &str = "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51";

on_both_stores_with_mail! {
    async fn a_form_of_another_site_is_refused_and_changes_nothing(service: Mailing) {
        let (mut ann, browser, link, code) = forgotten(&service).await;
        let fields = [("proof", &*link.proof), ("secret", &*link.secret), ("newPassword", NEW)];
        let by_code = [("proof", &*link.proof), ("code", &*code), ("newPassword", NEW)];
        for headers in [
            &[][..],
            &[("Origin", "https://evil.example")],
            &[("Origin", "http://localhost:8081"), ("Sec-Fetch-Site", "same-site")],
            &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
            &[("Origin", "null")],
            &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
            &[("Origin", "null"), ("Sec-Fetch-Site", "same-site")],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "none")],
        ] {
            for form in [&fields, &by_code] {
                // With the cookies of the browser that asked.
                let mut request = browser.form(&link.path, form);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let refused = browser.load(request).await.expect(403);
                assert_page(&refused);
                assert!(refused.text.contains("not sent from this page"), "{headers:?}: {refused:#?}");
            }
        }
        ann.refresh().await.expect(200);
        assert_eq!(attempts_left(&service.anon(), &link, &code).await, 5);
        let own = browser.form(&link.path, &fields).header("Origin", ORIGIN);
        browser.done(browser.load(own).await).await;
        assert!(signs_in(&service, ANN, NEW).await);
    }

    async fn what_goes_wrong_beside_a_form_is_a_page(service: Mailing) {
        let (browser, german) = (Browser::new(&service), Browser::german(&service));
        for target in ["/account/recovery?proof=x&secret=y", "/account/recovery?secret=y", "/account/email/undo", "/account/email/undo?secret=y"] {
            let page = browser.open(target).await.expect(422);
            assert_page(&page);
            assert!(page.text.contains("This link is incomplete"), "{target}: {page:#?}");
        }
        let nowhere = german.open("/account/nothing").await.expect(404);
        assert_page(&nowhere);
        assert!(nowhere.text.contains("Diese Seite gibt es nicht"), "{nowhere:#?}");
        let form = |fields: &[(&str, &str)]| browser.form("/account/recovery", fields).header("Origin", ORIGIN);
        let put = browser.request(Method::PUT, "/account/recovery").header("Origin", ORIGIN);
        let put = browser.load(put).await.expect(405);
        assert_page(&put);
        assert_eq!(put.header("allow"), "GET, HEAD, POST");
        let json = browser.request(Method::POST, "/account/recovery").header("Origin", ORIGIN).json(&json!({ "proof": PROOF }));
        assert_page(&browser.load(json).await.expect(415));
        let twice = form(&[("proof", PROOF), ("proof", PROOF)]);
        assert_page(&browser.load(twice).await.expect(400));
        let large = "x".repeat(20_000);
        assert_page(&browser.load(form(&[("proof", &large)])).await.expect(413));
        let nobody = browser.load(form(&[])).await.expect(422);
        assert!(asks(&nobody, "email") && nobody.text.contains("Enter your e-mail address"), "{nobody:#?}");
        let spare = form(&[("proof", PROOF), ("code", "123456"), ("newPassword", NEW), ("extra", "1")]);
        assert_page(&browser.load(spare).await.expect(422));
        let long = "x".repeat(129);
        let secret = form(&[("proof", PROOF), ("secret", &long), ("newPassword", NEW)]);
        let secret = browser.load(secret).await.expect(422);
        assert!(secret.text.contains("This link is incomplete"), "{secret:#?}");
        let invented = form(&[("proof", PROOF), ("code", "123456"), ("newPassword", NEW)]);
        assert_page(&browser.load(invented).await.expect(410));
    }

    async fn too_many_tries_are_limited(service: Mailing, "limits.confirmations_per_address = '2/1h'") {
        let (_, browser, link, code) = forgotten(&service).await;
        let phone = Browser::new(&service);
        let invented = Link { proof: PROOF.to_owned(), ..link.clone() };
        for _ in 0..2 {
            phone.submit(&invented, &[("code", &code), ("newPassword", NEW)]).await.expect(410);
        }
        let limited = phone.submit(&link, &[("code", &code), ("newPassword", NEW)]).await.expect(429);
        assert_page(&limited);
        assert!(limited.text.contains("too many attempts") && limited.text.contains(&code), "{limited:#?}");
        assert!(limited.header("retry-after").parse::<u32>().is_ok());
        assert!(limited.header("ratelimit").contains("confirmations_per_address"));
        browser.done(browser.submit(&link, &[("newPassword", NEW)]).await).await;
    }

    async fn the_stylesheet_is_kept_for_good_under_its_hash(service: Mailing) {
        let browser = Browser::new(&service);
        let page = browser.open("/account/recovery?done").await.expect(200);
        let url = page.text.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert!(url.starts_with("/account/style.css?v="), "{url}");
        let style = browser.open(url).await.expect(200);
        assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
        assert_eq!(style.header("cache-control"), "public, max-age=31536000");
        assert!(style.text.contains("prefers-color-scheme:dark"));
        let again = browser.request(Method::GET, url).header("If-None-Match", style.header("etag"));
        assert_eq!(browser.load(again).await.expect(304).text, "");
        let other = browser.open("/account/style.css?v=0123456789abcdef").await.expect(200);
        assert_eq!((other.header("cache-control"), &other.text), ("no-store", &style.text));
        let together = page.text.len() + style.text.len();
        assert!(together < 30 * 1024, "{together}");
    }

    async fn without_pages_there_are_codes_only(service: Mailing, "pages.enabled = false") {
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        ann.post("/recovery", json!({ "email": ANN })).await.expect(202);
        let told = service.mails_to(ANN, 1).await.remove(0);
        assert_eq!(told.link(), None);
        assert!(told.code().is_some());
        for path in ["/account", "/account/signin", "/account/recovery", "/account/style.css", "/account/email/undo", "/.well-known/change-password"] {
            ann.send(ann.request(Method::GET, path)).await.expect_problem(404, "not_found");
        }
    }

    async fn pages_are_called_what_the_service_is_called(service: Mailing, "pages.name = 'Bücher & Söhne'") {
        let page = Browser::new(&service).open("/account/email/undo?done").await.expect(200);
        assert!(page.text.contains("<header><span>Bücher &#38; Söhne</span></header>"), "{page:#?}");
    }
}

#[test]
fn a_store_that_is_down_is_a_page_that_keeps_the_code() {
    with_mail(Store::Server, "", async |app, sink| {
        let service = Mailing::new(app, sink);
        let (_, _, link, code) = forgotten(&service).await;
        let phone = Browser::new(&service);
        let stores = service.backing.server();
        stores.postgres.cut();
        let typed = [("code", &*code), ("newPassword", NEW)];
        let down = phone.submit(&link, &typed).await.expect(503);
        assert_page(&down);
        assert!(
            down.text.contains(&code) && asks(&down, "newPassword"),
            "{down:#?}"
        );
        assert!(!down.text.contains(NEW), "{down:#?}");
        phone.open(&link.target()).await.expect(200);
        stores.postgres.restore();
        // It may take a moment until the service sees that.
        let answer = loop {
            let answer = phone.submit(&link, &typed).await;
            if answer.status != 503 {
                break answer;
            }
        };
        phone.done(answer).await;
        assert!(signs_in(&service, ANN, NEW).await);
    });
}

#[test]
fn a_link_of_ones_own_goes_before_the_page() {
    let own = "mail.links.recovery = 'https://app.example.org/reset?proof={proof}&secret={secret}'";
    with_mail(Store::Embedded, own, async |app, sink| {
        let service = Mailing::new(app, sink);
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        let asked = json!({ "email": ANN });
        ann.post("/recovery", asked).await.expect(202);
        let told = service.mails_to(ANN, 1).await.remove(0);
        let link = told.link().expect("the mail has a link");
        assert!(link.starts_with("https://app.example.org/"), "{link}");
        let verify = json!({ "email": "ann@example.net", "currentPassword": PASSWORD });
        ann.put("/details", verify).await.expect(202);
        let (link, _) = mail(&service, "ann@example.net", 1).await;
        assert_eq!(link.path, "/account/email/change");
    });
}
