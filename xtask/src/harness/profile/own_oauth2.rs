//! The profile of OAuth 2 servers, filled in for Revolve.

use anyhow::Result;

use super::{REVOLVE, ServerOperation, ServerProfile};

/// The template that operators of other servers copy.
const OAUTH2: &str = include_str!("../../../profiles/oauth2.toml");

/// What its paths are below.
const BASE: &str = "/oauth";

impl ServerProfile {
    /// Revolve as an OAuth client sees it: refreshes, questions and sign-outs are those of the template, with a key as the client's secret. Sessions
    /// begin at the account API, since that is no part of OAuth here.
    pub(crate) fn of_own_oauth2(key: Option<&str>) -> Result<Self> {
        let (own, mut profile) = (Self::parse(REVOLVE)?, Self::parse(OAUTH2)?);
        let operations = [&mut profile.check, &mut profile.sign_out];
        let operations = operations.into_iter().flatten();
        for operation in operations.chain([&mut profile.refresh]) {
            operation.path.insert_str(0, BASE);
        }
        let begins = |operation: Option<ServerOperation>| {
            operation.map(|operation| ServerOperation {
                take: Some(own.take.clone()),
                ..operation
            })
        };
        (profile.sign_up, profile.sign_in) = (begins(own.sign_up), begins(own.sign_in));
        (profile.name, profile.windows) = ("Revolve by OAuth 2".to_owned(), own.windows);
        profile.accounts.clear();
        profile.unset.clear();
        if let Some(key) = key {
            let secret = "client_secret".to_owned();
            profile.values.insert(secret, key.to_owned());
        }
        Ok(profile)
    }
}
