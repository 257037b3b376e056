//! Pages while a store is down.

use super::ANN;
use crate::{
    pages::browser::{Browser, asks, assert_page},
    support::{Answer, Mailing, PASSWORD, Store, with_mail},
};

const OTHER: &str = "ann@example.net";

/// Sends until the service has found out that the store is there again.
async fn at_last(send: impl AsyncFn() -> Answer) -> Answer {
    loop {
        let answer = send().await;
        if answer.status != 503 {
            return answer;
        }
    }
}

#[test]
fn a_store_that_is_down_is_a_page_that_keeps_what_was_typed() {
    with_mail(Store::Server, "", async |app, sink| {
        let service = Mailing::new(app, sink);
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let stores = service.backing.server();
        stores.postgres.cut();
        for path in ["/account", "/account/profile", "/account/devices"] {
            let down = browser.open(path).await.expect(503);
            assert_page(&down);
            assert!(down.header("retry-after").parse::<u32>().is_ok());
            assert!(
                down.text.contains("The service is not available"),
                "{down:#?}"
            );
        }
        let profile = [("name", "Ann"), ("website", "https://example.org/")];
        let down = browser.post("/account/profile", &profile).await.expect(503);
        assert_page(&down);
        for (field, typed) in profile {
            assert!(asks(&down, field), "{down:#?}");
            assert!(
                down.text.contains(&format!("value=\"{typed}\"")),
                "{down:#?}"
            );
        }
        assert!(down.text.contains("role=\"alert\""), "{down:#?}");
        let address = [("email", OTHER), ("currentPassword", PASSWORD)];
        let down = browser.post("/account/profile/email", &address).await;
        let down = down.expect(503);
        assert!(
            down.text.contains(&format!("value=\"{OTHER}\"")),
            "{down:#?}"
        );
        assert!(!down.text.contains(PASSWORD), "{down:#?}");
        for path in ["/account/password", "/account/export", "/account/delete"] {
            let typed = [
                ("currentPassword", PASSWORD),
                ("newPassword", "a password of hers"),
            ];
            let down = browser
                .post(path, &typed[..=usize::from(path == "/account/password")])
                .await;
            let down = down.expect(503);
            assert_page(&down);
            assert!(
                asks(&down, "currentPassword") && !down.text.contains(PASSWORD),
                "{down:#?}"
            );
        }
        let down = browser.post("/account/signout", &[]).await.expect(503);
        assert_page(&down);
        assert_eq!(
            browser.cookies("revolve-refresh-").len(),
            1,
            "it is not signed out"
        );
        let stranger = Browser::new(&service);
        let typed = [("email", ANN), ("password", PASSWORD)];
        for path in ["/account/signin", "/account/signup"] {
            let down = stranger.post(path, &typed).await.expect(503);
            assert_page(&down);
            assert!(down.text.contains(&format!("value=\"{ANN}\"")), "{down:#?}");
            assert!(!down.text.contains(PASSWORD), "{down:#?}");
        }
        stranger.open("/account/signin").await.expect(200);
        stores.postgres.restore();
        let saved = at_last(async || browser.post("/account/profile", &profile).await).await;
        assert!(
            browser
                .done(saved)
                .await
                .text
                .contains("Your profile is saved.")
        );
    });
}
