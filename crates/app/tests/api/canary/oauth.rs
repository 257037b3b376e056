//! The endpoints of OAuth clients, with secrets where they belong and everywhere else.

use super::journey::Journey;
use crate::support::described::FORM;
use reqwest::RequestBuilder;
use url::form_urlencoded::{Serializer, byte_serialize};

const TOKEN: &str = "/oauth/token";
const REVOKE: &str = "/oauth/revoke";
const INTROSPECT: &str = "/oauth/introspect";

impl Journey {
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.raw_form(path, body)
    }

    fn raw_form(&self, path: &str, body: String) -> RequestBuilder {
        self.request("POST", path)
            .header("content-type", FORM)
            .body(body)
    }

    fn refresh_by_form(&self, token: &str) -> RequestBuilder {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.form(TOKEN, &fields)
            .header("Revolve-Device", &self.credential)
    }

    /// What an OAuth client is answered, and what is refused with everything in its place.
    pub(super) async fn by_oauth(&mut self) {
        let (parent, key) = (self.refresh_token.clone(), self.key.clone());
        self.expect(200, self.refresh_by_form(&parent)).await;
        let without_device = [("grant_type", "refresh_token"), ("refresh_token", &*parent)];
        self.expect(400, self.form(TOKEN, &without_device)).await;
        let newest = self.refresh_token.clone();
        self.expect(200, self.refresh_by_form(&newest)).await;
        self.expect(200, self.call_at("GET", "/userinfo")).await;
        self.expect(400, self.refresh_by_form(&parent)).await;
        for token in [self.id_token.clone(), self.refresh_token.clone(), parent] {
            let ask = self.form(INTROSPECT, &[("token", &token)]);
            self.expect(200, ask.bearer_auth(&key)).await;
            let ask = self.form(INTROSPECT, &[("token", &token)]);
            self.expect(200, ask.basic_auth("a service", Some(&key)))
                .await;
            self.expect(401, self.form(INTROSPECT, &[("token", &token)]))
                .await;
        }
        for secret in self.all() {
            let encoded: String = byte_serialize(secret.as_bytes()).collect();
            for path in [TOKEN, REVOKE, INTROSPECT] {
                for body in [
                    format!("token={encoded}&token={encoded}"),
                    format!("{encoded}={encoded}&{encoded}={encoded}"),
                    format!("grant_type={encoded}&client_id={encoded}&client_secret={encoded}"),
                    format!("grant_type=refresh_token&scope={encoded}&refresh_token={encoded}"),
                    format!("refresh_token=%FF{encoded}"),
                    encoded.clone(),
                    secret.clone(),
                ] {
                    let request = self.raw_form(path, body);
                    let request = request.basic_auth(&secret, Some(&secret));
                    let (status, json) = self.send(request).await;
                    assert!((400..500).contains(&status), "{path}: {status} {json}");
                }
                let request = self.raw_form(path, format!("x={encoded}"));
                let request = request.header("content-type", "application/json");
                let (status, json) = self.send(request.bearer_auth(&key)).await;
                assert!((400..500).contains(&status), "{path}: {status} {json}");
            }
            let ask = self.form(
                INTROSPECT,
                &[("token", &secret), ("token_type_hint", &secret)],
            );
            self.expect(200, ask.bearer_auth(&key)).await;
            let revoke = self.form(REVOKE, &[("token", &secret), ("token_type_hint", &secret)]);
            self.expect(200, revoke).await;
        }
        let newest = self.refresh_token.clone();
        self.expect(200, self.form(REVOKE, &[("token", &newest)]))
            .await;
        self.expect(400, self.refresh_by_form(&newest)).await;
        self.sign_in().await;
    }

    /// What an OAuth client sends while the stores fail.
    pub(super) fn by_oauth_without_stores(&self) -> [RequestBuilder; 4] {
        let token = [("token", self.refresh_token.as_str())];
        [
            self.refresh_by_form(&self.refresh_token),
            self.form(REVOKE, &token),
            self.form(INTROSPECT, &token).bearer_auth(&self.key),
            self.call_at("GET", "/userinfo"),
        ]
    }
}
