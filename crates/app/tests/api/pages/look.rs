//! What operators say of the pages, and how large they are.

use super::ANN;
use crate::{
    pages::browser::{Browser, assert_page},
    support::{Mailing, Store, with_mail},
};
use std::fs;
use tempfile::tempdir;

/// The URL that follows these words.
fn url(page: &str, before: &str) -> String {
    let rest = page
        .split(before)
        .nth(1)
        .unwrap_or_else(|| panic!("{before}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn pages_have_the_operators_colour_logo_and_links() {
    let folder = tempdir().unwrap();
    let logo = folder.path().join("logo.svg");
    fs::write(
        &logo,
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
    )
    .unwrap();
    let more = format!(
        "pages.accent = '#006400'\npages.logo = '{}'\npages.terms = 'https://example.org/terms'\npages.privacy = 'https://example.org/privacy'",
        logo.display()
    );
    with_mail(Store::Embedded, &more, async |app, sink| {
        let service = Mailing::new(app, sink);
        let browser = Browser::new(&service);
        let page = browser.open("/account/signup").await.expect(200);
        for link in [
            "href=\"https://example.org/terms\"",
            "href=\"https://example.org/privacy\"",
        ] {
            assert!(page.text.contains(link), "{page:#?}");
        }
        assert!(
            page.text.contains("With an account you accept the"),
            "{page:#?}"
        );
        let style = browser
            .open(&url(&page.text, "rel=\"stylesheet\" href=\""))
            .await
            .expect(200);
        assert!(
            style.text.contains("--accent:#006400")
                && style.text.contains("prefers-color-scheme:dark"),
            "{style:#?}"
        );
        let icon = browser
            .open(&url(&page.text, "rel=\"icon\" href=\""))
            .await
            .expect(200);
        assert_eq!(icon.header("content-type"), "image/svg+xml");
        assert!(icon.text.contains("#006400"), "{icon:#?}");
        let at = url(&page.text, "<img src=\"");
        let logo = browser.open(&at).await.expect(200);
        assert_eq!(logo.header("content-type"), "image/svg+xml");
        assert_eq!(logo.header("cache-control"), "public, max-age=31536000");
        assert!(
            logo.header("content-security-policy")
                .starts_with("default-src 'none'"),
            "its script runs nowhere"
        );
        let other = browser.open("/account/logo?v=0").await.expect(200);
        assert_eq!(other.header("cache-control"), "no-store");
    });
}

#[test]
fn each_page_is_small() {
    with_mail(
        Store::Embedded,
        "sessions.max_per_user = 20",
        async |app, sink| {
            let service = Mailing::new(app, sink);
            let browser = Browser::new(&service);
            browser.signs_up(ANN).await;
            for _ in 0..19 {
                service.sign_in("ann").await;
            }
            let page = browser.open("/account").await.expect(200);
            let style = browser
                .open(&url(&page.text, "rel=\"stylesheet\" href=\""))
                .await
                .expect(200);
            for path in [
                "",
                "/profile",
                "/password",
                "/security",
                "/reauthenticate",
                "/devices",
                "/activity",
                "/export",
                "/delete",
                "/signout",
            ] {
                let page = browser.open(&format!("/account{path}")).await.expect(200);
                assert_page(&page);
                let whole = page.text.len() + style.text.len();
                assert!(whole <= 30 * 1024, "{path}: {whole}");
            }
            let stranger = Browser::new(&service);
            for path in ["/signin", "/signup", "/recovery", "/logo"] {
                let page = stranger.open(&format!("/account{path}")).await;
                assert_page(&page);
                let whole = page.text.len() + style.text.len();
                assert!(whole <= 30 * 1024, "{path}: {whole}");
            }
        },
    );
}
