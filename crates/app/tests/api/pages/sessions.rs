//! Sessions of pages that expire, end elsewhere, or are refreshed by somebody faster.

use super::{ANN, NEW};
use crate::{
    pages::browser::{Browser, ORIGIN, asks, assert_page},
    support::{Actor, Mailing, PASSWORD, on_both_stores_with_mail, path, wait_until_past},
};
use reqwest::Method;
use serde_json::json;

const BOB: &str = "bob@example.org";

on_both_stores_with_mail! {
    async fn an_id_token_that_has_expired_is_refreshed_once(service: Mailing, "tokens.algorithm = 'RS256'\ntokens.id_lifetime = '1s'") {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let (_, id) = browser.cookie("revolve-id-");
        let (_, refresh) = browser.cookie("revolve-refresh-");
        wait_until_past(&Actor::claims(&id)).await;
        // In the middle of a form.
        let saved = browser.post("/account/profile", &[("name", "Ann")]).await.expect(303);
        let set = saved.headers.get_all("set-cookie").iter().count();
        assert!(set >= 2, "{saved:#?}");
        let (next_id, next_refresh) = (browser.cookie("revolve-id-").1, browser.cookie("revolve-refresh-").1);
        assert!(next_id != id && next_refresh != refresh);
        assert_eq!(Actor::claims(&next_refresh)["gen"].as_u64().unwrap(), Actor::claims(&refresh)["gen"].as_u64().unwrap() + 1);
        assert!(browser.done(saved).await.text.contains("value=\"Ann\""));
    }

    async fn a_browser_that_has_lost_its_id_token_refreshes_and_no_other(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        browser.open("/account").await.expect(200);
        let (_, before) = browser.cookie("revolve-refresh-");
        browser.open("/account/devices").await.expect(200);
        assert_eq!(browser.cookie("revolve-refresh-").1, before, "the ID token lives");
        browser.forget("revolve-id-");
        let refused = browser.post("/account/password", &[("currentPassword", NEW), ("newPassword", "password1")]).await.expect(422);
        assert_page(&refused);
        assert_ne!(browser.cookie("revolve-refresh-").1, before, "an answer that refuses keeps the tokens, too");
        assert_eq!(browser.cookies("revolve-id-").len(), 1);
    }

    async fn a_session_that_was_ended_elsewhere_changes_nothing_more(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let mut phone = service.anon();
        phone.sign_in(ANN, PASSWORD).await.expect(200);
        browser.open("/account/profile").await.expect(200);
        phone.sign_out("others").await.expect(204);
        let away = browser.post("/account/profile", &[("name", "Eve")]).await.expect(303);
        assert_eq!(away.header("location"), "/account/signin?why=ended&return_to=%2Faccount%2Fprofile");
        assert!(browser.cookies("revolve-refresh-").is_empty() && browser.cookies("revolve-id-").is_empty());
        let page = browser.done(away).await;
        assert!(page.text.contains("role=\"status\"") && page.text.contains("nothing was changed"), "{page:#?}");
        assert_eq!(phone.get("/me").await.json()["user"]["name"], json!(null));
        let back = [("email", ANN), ("password", PASSWORD), ("return_to", "/account/profile")];
        let profile = browser.sent("/account/signin", &back).await;
        assert!(profile.text.contains("action=\"/account/profile\""), "{profile:#?}");
    }

    async fn a_form_without_a_session_leads_to_a_page_that_says_so(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        browser.open("/account/profile").await.expect(200);
        // A browser keeps them no longer than they count.
        browser.forget("revolve-refresh-");
        browser.forget("revolve-id-");
        for (path, why) in [("profile", "gone"), ("password", "gone"), ("devices", "ended-by-form")] {
            let away = browser.post(&format!("/account/{path}"), &[("name", "Eve")]).await.expect(303);
            assert_eq!(away.header("location"), format!("/account/signin?why={why}&return_to=%2Faccount%2F{path}"));
        }
        let deletion = browser.post("/account/delete", &[("currentPassword", PASSWORD)]).await.expect(303);
        assert_eq!(deletion.header("location"), "/account/signin?return_to=%2Faccount%2Fdelete", "an earlier click may have done it");
        let page = browser.open("/account/signin?why=gone").await.expect(200);
        assert!(page.text.contains("You are not signed in any more") && page.text.contains("this form has changed nothing now"), "{page:#?}");
    }

    async fn a_session_that_is_over_takes_along_the_pages_that_the_browser_has_kept(service: Mailing) {
        let browser = Browser::new(&service);
        let throws_away = |answer: &crate::support::Answer| {
            let set = answer.headers.get_all("set-cookie").iter();
            let over: Vec<_> = set.filter_map(|set| set.to_str().unwrap().strip_prefix("revolve-over-")).collect();
            assert_eq!(over.len(), 1, "{answer:#?}");
            assert!(over[0].ends_with("=1; HttpOnly; SameSite=Strict; Path=/; Max-Age=1"), "{over:?}");
        };
        browser.signs_up(ANN).await;
        throws_away(&browser.post("/account/signout", &[]).await.expect(303));
        browser.signs_in(ANN, PASSWORD).await;
        throws_away(&browser.post("/account/devices", &[("scope", "everywhere")]).await.expect(303));
        browser.signs_in(ANN, PASSWORD).await;
        let mut phone = service.anon();
        phone.sign_in(ANN, PASSWORD).await.expect(200);
        phone.sign_out("others").await.expect(204);
        throws_away(&browser.open("/account").await.expect(303));
        browser.signs_in(ANN, PASSWORD).await;
        throws_away(&browser.post("/account/delete", &[("currentPassword", PASSWORD)]).await.expect(303));
    }

    async fn a_slower_tab_sends_the_same_request_again(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let (name, first) = browser.cookie("revolve-refresh-");
        for _ in 0..2 {
            browser.forget("revolve-id-");
            browser.open("/account").await.expect(200);
        }
        let (_, newest) = browser.cookie("revolve-refresh-");
        // What it sent before the others were answered.
        browser.forget("revolve-id-");
        browser.keep(&name, &first);
        let again = browser.post("/account/profile", &[("name", "Ann")]).await.expect(307);
        assert_eq!(again.header("location"), "/account/profile?again=1");
        assert_eq!(again.header("set-cookie"), "", "it takes nothing away");
        browser.keep(&name, &newest);
        let saved = browser.sent(again.header("location"), &[("name", "Ann")]).await;
        assert!(saved.text.contains("value=\"Ann\""), "{saved:#?}");
        // Not for ever.
        browser.forget("revolve-id-");
        browser.keep(&name, &first);
        let away = browser.open("/account/devices?again=1").await;
        assert!(matches!(away.status, 303), "{away:#?}");
        assert!(away.header("location").starts_with("/account/signin?"), "{away:#?}");
        assert_eq!(browser.cookies("revolve-refresh-").len(), 1, "a newer one may still come");
    }

    async fn signing_out_needs_neither_the_newest_token_nor_the_device(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let (name, first) = browser.cookie("revolve-refresh-");
        for _ in 0..2 {
            browser.forget("revolve-id-");
            browser.open("/account").await.expect(200);
        }
        let (_, newest) = browser.cookie("revolve-refresh-");
        // What it sent before the others were answered.
        browser.keep(&name, &first);
        browser.forget("revolve-id-");
        browser.forget("revolve-device");
        let out = browser.sent("/account/signout", &[]).await;
        assert!(out.text.contains("You are signed out."), "{out:#?}");
        service.anon().refresh_with(&newest).await.expect_problem(401, "session_revoked");
    }

    async fn a_browser_that_has_lost_its_device_signs_in_anew(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        // The first refresh binds the session.
        browser.forget("revolve-id-");
        browser.open("/account").await.expect(200);
        browser.forget("revolve-device");
        let away = browser.open("/account/devices").await;
        let page = browser.done(away).await;
        assert!(asks(&page, "password"), "it leads nowhere else: {page:#?}");
        let back = [("email", ANN), ("password", PASSWORD), ("return_to", "/account/devices")];
        let devices = browser.sent("/account/signin", &back).await;
        assert!(devices.text.contains("This device"), "{devices:#?}");
    }

    async fn a_link_from_another_site_is_opened_once_more_from_here(service: Mailing) {
        let browser = Browser::new(&service);
        let from_elsewhere = async |browser: &Browser, target: &str| {
            let request = browser.request(Method::GET, target).header("Sec-Fetch-Site", "cross-site");
            browser.load(request).await
        };
        for (target, leads) in [
            ("/account", "/account?again=1"),
            ("/account/activity?after=x", "/account/activity?after=x&#38;again=1"),
            ("/account/signin?return_to=/account/devices", "/account/signin?return_to=/account/devices&#38;again=1"),
        ] {
            let hop = from_elsewhere(&browser, target).await.expect(200);
            assert_page(&hop);
            assert!(hop.text.contains(&format!("<meta http-equiv=\"refresh\" content=\"0;url={leads}\">")), "{hop:#?}");
            assert!(hop.text.contains(&format!("href=\"{leads}\"")), "{hop:#?}");
        }
        let once = from_elsewhere(&browser, "/account?again=1").await.expect(303);
        assert_eq!(once.header("location"), "/account/signin");
        browser.signs_up(ANN).await;
        assert!(from_elsewhere(&browser, "/account").await.expect(200).text.contains(ANN), "its cookies came");
    }

    async fn a_page_is_of_whoever_signed_in_last_in_this_origin(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        service.anon().sign_up(BOB).await.expect(201);
        // A script of this origin that keeps its tokens in a cookie.
        let request = browser.request(Method::POST, &path("/signin")).json(&json!({ "email": BOB, "password": PASSWORD }));
        let request = request.header("Origin", ORIGIN).header("Sec-Fetch-Site", "same-origin").header("Revolve-Tokens", "cookie");
        let answer = browser.load(request).await.expect(200).json();
        assert_eq!(answer["tokens"]["refreshToken"], json!(null));
        assert_eq!(browser.cookies("revolve-id-").len(), 1, "the page's own");
        let home = browser.open("/account").await.expect(200);
        assert!(home.text.contains(BOB) && !home.text.contains(ANN), "{home:#?}");
        // And the script goes on with the session of the page.
        let tokens = browser.request(Method::POST, &path("/tokens")).json(&json!({}));
        let tokens = tokens.header("Origin", ORIGIN).header("Sec-Fetch-Site", "same-origin").header("Revolve-Tokens", "cookie");
        browser.load(tokens).await.expect(200);
        assert!(browser.open("/account").await.expect(200).text.contains(BOB));
    }

    async fn an_account_with_a_large_token_is_kept_by_its_refresh_token(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let long = "x".repeat(1900);
        let typed = [("website", format!("https://example.org/{long}")), ("imageUrl", format!("https://example.org/{long}"))];
        let typed: Vec<_> = typed.iter().map(|(name, value)| (*name, &**value)).collect();
        browser.sent("/account/profile", &typed).await;
        browser.forget("revolve-id-");
        let page = browser.open("/account/devices").await.expect(200);
        assert_page(&page);
        assert!(browser.cookies("revolve-id-").is_empty(), "no browser would keep it");
        browser.open("/account").await.expect(200);
    }
}
