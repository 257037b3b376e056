//! Secrets where none belongs.

use super::*;

impl Journey {
    /// Secrets in bodies that are wrong in every way.
    pub(in crate::canary) async fn in_bodies(&mut self) {
        for secret in self.all() {
            let quoted = serde_json::to_string(&secret).unwrap();
            for operation in [
                "/signup",
                "/signin",
                "/signin/code",
                "/signin/code/confirm",
                "/signin/factor",
                "/factors/totp/confirm",
                "/tokens",
                "/details",
                "/password",
                "/reauthenticate",
                "/signout",
            ] {
                let method = if matches!(operation, "/details" | "/password") {
                    "PUT"
                } else {
                    "POST"
                };
                for body in [
                    format!("{{\"password\":{quoted}"),
                    format!("{{\"refreshToken\":{quoted},}}"),
                    secret.clone(),
                    quoted.clone(),
                    format!("[{quoted}]"),
                    format!("{{\"password\":{quoted},\"password\":{quoted}}}"),
                    format!(
                        "{{\"password\":[{quoted}],\"refreshToken\":{{\"a\":{quoted}}},\"currentPassword\":[{quoted}]}}"
                    ),
                    format!(
                        "{{\"email\":{quoted},\"scope\":{quoted},\"name\":[{quoted}],\"website\":{quoted},\"other\":{quoted}}}"
                    ),
                    format!("{{\"proof\":{quoted},\"code\":{quoted},\"secret\":[{quoted}]}}"),
                    format!("{{\"proof\":\"{NO_PROOF}\",\"secret\":{quoted}}}"),
                    format!(
                        "{{\"refreshToken\":{quoted},\"currentPassword\":{quoted},\"newPassword\":\"short\",\"scope\":1}}"
                    ),
                    format!(
                        "{{\"password\":{}}}",
                        serde_json::to_string(&secret.repeat(1 + 300 / secret.len())).unwrap()
                    ),
                    format!(
                        "{{\"password\":{}}}",
                        serde_json::to_string(&secret.repeat(1 + 17_000 / secret.len())).unwrap()
                    ),
                ] {
                    let request = self
                        .call(method, operation)
                        .header("content-type", "application/json")
                        .body(body);
                    let (status, json) = self.send(request).await;
                    assert!((400..500).contains(&status), "{operation}: {status} {json}");
                }
                for (name, value) in [
                    ("content-type", format!("application/{}", token(&secret))),
                    ("content-encoding", token(&secret)),
                ] {
                    let request = self
                        .call(method, operation)
                        .header("content-type", "application/json")
                        .header(name, value);
                    self.send(request.body(quoted.clone())).await;
                }
            }
        }
    }

    /// Secrets in headers, paths and query strings of every endpoint.
    pub(in crate::canary) async fn in_heads(&mut self) {
        for secret in self.all() {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for (method, path) in ENDPOINTS {
                let request = self.request(
                    method,
                    &format!("{path}?token={encoded}&{encoded}&wait={encoded}"),
                );
                self.send(
                    request
                        .bearer_auth(&secret)
                        .header("Revolve-Device", &secret)
                        .header("Revolve-Reauthentication", &secret),
                )
                .await;
                self.send(self.request(method, &format!("{path}/{encoded}")))
                    .await;
                let mut request = self
                    .request(method, path)
                    .basic_auth(&secret, Some(&secret));
                for name in [
                    "x-request-id",
                    "traceparent",
                    "tracestate",
                    "baggage",
                    "user-agent",
                    "referer",
                    "origin",
                    "forwarded",
                    "x-forwarded-for",
                    "x-real-ip",
                    "accept",
                    "if-none-match",
                    "te",
                    "expect",
                    "x-api-key",
                    "accept-language",
                    "range",
                    "x-http-method-override",
                    "revolve-tokens",
                ] {
                    request = request.header(name, &secret);
                }
                self.send(request.header("cookie", format!("revolve-device={secret}; a={secret}")))
                    .await;
            }
            self.send(
                self.request("DELETE", &path(&format!("/sessions/{encoded}")))
                    .bearer_auth(&self.id_token),
            )
            .await;
            self.send(self.request("GET", &format!("/{encoded}"))).await;
        }
    }

    /// Secrets in the links that lead to pages, and in their forms.
    pub(in crate::canary) async fn in_pages(&mut self) {
        for secret in self.all() {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for page in [
                "/account/signup/confirm",
                "/account/recovery",
                "/account/password/choose",
                "/account/email/confirm",
                "/account/email/change",
                "/account/email/undo",
                "/account/email/disown",
            ] {
                let link = format!("{page}?proof={NO_PROOF}&secret={encoded}");
                self.expect(200, self.request("GET", &link)).await;
                for fields in [
                    format!("proof={NO_PROOF}&secret={encoded}&newPassword={encoded}"),
                    format!("proof={NO_PROOF}&secret={encoded}&password={encoded}"),
                    format!("proof={NO_PROOF}&code=12345&newPassword={encoded}"),
                    format!("proof={NO_PROOF}&code=12345&password={encoded}"),
                    format!("proof={encoded}&code=123456"),
                    format!("{encoded}={encoded}&{encoded}"),
                ] {
                    let form = self
                        .request("POST", page)
                        .header("origin", "http://localhost:8080")
                        .header("content-type", "application/x-www-form-urlencoded")
                        .body(fields);
                    let (status, _) = self.send(form).await;
                    assert!([400, 410, 422].contains(&status), "{page}: {status}");
                }
            }
        }
    }

    /// Secrets in what is hardly HTTP.
    pub(in crate::canary) async fn in_noise(&mut self) {
        for secret in self.all() {
            let word = token(&secret);
            for text in [
                format!("{word} /api/account/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                format!(
                    "GET /api/account/me HTTP/1.1\r\nHost: {word}\r\nConnection: close\r\n\r\n"
                ),
                format!(
                    "GET http://{word}/{word} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                ),
                format!("GET /{word}\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n"),
                format!("GET / HTTP/{word}\r\nHost: a\r\n\r\n"),
                format!("{secret}\r\n\r\n"),
                format!("GET / HTTP/1.1\r\nHost: a\r\n{word}: {secret}\r\n{secret}\r\n\r\n"),
                format!(
                    "GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n",
                    word.repeat(1 + 200_000 / word.len())
                ),
                format!(
                    "POST /api/account/tokens HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {word}\r\n\r\n{secret}"
                ),
                format!(
                    "POST /api/account/tokens HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{secret}"
                ),
                format!(
                    "POST /api/account/tokens HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                     zz{word}\r\n{secret}\r\n"
                ),
                format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{secret}{secret}{secret}"),
            ] {
                let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap())
                    .await
                    .unwrap();
                // It may be cut while we write: that is an answer, too.
                drop(stream.write_all(text.as_bytes()).await);
                drop(stream.shutdown().await);
                let mut answer = Vec::new();
                drop(stream.read_to_end(&mut answer).await);
                if !answer.is_empty() {
                    self.answers += 1;
                    self.refusals.push(Sink::new("an answer to noise", answer));
                }
            }
        }
    }
}

/// As much of it as may stand in a name.
fn token(secret: &str) -> String {
    secret
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect()
}
