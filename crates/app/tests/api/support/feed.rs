//! A service that reads the revocation feed as others do: by HTTP and by public key.

use super::{
    Actor, Answer,
    described::{self, Sent},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, RequestBuilder, Response};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
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

    /// The claims of a statement whose signature is good.
    pub(crate) async fn verified(&self, jws: &str) -> Value {
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
        assert_eq!(
            header,
            json!({ "alg": "RS256", "kid": key["kid"], "typ": "revocations+jwt" })
        );
        let public = RsaPublicKeyComponents {
            n: decode(key["n"].as_str().unwrap()),
            e: decode(key["e"].as_str().unwrap()),
        };
        public
            .verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message.as_bytes(),
                &decode(signature),
            )
            .expect("the signature is good");
        Actor::claims(jws)
    }

    /// Opens a stream of events.
    pub(crate) async fn events(&self) -> Events {
        let request = self
            .feed_request("")
            .header("Accept", "text/event-stream")
            .build()
            .expect("the request is sound");
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
        }
    }
}

/// An open stream of events.
pub(crate) struct Events {
    response: Response,
    text: String,
}

impl Events {
    /// The next statement; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(data) = event.strip_prefix("event: revocations\ndata: ") {
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
