//! `/account/…`: the pages for people.

mod addresses;
mod browser;
mod changes;
mod chosen;
mod entry;
mod factors;
mod look;
mod outages;
mod own;
mod passkeys;
mod refusals;
mod second_step;
mod security;
mod sessions;

use crate::support::{Actor, Answer, Mailing, PASSWORD, on_both_stores_with_mail};
use browser::{Browser, Link, asks, assert_page, cookies};
use reqwest::Method;
use serde_json::json;

const ANN: &str = "ann@example.org";
const NEW: &str = "a password that ann remembers";

/// The link and the code of the newest of so many mails to an address.
async fn mail(service: &Mailing, address: &str, count: usize) -> (Link, String) {
    let mail = service.mails_to(address, count).await.remove(count - 1);
    let link = Link::of(&mail.link().expect("the mail has a link"));
    (link, mail.code().expect("the mail has a code"))
}

/// Ann, who has signed up with an app, and has forgotten her password in a browser.
async fn forgotten(service: &Mailing) -> (Actor, Browser, Link, String) {
    let mut ann = service.anon();
    ann.sign_up(ANN).await.expect(201);
    let browser = Browser::new(service);
    let asked = browser
        .post_json("/recovery", json!({ "email": ANN }))
        .await;
    asked.expect(202);
    let (link, code) = mail(service, ANN, 1).await;
    assert_eq!(link.path, "/account/recovery");
    (ann, browser, link, code)
}

impl Browser {
    /// What a script in it sends to the API.
    async fn post_json(&self, operation: &str, body: serde_json::Value) -> Answer {
        Actor::post(self, operation, body).await
    }
}

/// Another code.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

/// How many codes could be tried before this one, which is wrong.
async fn attempts_left(anon: &Actor, link: &Link, code: &str) -> u64 {
    let guess = json!({ "proof": link.proof, "code": wrong(code), "newPassword": NEW });
    let refused = anon.post("/recovery/confirm", guess).await;
    let refused = refused.expect_problem(422, "code_wrong").json();
    refused["attemptsLeft"].as_u64().unwrap() + 1
}

async fn signs_in(service: &Mailing, email: &str, password: &str) -> bool {
    let mut actor = service.anon();
    actor.sign_in(email, password).await.status == 200
}

