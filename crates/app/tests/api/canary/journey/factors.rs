//! An authenticator app and recovery codes: set up, used, refused, and removed.

use super::*;
use crate::support::{TotpApp, recovery_codes};

impl Journey {
    pub(in crate::canary) async fn with_factors(&mut self) {
        let shown = json!({ "currentPassword": self.password });
        let shown = self.call("POST", "/reauthenticate").json(&shown);
        let shown = self.expect(200, shown).await;
        let token = shown["reauthentication"].as_str().unwrap().to_owned();
        self.secrets.add_token("reauthentication", &token);
        let sure = |journey: &Self, method: &str, operation: &str| {
            let call = journey.call(method, operation);
            call.header("Revolve-Reauthentication", &token)
        };
        let set_up = sure(self, "POST", "/factors/totp");
        let set_up = self.expect(200, set_up).await;
        let secret = set_up["secret"].as_str().unwrap();
        self.secrets.add("secret of an app", secret);
        let mut app = TotpApp::new(&set_up);
        let confirmation = json!({ "code": app.code() });
        let confirm = sure(self, "POST", "/factors/totp/confirm").json(&confirmation);
        let confirmed = self.expect(200, confirm).await;
        let codes = recovery_codes(&confirmed);
        for code in &codes {
            self.secrets.add("recovery code", code);
        }
        self.expect(200, self.call("GET", "/factors")).await;
        // A browser is told its device by the cookie alone.
        let body = json!({ "email": self.email, "password": self.password });
        let first = self.call("POST", "/signin").json(&body);
        let step = self
            .expect(403, first.header("Sec-Fetch-Site", "same-origin"))
            .await;
        let by = |journey: &Self, factor: &str, code: &str| {
            let body = json!({ "challenge": step["challenge"], factor: code });
            journey.call("POST", "/signin/factor").json(&body)
        };
        let used = by(self, "totp", &app.again());
        self.expect(422, used).await;
        let wrong = by(self, "recoveryCode", "0000-0000-0000-0000");
        self.expect(422, wrong).await;
        let right = by(self, "recoveryCode", &codes[0]);
        self.expect(200, right).await;
        let again = by(self, "recoveryCode", &codes[1]);
        self.expect(410, again).await;
        let shown = json!({ "recoveryCode": codes[2] });
        let shown = self.call("POST", "/reauthenticate").json(&shown);
        let shown = self.expect(200, shown).await;
        let token = shown["reauthentication"].as_str().unwrap().to_owned();
        self.secrets.add_token("reauthentication", &token);
        let remove = self.call("DELETE", "/factors/totp");
        let remove = remove.header("Revolve-Reauthentication", &token);
        self.expect(204, remove).await;
    }
}
