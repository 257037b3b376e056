//! The order to `revolve-bench peer-load`, made from the description of the server's API.

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use tokio::process::Command;

use super::contender::Contender;
use crate::{
    bench::{load::LoadReport, testbed::Testbed},
    harness::{
        process,
        profile::{ServerProfile, Vars},
    },
};

pub(super) const CONNECTIONS: usize = 16;
/// Where the token goes; it reads the same in a form and in JSON.
const PLACEHOLDER: &str = "the-refresh-token";

#[derive(Debug, Serialize)]
struct PeerOrder<'a> {
    path: String,
    media_type: String,
    body: String,
    placeholder: &'static str,
    successor: &'a str,
    tokens: Vec<String>,
    connections: usize,
    seconds: f64,
}

impl<'a> PeerOrder<'a> {
    fn new(profile: &'a ServerProfile, tokens: Vec<String>, seconds: f64) -> Result<Self> {
        let vars = Vars {
            refresh: Some(PLACEHOLDER),
            ..Vars::default()
        };
        let request = profile.request(&profile.refresh, "http://localhost", &vars)?;
        let [(name, media_type)] = &request.headers[..] else {
            anyhow::bail!("a refresh has other headers than its type");
        };
        ensure!(
            request.method == "POST" && name == "Content-Type",
            "a refresh is no POST of a body"
        );
        Ok(Self {
            path: request.url.path().to_owned(),
            media_type: media_type.clone(),
            body: request.body,
            placeholder: PLACEHOLDER,
            successor: profile.successor(),
            tokens,
            connections: CONNECTIONS,
            seconds,
        })
    }
}

/// Refreshes in a closed loop, by sessions with these tokens. None may fail.
pub(super) async fn refreshes(
    testbed: &Testbed<'_>,
    contender: &Contender,
    tokens: Vec<String>,
    seconds: f64,
) -> Result<LoadReport> {
    let order = PeerOrder::new(&contender.profile, tokens, seconds)?;
    let address = contender.url()?.trim_start_matches("http://");
    let mut command = Command::new(testbed.tools().path());
    command.args(["peer-load", address]).env_clear();
    let report = process::pipe(&mut command, &serde_json::to_vec(&order)?).await?;
    let report: LoadReport =
        serde_json::from_slice(&report).context("the load reports something else")?;
    report.whole().with_context(|| contender.what.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::folders;

    #[test]
    fn the_order_is_the_refresh_of_the_profile() {
        let file = folders::root()
            .unwrap()
            .join("xtask/peers/oidc-provider/profile.toml");
        let peer = ServerProfile::load(Some(&file)).unwrap();
        let order = PeerOrder::new(&peer, vec!["a".to_owned()], 1.0).unwrap();
        assert_eq!(
            (&*order.path, &*order.media_type, order.successor),
            (
                "/token",
                "application/x-www-form-urlencoded",
                "/refresh_token"
            )
        );
        assert!(order.body.contains("refresh_token=the-refresh-token"));

        let own = ServerProfile::load(None).unwrap();
        let order = PeerOrder::new(&own, Vec::new(), 1.0).unwrap();
        assert_eq!(order.body, r#"{"refreshToken":"the-refresh-token"}"#);
        assert_eq!(order.successor, "/tokens/refreshToken");
    }
}
