//! `POST /factors/recovery-codes`, and what a recovery code opens.

use super::ANN;
use crate::support::{Actor, Mailing, PASSWORD, on_both_stores_with_mail, recovery_codes};
use reqwest::Method;
use serde_json::{Value, json};

fn with_code(step: &Value, code: &str) -> Value {
    json!({ "challenge": step["challenge"], "recoveryCode": code })
}

on_both_stores_with_mail! {
    async fn a_code_counts_once_however_it_is_typed(service: Mailing, "accounts.verification = 'off'") {
        let ann = service.sign_up("ann").await;
        let (_, codes) = ann.set_up_totp().await;
        let mut other = service.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        let wrong = other.second_step(with_code(&step, "0000-0000-0000-0000")).await;
        assert_eq!(wrong.expect_problem(422, "code_wrong").json()["attemptsLeft"], 4);
        let typed = codes[3].to_lowercase().replace('-', " ");
        other.second_step(with_code(&step, &typed)).await.expect(200);
        assert_eq!(Actor::claims(&other.id_token)["amr"], json!(["mfa", "otp", "pwd"]));
        assert_eq!(other.get("/factors").await.expect(200).json()["recoveryCodes"]["left"], 9);
        let mut third = service.anon();
        let step = third.challenge(ANN, PASSWORD).await;
        third.second_step(with_code(&step, &codes[3])).await.expect_problem(422, "code_wrong");
        let told = service.mail_saying(ANN, "recovery code was used").await;
        assert!(told.text().contains('9') && !codes.iter().any(|code| told.text().contains(code.as_str())), "{told:?}");
        let told = service.mail_saying(ANN, "new authenticator app").await;
        assert!(!codes.iter().any(|code| told.text().contains(code.as_str())), "{told:?}");
    }

    async fn a_new_set_voids_the_old(service: Mailing, "accounts.verification = 'off'") {
        let ann = service.sign_up("ann").await;
        let reauthentication = ann.reauthenticate().await;
        let none = ann.call_with(Method::POST, "/factors/recovery-codes", None, &reauthentication).await;
        none.expect_problem(409, "no_factor");
        let (_, old) = ann.set_up_totp().await;
        let reauthentication = ann.reauthenticate().await;
        let answer = ann.call_with(Method::POST, "/factors/recovery-codes", None, &reauthentication).await;
        let new = recovery_codes(&answer.expect(200).json());
        assert!(new.iter().all(|code| !old.contains(code)), "{new:?}");
        let mut other = service.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        other.second_step(with_code(&step, &old[0])).await.expect_problem(422, "code_wrong");
        other.second_step(with_code(&step, &new[0])).await.expect(200);
    }
}
