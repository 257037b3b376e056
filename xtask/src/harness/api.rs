//! One instance of the service as a client sees it: operations become requests by the profile, are timed, and are written to a journal.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::{
    http::HttpClient,
    journal::Journal,
    profile::{Account, Answer, Grant, Scope, ServerOperation, ServerProfile, Vars},
};

/// An answer, and when its request was sent and it was received.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) sent: Instant,
    pub(crate) received: Instant,
    pub(crate) answer: Answer,
}

impl Reply {
    pub(crate) fn grant(&self) -> Option<&Grant> {
        match &self.answer {
            Answer::Granted(grant) => Some(grant),
            _ => None,
        }
    }

    /// The code, if it is a refusal.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match &self.answer {
            Answer::Refused(code) => Some(code),
            _ => None,
        }
    }

    /// In words, without tokens.
    pub(crate) fn words(&self) -> String {
        match &self.answer {
            Answer::Granted(_) | Answer::Done => "success".to_owned(),
            Answer::Refused(code) => format!("refused ({code})"),
            Answer::Unavailable => "unavailable".to_owned(),
            Answer::Silence(why) => format!("no answer ({why})"),
            Answer::Odd(what) => what.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) http: HttpClient,
    pub(crate) profile: Arc<ServerProfile>,
    pub(crate) base: String,
    pub(crate) journal: Journal,
}

impl Api {
    pub(crate) async fn sign_up(&self, account: &Account) -> Result<Reply> {
        let operation = self
            .profile
            .sign_up
            .as_ref()
            .context("the profile has no sign_up")?;
        let vars = Vars {
            user: Some(&account.user),
            password: Some(&account.password),
            ..Vars::default()
        };
        self.send("sign up", operation, &vars).await
    }

    pub(crate) async fn sign_in(
        &self,
        account: &Account,
        credential: Option<&str>,
    ) -> Result<Reply> {
        let operation = self
            .profile
            .sign_in
            .as_ref()
            .context("the profile has no sign_in")?;
        let vars = Vars {
            user: Some(&account.user),
            password: Some(&account.password),
            credential,
            ..Vars::default()
        };
        self.send("sign in", operation, &vars).await
    }

    pub(crate) async fn refresh(&self, token: &str, credential: Option<&str>) -> Result<Reply> {
        let what = format!(
            "refresh {}{}",
            self.journal.name(token),
            if credential.is_some() {
                " on its device"
            } else {
                ""
            }
        );
        let vars = Vars {
            refresh: Some(token),
            credential,
            ..Vars::default()
        };
        self.exchange(&what, &self.profile.refresh, &vars, Some(token))
            .await
    }

    /// Refreshes and closes the connection after `linger` without reading.
    pub(crate) async fn refresh_and_cut(
        &self,
        token: &str,
        credential: Option<&str>,
        linger: Duration,
    ) -> Result<()> {
        self.journal.note(&format!(
            "refresh {}, cut after {} ms",
            self.journal.name(token),
            linger.as_millis()
        ));
        let vars = Vars {
            refresh: Some(token),
            credential,
            ..Vars::default()
        };
        let request = self
            .profile
            .request(&self.profile.refresh, &self.base, &vars)?;
        self.http.send_and_cut(&request, linger).await
    }

    pub(crate) async fn sign_out(&self, grant: &Grant, scope: Scope) -> Result<Reply> {
        let operation = self
            .profile
            .sign_out
            .as_ref()
            .context("the profile has no sign_out")?;
        let vars = Vars {
            scope: self.profile.scope(scope),
            ..holding(grant)
        };
        self.send(&format!("sign out {scope:?}"), operation, &vars)
            .await
    }

    pub(crate) async fn change_password(
        &self,
        grant: &Grant,
        account: &Account,
        new: &str,
    ) -> Result<Reply> {
        let operation = self
            .profile
            .change_password
            .as_ref()
            .context("the profile has no change_password")?;
        let vars = Vars {
            password: Some(&account.password),
            new_password: Some(new),
            ..holding(grant)
        };
        self.send("change the password", operation, &vars).await
    }

    /// Uses an access token; nothing if the profile can't.
    pub(crate) async fn check(&self, grant: &Grant) -> Result<Option<Reply>> {
        let (Some(operation), Some(_)) = (&self.profile.check, &grant.access) else {
            return Ok(None);
        };
        let what = format!(
            "use the access token that came with {}",
            self.journal.name(&grant.refresh)
        );
        self.send(&what, operation, &holding(grant)).await.map(Some)
    }

    async fn send(
        &self,
        what: &str,
        operation: &ServerOperation,
        vars: &Vars<'_>,
    ) -> Result<Reply> {
        self.exchange(what, operation, vars, None).await
    }

    async fn exchange(
        &self,
        what: &str,
        operation: &ServerOperation,
        vars: &Vars<'_>,
        presented: Option<&str>,
    ) -> Result<Reply> {
        let request = self.profile.request(operation, &self.base, vars)?;
        let sent = Instant::now();
        let answer = match self.http.send(&request).await {
            Ok(response) => self.profile.read(operation, &response, presented),
            Err(error) => Answer::Silence(error.root_cause().to_string()),
        };
        let reply = Reply {
            sent,
            received: Instant::now(),
            answer,
        };
        let took = reply.received.duration_since(sent).as_millis();
        let got = reply
            .grant()
            .map(|grant| format!(": {}", self.journal.name(&grant.refresh)))
            .unwrap_or_default();
        self.journal
            .note(&format!("{what} → {}{got} [{took} ms]", reply.words()));
        Ok(reply)
    }
}

fn holding(grant: &Grant) -> Vars<'_> {
    Vars {
        refresh: Some(&grant.refresh),
        access: grant.access.as_deref(),
        credential: grant.credential.as_deref(),
        ..Vars::default()
    }
}
