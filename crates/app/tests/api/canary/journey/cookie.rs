//! The refresh token in a cookie.

use super::*;

impl Journey {
    pub(super) fn in_cookie_mode(&self, operation: &str, origin: &str) -> RequestBuilder {
        self.request("POST", &path(operation))
            .header("Cookie", &self.token_cookie)
            .header("Origin", origin)
            .header("Revolve-Tokens", "cookie")
    }

    /// A browser with the refresh token in a cookie: what goes well, and what is refused with the cookie there.
    pub(in crate::canary) async fn in_a_cookie(&mut self) {
        let (own, foreign) = ("http://localhost:8080", "https://evil.example.org");
        let body = json!({ "email": self.email, "password": self.password });
        let sign_in = |journey: &Self| journey.in_cookie_mode("/signin", own).json(&body);
        self.expect(200, sign_in(self)).await;
        let parent = self.token_cookie.clone();
        self.expect(200, self.in_cookie_mode("/tokens", own)).await;
        assert_ne!(self.token_cookie, parent);
        let (_, token) = parent.split_once('=').unwrap();
        let both = json!({ "refreshToken": token });
        for (status, request) in [
            (403, self.in_cookie_mode("/tokens", foreign)),
            (403, self.in_cookie_mode("/signout", foreign)),
            (422, self.in_cookie_mode("/tokens", own).json(&both)),
            (
                400,
                self.in_cookie_mode("/tokens", own)
                    .header("Revolve-Tokens", token),
            ),
            (
                400,
                self.request("POST", &path("/tokens"))
                    .header("Cookie", &parent),
            ),
            (405, self.in_cookie_mode("/me", own)),
        ] {
            self.expect(status, request).await;
        }
        self.expect(204, self.in_cookie_mode("/signout", own)).await;
        assert_eq!(self.token_cookie, "", "it was taken away");
        self.token_cookie = parent;
        self.expect(401, self.in_cookie_mode("/tokens", own)).await;
        self.expect(200, sign_in(self)).await;
        self.sign_in().await;
    }
}
