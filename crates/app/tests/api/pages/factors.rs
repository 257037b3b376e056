//! `/account/factors/keep`: the owner stops a reset of the factors.

use super::*;

on_both_stores_with_mail! {
    async fn the_link_of_the_mail_stops_a_reset_in_any_browser(service: Mailing, "accounts.verification = 'off'") {
        let ann = service.sign_up("ann").await;
        ann.set_up_totp().await;
        service.revolve(&["user", "factors", ANN, "--reset", "--yes"]).await.expect(0);
        let mail = service.mail_saying(ANN, "are to be removed").await;
        let link = Link::of(&mail.link().expect("the mail has a link"));
        assert_eq!(link.path, "/account/factors/keep");
        for browser in [Browser::new(&service), Browser::german(&service)] {
            let page = browser.open(&link.target()).await.expect(200);
            assert_page(&page);
            assert!(!asks(&page, "code"), "{page:#?}");
        }
        assert!(ann.get("/factors").await.expect(200).json()["reset"].is_object(), "to look changes nothing");
        let browser = Browser::new(&service);
        let done = browser.done(browser.submit(&link, &[]).await).await;
        assert!(done.text.contains("It is stopped") && done.text.contains("href=\"/account\""), "{done:#?}");
        let factors = ann.get("/factors").await.expect(200).json();
        assert!(factors["reset"].is_null() && factors["totp"].is_object(), "{factors}");
        assert_page(&browser.submit(&link, &[]).await.expect(410));
    }
}
