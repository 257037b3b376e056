//! What is sent: the body, and its signatures by Standard Webhooks 1.0.

use crate::mac::hmac_sha256;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Mac;
use revolve_domain::{
    model::{Label, Timestamp},
    ports::JournalRecord,
};
use secrecy::{ExposeSecret, SecretSlice};
use serde::Serialize;
use std::collections::BTreeMap;
use time::format_description::well_known::Rfc3339;

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: String,
    data: Data<'a>,
}

/// An entry of the journal, as `revolve events --json` has it, but for operators' reasons. What is not there is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    id: String,
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    details: BTreeMap<&'a str, &'a str>,
    count: u64,
}

/// The body of an event: JSON.
pub(super) fn body(event: &JournalRecord) -> String {
    let body = Body {
        r#type: &event.event,
        timestamp: rfc_3339(event.at),
        data: Data {
            id: event.id.to_string(),
            actor: event.actor.name(),
            api_key: event.actor.key().map(|key| key.to_string()),
            user: event.user.map(|user| user.to_string()),
            session: event.session.map(|session| session.to_string()),
            address: event.address.map(|address| address.to_string()),
            session_address: event.session_address.map(|address| address.to_string()),
            device: event.device.as_ref().map(Label::as_str),
            details: event.public_details(),
            count: event.count,
        },
    };
    serde_json::to_string(&body).expect("texts and numbers are JSON")
}

fn rfc_3339(at: Timestamp) -> String {
    let text = at.to_datetime().format(&Rfc3339);
    text.unwrap_or_else(|_| at.as_seconds().to_string())
}

/// The field `webhook-signature`: one signature for each secret, with spaces between.
pub(super) fn signatures(
    id: &str,
    timestamp: i64,
    body: &str,
    secrets: &[SecretSlice<u8>],
) -> String {
    let sign = |secret: &SecretSlice<u8>| {
        let mut mac = hmac_sha256(secret.expose_secret());
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::{journal::Actor, model::EventId};

    /// The example of the libraries of Standard Webhooks.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signatures(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            &[secret.into()],
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_has_its_signature() {
        let signed = signatures("id", 1, "body", &[vec![1; 32].into(), vec![2; 32].into()]);
        let [one, other] = signed.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{signed}")
        };
        assert!(one.starts_with("v1,") && other.starts_with("v1,") && one != other);
    }

    #[test]
    fn a_body_says_what_happened_and_when_and_no_reason_of_an_operator() {
        let event = JournalRecord {
            id: EventId::from_random([1; 16]),
            at: Timestamp::from_seconds(1_900_000_000),
            actor: Actor::System,
            event: "session.reused".to_owned(),
            user: None,
            session: None,
            address: Some([203, 0, 113, 7].into()),
            session_address: None,
            device: None,
            details: BTreeMap::from([
                ("gap_seconds".to_owned(), "3".to_owned()),
                (JournalRecord::NOTE.to_owned(), "Ann's ticket".to_owned()),
            ]),
            count: 1,
        };
        let id = event.id;
        assert_eq!(
            body(&event),
            format!(
                r#"{{"type":"session.reused","timestamp":"2030-03-17T17:46:40Z","data":{{"id":"{id}","actor":"system","address":"203.0.113.7","details":{{"gap_seconds":"3"}},"count":1}}}}"#
            )
        );
    }
}
