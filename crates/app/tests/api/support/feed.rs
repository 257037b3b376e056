//! A service that reads the revocation feed as others do: by HTTP and by public key.

use super::{
    Actor, Answer,
    described::{self, Sent},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, RequestBuilder, Response};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};

pub(crate) const FEED: &str = "/.well-known/revocations";

impl Actor {
    pub(crate) fn feed_request(&self, query: &str) -> RequestBuilder {
        self.request(Method::GET, &format!("{FEED}{query}"))
    }

    /// The feed as it is now.
    pub(crate) async fn feed(&self) -> Answer {
        self.send(self.feed_request("")).await
    }

    /// The feed, unless it still has this tag, at once or after a wait.
    pub(crate) async fn feed_unless(&self, tag: &str, query: &str) -> Answer {
        self.send(self.feed_request(query).header("If-None-Match", tag))
            .await
    }

    /// What the feed claims now, once its signature has been verified by the key set.
    pub(crate) async fn revoked(&self) -> Value {
        let answer = self.feed().await.expect(200);
        assert_eq!(answer.header("content-type"), "application/jwt");
        self.verified(&answer.text).await
    }

    /// A packed statement since a version, or since 0.
    pub(crate) async fn packed(&self, since: &str) -> Packed {
        let answer = self
            .send(self.feed_request(&format!("?since={since}")))
            .await;
        let answer = answer.expect(200);
        assert_eq!(
            answer.header("content-type"),
            "application/vnd.revolve.revocations"
        );
        self.unpacked(&answer.text).await
    }

    /// What a packed statement says, once its signature and its digest have been verified.
    pub(crate) async fn unpacked(&self, text: &str) -> Packed {
        let (jws, ids) = text
            .split_once('~')
            .expect("a packed statement has two parts");
        let claims = self.verified_as("packed-revocations+jwt", jws).await;
        let digest = ring::digest::digest(&ring::digest::SHA256, ids.as_bytes());
        assert_eq!(claims["digest"], URL_SAFE_NO_PAD.encode(digest));
        let bytes = URL_SAFE_NO_PAD.decode(ids).expect("base64url");
        let mut rest = bytes.as_slice();
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at(count);
            rest = left;
            taken
        };
        let id = |bytes: &[u8]| uuid::Uuid::from_slice(bytes).unwrap().to_string();
        let minutes = claims["sessions"].as_array().unwrap();
        let count: u64 = minutes
            .iter()
            .map(|minute| minute[1].as_u64().unwrap())
            .sum();
        let ended = (0..count).map(|_| id(take(16))).collect();
        let users = claims["only"]["users"].as_u64().unwrap();
        let only = (0..users).map(|_| {
            let user = id(take(16));
            let count = u16::from_be_bytes(take(2).try_into().unwrap());
            (user, (0..count).map(|_| id(take(16))).collect())
        });
        let only = only.collect();
        assert_eq!(rest, [0; 0], "nothing is left");
        Packed {
            version: claims["version"].as_str().unwrap().to_owned(),
            ended,
            only,
            claims,
        }
    }

    /// The claims of a statement whose signature is good.
    pub(crate) async fn verified(&self, jws: &str) -> Value {
        self.verified_as("revocations+jwt", jws).await
    }

    async fn verified_as(&self, typ: &str, jws: &str) -> Value {
        let keys = self
            .send(self.request(Method::GET, "/.well-known/jwks.json"))
            .await
            .expect(200)
            .json();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
        let (message, signature) = jws.rsplit_once('.').expect("a JWS has three parts");
        let header: Value =
            serde_json::from_slice(&decode(message.split('.').next().unwrap())).expect("JSON");
        let key = keys["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["kid"] == header["kid"])
            .expect("the key is in the set");
        let member = |name: &str| decode(key[name].as_str().unwrap());
        let (alg, outcome) = match key["kty"].as_str().unwrap() {
            // SEC 1, 2.3.3: a point that is not compressed.
            "EC" => (
                "ES256",
                UnparsedPublicKey::new(
                    &ECDSA_P256_SHA256_FIXED,
                    [vec![4], member("x"), member("y")].concat(),
                )
                .verify(message.as_bytes(), &decode(signature)),
            ),
            "RSA" => (
                "RS256",
                RsaPublicKeyComponents {
                    n: member("n"),
                    e: member("e"),
                }
                .verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    message.as_bytes(),
                    &decode(signature),
                ),
            ),
            other => panic!("no test has a key of {other}"),
        };
        outcome.expect("the signature is good");
        assert_eq!(header, json!({ "alg": alg, "kid": key["kid"], "typ": typ }));
        Actor::claims(jws)
    }

    /// Opens a stream of events.
    pub(crate) async fn events(&self) -> Events {
        self.packed_events("", None).await
    }

    /// The next statement of a stream of the packed form.
    pub(crate) async fn next_packed(&self, events: &mut Events) -> Packed {
        let text = events.next().await.expect("the stream goes on");
        let packed = self.unpacked(&text).await;
        assert_eq!(events.id.as_deref(), Some(packed.version.as_str()));
        packed
    }

    /// Opens a stream of events, perhaps of the packed form, perhaps after one that broke off.
    pub(crate) async fn packed_events(&self, query: &str, last: Option<&str>) -> Events {
        let mut request = self
            .feed_request(query)
            .header("Accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let request = request.build().expect("the request is sound");
        let sent = Sent::from(&request);
        let response = self.execute(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        described::check(
            &sent,
            &Answer {
                status: 200,
                headers: response.headers().clone(),
                text: String::new(),
            },
        );
        Events {
            response,
            text: String::new(),
            id: None,
        }
    }
}

/// What a packed statement says.
pub(crate) struct Packed {
    pub(crate) claims: Value,
    pub(crate) version: String,
    /// The sessions that ended.
    pub(crate) ended: Vec<String>,
    /// Users with the sessions that live.
    pub(crate) only: Vec<(String, Vec<String>)>,
}

/// An open stream of events.
pub(crate) struct Events {
    response: Response,
    text: String,
    /// Of the last event.
    id: Option<String>,
}

impl Events {
    /// The next statement; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(rest) = event.strip_prefix("event: revocations\n") {
                    let (head, data) = rest.split_once("data: ").expect("it has data");
                    self.id = head.trim_end().strip_prefix("id: ").map(str::to_owned);
                    return Some(data.to_owned());
                }
                assert_eq!(event, ":", "an event or a sign of life");
            }
            let chunk = self.response.chunk().await.expect("the stream is whole")?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

/// The ids of the sessions that a statement names.
pub(crate) fn sessions(claims: &Value) -> Vec<&str> {
    claims["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry[0].as_str().unwrap())
        .collect()
}
