//! What the time of a refused sign-in tells about factors.

use anyhow::Result;
use serde_json::json;

use super::person::{Network, Replica};
use crate::{
    attack::{
        client::{Client, api},
        goals::AttackGoals,
        timing,
    },
    harness::{http::HttpClient, raw_http::encode},
};

const CLASSES: [&str; 3] = ["unknown address", "no factor", "factor"];
/// Accounts of each class.
const ACCOUNTS: usize = 20;

/// Sends wrong passwords for addresses without an account, and for accounts without and with a factor. No limit may be on.
pub(super) async fn attack(
    goals: &mut AttackGoals,
    url: &str,
    kind: &str,
    samples: usize,
) -> Result<()> {
    let replica = Replica {
        http: HttpClient::new()?,
        url: url.to_owned(),
    };
    let mut requests = vec![Vec::new(); CLASSES.len()];
    for (class, requests) in requests.iter_mut().enumerate() {
        for account in 0..ACCOUNTS {
            // All have the same length.
            let email = format!("user-{class}{account:02}@example.org");
            let address = Network::Home.address(account);
            match CLASSES[class] {
                "factor" => drop(replica.sign_up_with_app(email.clone(), address).await?),
                "no factor" => drop(replica.sign_up(email.clone(), address).await?),
                _ => {}
            }
            let body = json!({ "email": email, "password": "not the password" });
            let request = Client::default().request("POST", &api(url, "/signin"), Some(&body))?;
            requests.push(encode(&request));
        }
    }
    let url = url.to_owned();
    let measure = move || timing::interleave(&url, &requests, 401, samples);
    let latencies = tokio::task::spawn_blocking(measure).await??;
    timing::compare(goals, &format!("{kind}: sign-in"), &CLASSES, &latencies);
    Ok(())
}
