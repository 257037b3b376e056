//! `POST /api/account/signin/code` and `/signin/code/confirm`.

use crate::support::{Actor, Mailing, PASSWORD, field_errors, on_both_stores_with_mail, path};
use reqwest::Method;
use serde_json::{Value, json};

const ANN: &str = "ann@example.org";

async fn ask(actor: &Actor, email: &str) -> (Value, String) {
    let answer = actor
        .post("/signin/code", json!({ "email": email }))
        .await
        .expect(202);
    let cookie = answer.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once(';').expect("the browser is told");
    assert_eq!(
        attributes, " HttpOnly; SameSite=Lax; Path=/; Max-Age=86400",
        "{cookie}"
    );
    assert!(pair.starts_with("revolve-proof-"), "{cookie}");
    (answer.json()["proof"].clone(), pair.to_owned())
}

fn confirmation(proof: &Value, code: &str) -> Value {
    json!({ "proof": proof["id"], "code": code })
}

/// Another code.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

/// Somebody who has signed up and verified the address: one mail.
async fn verified(service: &Mailing, email: &str) -> Actor {
    let mut actor = service.anon();
    actor.sign_up(email).await.expect(201);
    let asked = actor.call(Method::POST, "/email/verify", None).await;
    let proof = asked.expect(202).json()["proof"].clone();
    let body = confirmation(&proof, &service.code(email, 1).await);
    actor
        .call(Method::POST, "/email/confirm", Some(body))
        .await
        .expect(204);
    actor
}

