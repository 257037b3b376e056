//! `/account/password/choose`: what an invitation and a link of an operator lead to.

use super::{
    ANN, NEW,
    browser::{Browser, Link, asks, assert_page},
    forgotten, signs_in,
};
use crate::support::{Answer, Mailing, PASSWORD, on_both_stores_with_mail};
use reqwest::Method;
use serde_json::json;

/// The link of the mail to Ann, whom an operator has invited.
async fn invited(service: &Mailing) -> Link {
    let program = service.program().await;
    let body = json!({ "email": ANN, "invite": true });
    program.post("/users", body).await.expect(201);
    let mail = service.mails_to(ANN, 1).await.remove(0);
    Link::of(&mail.link().expect("the mail has a link"))
}

/// Fails unless it is the page for a first password as much as for another one: nobody has forgotten anything, and no mail has a code.
#[track_caller]
fn assert_asks_for_a_password_alone(page: &Answer, title: &str) {
    assert_page(page);
    assert!(page.text.contains(title), "{page:#?}");
    assert!(
        asks(page, "newPassword") && !asks(page, "code"),
        "{page:#?}"
    );
    for unsuitable in ["forgotten", "vergessen"] {
        assert!(!page.text.contains(unsuitable), "{page:#?}");
    }
}

on_both_stores_with_mail! {
    async fn who_is_invited_chooses_a_first_password_on_a_page(service: Mailing, "http.admin_listen = '127.0.0.1:0'") {
        let link = invited(&service).await;
        assert_eq!(link.path, "/account/password/choose");
        let (browser, german) = (Browser::new(&service), Browser::german(&service));
        assert_asks_for_a_password_alone(&german.open(&link.target()).await.expect(200), "Passwort wählen");
        assert_asks_for_a_password_alone(&browser.open(&link.target()).await.expect(200), "Choose your password");
        let weak = browser.submit(&link, &[("newPassword", "password1")]).await.expect(422);
        assert_asks_for_a_password_alone(&weak, "easy to guess");
        let done = browser.done(browser.submit(&link, &[("newPassword", NEW)]).await).await;
        assert!(done.text.contains("Your password is set"), "{done:#?}");
        assert!(signs_in(&service, ANN, NEW).await);
        let again = browser.submit(&link, &[("newPassword", PASSWORD)]).await.expect(410);
        assert!(again.text.contains("If you got it unasked"), "{again:#?}");
        assert!(!signs_in(&service, ANN, PASSWORD).await);
    }

    async fn a_link_of_an_operator_leads_to_the_same_page_and_signs_devices_out(service: Mailing, "http.admin_listen = '127.0.0.1:0'") {
        let (program, mut ann) = (service.program().await, service.anon());
        ann.sign_up(ANN).await.expect(201);
        let path = format!("{}/recovery-link", program.path_of("ann").await);
        let answer = program.call(Method::POST, &path).await.expect(201).json();
        let by_command = service.revolve(&["user", "recovery-link", ANN, "--json"]).await.expect(0).json();
        for answer in [&answer, &by_command] {
            assert_eq!(Link::of(answer["link"].as_str().unwrap()).path, "/account/password/choose");
        }
        let link = Link::of(by_command["link"].as_str().unwrap());
        let browser = Browser::german(&service);
        assert_asks_for_a_password_alone(&browser.open(&link.target()).await.expect(200), "Passwort wählen");
        let done = browser.done(browser.submit(&link, &[("newPassword", NEW)]).await).await;
        assert!(done.text.contains("Ihr Passwort ist gesetzt"), "{done:#?}");
        ann.refresh().await.expect_problem(401, "session_revoked");
        assert!(signs_in(&service, ANN, NEW).await);
    }

    async fn the_page_asks_for_a_code_where_the_link_is_not_enough(service: Mailing) {
        let (_, _, link, code) = forgotten(&service).await;
        let link = Link { path: "/account/password/choose".to_owned(), ..link };
        let phone = Browser::new(&service);
        let refused = phone.submit(&link, &[("newPassword", NEW)]).await.expect(422);
        assert!(asks(&refused, "code") && refused.text.contains("This is not the browser"), "{refused:#?}");
        phone.done(phone.submit(&link, &[("code", &code), ("newPassword", NEW)]).await).await;
        assert!(signs_in(&service, ANN, NEW).await);
    }
}
