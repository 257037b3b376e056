//! A browser that is signed in on the pages.

use super::*;
use url::form_urlencoded::Serializer;

const OWN: &str = "http://localhost:8080";

impl Journey {
    fn on_page(&self, path: &str) -> RequestBuilder {
        self.request("GET", path)
            .header("Cookie", &self.token_cookie)
    }

    fn page_form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        self.request("POST", path)
            .header("Cookie", &self.token_cookie)
            .header("Origin", OWN)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.finish())
    }

    /// Signs in, looks at every page, and sends forms. No page has a secret in it.
    pub(in crate::canary) async fn on_pages(&mut self) {
        let (email, password) = (self.email.clone(), self.password.clone());
        let wrong = fresh("wrong");
        self.secrets.add("wrong password", &wrong);
        let sign_in = |journey: &Self, password: &str| {
            journey.page_form(
                "/account/signin",
                &[("email", &email), ("password", password)],
            )
        };
        self.expect(401, sign_in(self, &wrong)).await;
        self.expect(303, sign_in(self, &password)).await;
        assert!(self.token_cookie.contains("revolve-refresh"));
        for page in [
            "",
            "/profile",
            "/password",
            "/devices",
            "/activity",
            "/export",
            "/delete",
            "/signout",
        ] {
            let before = self.token_cookie.clone();
            let path = format!("/account{page}");
            let page = self.expect(200, self.on_page(&path)).await;
            // Without the cookie of the ID token each page refreshes.
            assert_ne!(self.token_cookie, before);
            let content = page.as_str().expect("it is a page");
            self.refusals.push(Sink::new(path, content));
        }
        let profile = self.page_form("/account/profile", &[("name", "Ann")]);
        self.expect(303, profile).await;
        let fields = [("currentPassword", &*wrong), ("newPassword", &*wrong)];
        for (status, path) in [
            (403, "/account/password"),
            (422, "/account/export"),
            (422, "/account/delete"),
        ] {
            self.expect(status, self.page_form(path, &fields)).await;
        }
        let out = self.page_form("/account/signout", &[]);
        self.expect(303, out).await;
        assert_eq!(self.token_cookie, "", "it was taken away");
        self.sign_in().await;
    }
}