on_both_stores_with_mail! {
    async fn the_code_of_the_mail_signs_in(service: Mailing, "accounts.sign_in_code = true") {
        let mut ann = verified(&service, ANN).await;
        let mut phone = service.anon();
        let (proof, _) = ask(&phone, "Ann@Example.ORG").await;
        assert_eq!(proof["expiresIn"], 600);
        let code = service.code(ANN, 2).await;
        let named = json!({ "proof": proof["id"], "code": code, "deviceName": "Ann's phone" });
        let answer = phone.sign_in_by_code(named).await.expect(200);
        assert!(answer.header("set-cookie").contains("revolve-device"), "{answer:?}");
        assert_eq!(answer.json()["session"]["evicted"], json!([]));
        let told = service.mails_to(ANN, 3).await;
        assert!(told[2].code().is_none(), "a notice of the new device: {told:?}");
        for _ in 0..2 {
            let claims = Actor::claims(&phone.id_token);
            assert_eq!((&claims["amr"], &claims["sid"]), (&json!(["otp"]), &json!(phone.session)));
            phone.refresh_bound().await.expect(200);
        }
        assert_eq!(Actor::claims(&ann.id_token)["amr"], json!(["pwd"]));
        ann.refresh().await.expect(200);
        let page = phone.get("/activity").await.expect(200).json();
        let events: Vec<_> = page["entries"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
        assert_eq!(events[..3], ["session.bound", "session.begun", "sign_in.requested"]);
        assert_eq!(page["entries"][1]["device"], "Ann's phone");
        phone.post("/signin/code/confirm", confirmation(&proof, &code)).await.expect_problem(410, "proof_gone");
        service.anon().sign_in(ANN, PASSWORD).await.expect(200);
    }

    async fn the_link_counts_where_it_was_asked_for_and_nowhere_else(service: Mailing, "accounts.sign_in_code = true\nmail.links.sign_in = 'https://app.example.org/in?proof={proof}&secret={secret}'") {
        let ann = verified(&service, ANN).await;
        let (proof, cookie) = ask(&ann, ANN).await;
        let link = service.mails_to(ANN, 2).await.remove(1).link().unwrap();
        let secret = link.split_once("secret=").unwrap().1.to_owned();
        assert!(link.contains(proof["id"].as_str().unwrap()), "{link}");
        let body = json!({ "proof": proof["id"], "secret": secret });
        for _ in 0..10 {
            ann.post("/signin/code/confirm", body.clone()).await.expect_problem(422, "code_required");
        }
        let with = |cookie: &str| ann.request(Method::POST, &path("/signin/code/confirm")).header("Cookie", cookie).json(&body);
        ann.send(with(&cookie.replace(&cookie[cookie.len() - 4..], "0000"))).await.expect_problem(422, "code_required");
        ann.send(with(&cookie)).await.expect(200);
    }

    async fn a_device_is_kept_and_its_session_replaced(service: Mailing, "accounts.sign_in_code = true") {
        let mut ann = verified(&service, ANN).await;
        let credential = ann.credential.clone().unwrap();
        let on = |operation: &str, body: &Value| ann.request(Method::POST, &path(operation)).header("Revolve-Device", &credential).json(body);
        let asked = ann.send(on("/signin/code", &json!({ "email": ANN }))).await.expect(202);
        assert_eq!(asked.header("set-cookie"), "", "its device is enough");
        let body = confirmation(&asked.json()["proof"], &service.code(ANN, 2).await);
        let answer = ann.send(on("/signin/code/confirm", &body)).await.expect(200).json();
        assert_eq!(answer["device"]["credential"], credential);
        ann.refresh().await.expect_problem(401, "session_replaced");
    }

    async fn all_accounts_and_none_get_the_same_answer(service: Mailing, "accounts.sign_in_code = true") {
        let ann = verified(&service, ANN).await;
        verified(&service, "eve@example.org").await;
        service.revolve(&["user", "disable", "eve@example.org", "--yes"]).await.expect(0);
        let mut stranger = service.anon();
        stranger.sign_up("zoe@example.org").await.expect(201);
        let mut answers = Vec::new();
        for email in [ANN, "nobody@example.org", "eve@example.org", "zoe@example.org"] {
            let answer = ann.post("/signin/code", json!({ "email": email })).await.expect(202);
            let proof = answer.json()["proof"].clone();
            let refused = ann.post("/signin/code/confirm", confirmation(&proof, "000000")).await;
            // One in a million.
            let refused = refused.expect_problem(422, "code_wrong").json();
            let names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
            answers.push((proof["expiresIn"].clone(), names, refused["attemptsLeft"].clone()));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        service.mails_to(ANN, 2).await;
        let told = service.mails_to("zoe@example.org", 1).await.remove(0);
        assert!(told.code().is_none() && told.link().is_none(), "whoever signed up with it may not be its reader: {told:?}");
        assert!(service.sink.received().iter().all(|mail| mail.to != ["nobody@example.org"]));
    }

    async fn five_codes_can_be_tried(service: Mailing, "accounts.sign_in_code = true") {
        let ann = verified(&service, ANN).await;
        let (proof, _) = ask(&ann, ANN).await;
        let code = service.code(ANN, 2).await;
        for left in (0..5).rev() {
            let refused = ann.post("/signin/code/confirm", confirmation(&proof, &wrong(&code))).await;
            assert_eq!(refused.expect_problem(422, "code_wrong").json()["attemptsLeft"], left);
        }
        ann.post("/signin/code/confirm", confirmation(&proof, &code)).await.expect_problem(410, "proof_gone");
        ann.get("/me").await.expect(200);
    }

    async fn a_hundred_confirmations_at_once_begin_one_session(service: Mailing, "accounts.sign_in_code = true\nlimits.confirmations_per_address = 'off'\nmail.links.sign_in = 'https://app.example.org/in?proof={proof}&secret={secret}'") {
        let ann = verified(&service, ANN).await;
        let (proof, cookie) = ask(&ann, ANN).await;
        let link = service.mails_to(ANN, 2).await.remove(1).link().unwrap();
        let body = json!({ "proof": proof["id"], "secret": link.split_once("secret=").unwrap().1 });
        let calls = (0..100).map(|_| {
            let request = ann.request(Method::POST, &path("/signin/code/confirm")).header("Cookie", &cookie).json(&body);
            ann.send(request)
        });
        let answers = futures_util::future::join_all(calls).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        let gone = answers.iter().filter(|answer| matches!(answer.status, 410 | 503)).count();
        assert_eq!((done, done + gone), (1, 100), "{answers:?}");
        let begun = answers.iter().find(|answer| answer.status == 200).unwrap().json()["session"]["id"].clone();
        let sessions = ann.get("/sessions").await.expect(200).json();
        let sessions: Vec<_> = sessions["sessions"].as_array().unwrap().iter().map(|session| &session["id"]).collect();
        assert!(sessions.contains(&&begun) && sessions.len() == 2, "{sessions:?}");
    }

    async fn a_change_of_the_password_voids_the_code(service: Mailing, "accounts.sign_in_code = true") {
        let ann = verified(&service, ANN).await;
        let (proof, _) = ask(&ann, ANN).await;
        let code = service.code(ANN, 2).await;
        let change = json!({ "currentPassword": PASSWORD, "newPassword": "a password that ann remembers" });
        ann.put("/password", change).await.expect(204);
        ann.post("/signin/code/confirm", confirmation(&proof, &code)).await.expect_problem(410, "proof_gone");
    }

    async fn what_is_malformed_is_named(service: Mailing, "accounts.sign_in_code = true") {
        let anon = service.anon();
        let refused = anon.post("/signin/code", json!({ "email": "nobody" })).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&refused), ["email: invalid_email"]);
        let proof = "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51";
        for (body, expected) in [
            (json!({}), &["proof: missing", "code: missing"][..]),
            (json!({ "proof": "x", "code": "12345" }), &["proof: invalid_id", "code: invalid_code"]),
            (json!({ "proof": proof, "code": "123456", "secret": "x" }), &["code: unknown_field"]),
            (json!({ "proof": proof, "code": "123456", "password": PASSWORD }), &["password: unknown_field"]),
        ] {
            let refused = anon.post("/signin/code/confirm", body.clone()).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), expected, "{body}");
        }
        anon.post("/signin/code/confirm", json!({ "proof": proof, "code": "123456" })).await.expect_problem(410, "proof_gone");
    }

    async fn mails_are_limited_and_leave_those_of_recoveries(service: Mailing, "accounts.sign_in_code = true\nlimits.proofs_per_account = '2/1h'") {
        let anon = service.anon();
        for _ in 0..2 {
            ask(&anon, ANN).await;
        }
        let refused = anon.post("/signin/code", json!({ "email": ANN })).await.expect_problem(429, "rate_limited");
        assert!(refused.header("ratelimit").contains("proofs_per_account"), "{refused:?}");
        anon.post("/recovery", json!({ "email": ANN })).await.expect(202);
    }

    async fn it_is_off_by_default(service: Mailing) {
        let ann = verified(&service, ANN).await;
        ann.post("/signin/code", json!({ "email": ANN })).await.expect_problem(409, "sign_in_code_off");
        let proof = json!({ "id": "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51" });
        ann.post("/signin/code/confirm", confirmation(&proof, "123456")).await.expect_problem(409, "sign_in_code_off");
    }
}