on_both_stores_with_mail! {
    async fn the_browser_that_asked_sets_a_password_by_the_link_alone(service: Mailing) {
        let (mut ann, browser, link, _) = forgotten(&service).await;
        let page = browser.open(&link.target()).await.expect(200);
        assert_page(&page);
        assert!(asks(&page, "newPassword") && !asks(&page, "code"), "{page:#?}");
        assert!(page.text.contains("autocomplete=\"new-password\""), "{page:#?}");
        let answer = browser.submit(&link, &[("newPassword", NEW)]).await;
        let done = browser.done(answer).await;
        assert!(done.text.contains("Your password is changed") && done.text.contains("href=\"/account\""), "{done:#?}");
        let home = browser.open("/account").await.expect(200);
        assert!(home.text.contains(ANN) && home.text.contains("Address confirmed"), "it is signed in: {home:#?}");
        ann.refresh().await.expect_problem(401, "session_revoked");
        assert!(!signs_in(&service, ANN, PASSWORD).await);
        let mut again = service.anon();
        again.sign_in(ANN, NEW).await.expect(200);
        let sessions = again.get("/sessions").await.expect(200).json();
        assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(2), "here and in the browser: {sessions}");
        let reloaded = browser.submit(&link, &[("newPassword", NEW)]).await.expect(410);
        assert_page(&reloaded);
    }

    async fn a_browser_that_is_known_by_its_device_needs_no_code_either(service: Mailing) {
        let browser = Browser::new(&service);
        browser.post_json("/signup", json!({ "email": ANN, "password": PASSWORD })).await.expect(201);
        let asked = browser.post_json("/recovery", json!({ "email": ANN })).await.expect(202);
        assert_eq!(asked.header("set-cookie"), "", "its device is enough");
        let (link, _) = mail(&service, ANN, 1).await;
        let page = browser.open(&link.target()).await.expect(200);
        assert!(asks(&page, "code") && page.text.contains("Only needed if"), "{page:#?}");
        let answer = browser.submit(&link, &[("code", ""), ("newPassword", NEW)]).await;
        browser.done(answer).await;
        assert!(signs_in(&service, ANN, NEW).await);
    }

    async fn whoever_follows_a_link_spends_nothing(service: Mailing, "limits.confirmations_per_address = '2/1h'") {
        let (_, browser, link, code) = forgotten(&service).await;
        let robot = Browser::new(&service);
        for reader in [&robot, &browser] {
            for path in ["/account/recovery", "/account/password/choose", "/account/signup/confirm", "/account/email/confirm", "/account/email/change", "/account/email/undo", "/account/email/disown", "/account/factors/keep"] {
                let target = Link { path: path.to_owned(), ..link.clone() }.target();
                for method in [Method::HEAD, Method::GET, Method::GET] {
                    let answer = reader.load(reader.request(method.clone(), &target)).await.expect(200);
                    assert_eq!(answer.text.is_empty(), method == Method::HEAD, "{path}");
                    assert!(cookies(&answer.headers).is_empty(), "{path}");
                }
            }
        }
        assert_eq!(attempts_left(&service.anon(), &link, &code).await, 5);
        browser.done(browser.submit(&link, &[("newPassword", NEW)]).await).await;
    }

    async fn a_robot_that_clicks_every_button_spends_nothing(service: Mailing, "limits.confirmations_per_address = '2/1h'") {
        let (mut ann, browser, link, code) = forgotten(&service).await;
        let robot = Browser::new(&service);
        for typed in [&[][..], &[("newPassword", "")], &[("newPassword", NEW)], &[("code", ""), ("newPassword", NEW)], &[("code", "test"), ("newPassword", "test")]] {
            for _ in 0..3 {
                let refused = robot.submit(&link, typed).await.expect(422);
                assert_page(&refused);
                assert!(asks(&refused, "newPassword"), "{refused:#?}");
                assert!(cookies(&refused.headers).is_empty());
            }
        }
        let refused = robot.submit(&link, &[("newPassword", NEW)]).await;
        assert!(refused.text.contains("This is not the browser"), "{refused:#?}");
        assert!(asks(&refused, "code") && !refused.text.contains("Only needed if"), "{refused:#?}");
        ann.refresh().await.expect(200);
        assert_eq!(attempts_left(&service.anon(), &link, &code).await, 5);
        browser.done(browser.submit(&link, &[("newPassword", NEW)]).await).await;
    }

    async fn another_browser_sets_a_password_by_the_code(service: Mailing) {
        let (_, _, link, code) = forgotten(&service).await;
        let phone = Browser::german(&service);
        let page = phone.open(&link.target()).await.expect(200);
        assert!(page.text.contains("<html lang=\"de\" dir=\"ltr\">") && asks(&page, "code"), "{page:#?}");
        assert!(page.text.contains("autocomplete=\"one-time-code\""), "{page:#?}");
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        let done = phone.done(phone.submit(&link, &[("code", &spaced), ("newPassword", NEW)]).await).await;
        assert!(done.text.contains("Ihr Passwort ist geändert"), "{done:#?}");
        assert!(signs_in(&service, ANN, NEW).await);
    }

    async fn a_wrong_code_counts_and_the_page_says_how_many_are_left(service: Mailing) {
        let (_, _, link, code) = forgotten(&service).await;
        let phone = Browser::new(&service);
        let guess = wrong(&code);
        let typed = [("code", &*guess), ("newPassword", NEW)];
        for said in ["try 4 more times", "try 3 more times", "try 2 more times", "try once more"] {
            let refused = phone.submit(&link, &typed).await.expect(422);
            assert_page(&refused);
            assert!(refused.text.contains(said), "{refused:#?}");
            assert!(refused.text.contains(&format!("value=\"{guess}\"")), "what was typed stays: {refused:#?}");
            assert!(!refused.text.contains(NEW), "but for the password: {refused:#?}");
        }
        let last = phone.submit(&link, &typed).await.expect(422);
        assert_page(&last);
        assert!(last.text.contains("too often") && !asks(&last, "code"), "{last:#?}");
        let late = Browser::german(&service).submit(&link, &[("code", &code), ("newPassword", NEW)]).await.expect(410);
        assert!(late.text.contains("gilt nicht mehr"), "{late:#?}");
        assert!(signs_in(&service, ANN, PASSWORD).await);
    }

    async fn a_weak_password_uses_up_nothing(service: Mailing) {
        let (_, browser, link, code) = forgotten(&service).await;
        for (weak, said) in [("short", "at least 8 characters"), ("password1", "easy to guess"), ("ann@example.org", "what others know"), ("", "Choose a password")] {
            let refused = browser.submit(&link, &[("newPassword", weak)]).await.expect(422);
            assert_page(&refused);
            assert!(refused.text.contains(said), "{weak}: {refused:#?}");
            assert!(refused.text.contains("aria-invalid=\"true\"") && !asks(&refused, "code"), "{refused:#?}");
        }
        let phone = Browser::new(&service);
        for _ in 0..6 {
            let refused = phone.submit(&link, &[("code", &code), ("newPassword", "password1")]).await.expect(422);
            assert!(asks(&refused, "code") && refused.text.contains(&code), "{refused:#?}");
        }
        phone.done(phone.submit(&link, &[("code", &code), ("newPassword", NEW)]).await).await;
    }
}
