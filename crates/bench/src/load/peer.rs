//! The load for any server whose refreshes are a POST: each connection refreshes its sessions in turn, each time with the token that came
//! with the last answer. One order comes on standard input, its report goes to standard output.

use std::{collections::BTreeMap, thread};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::{
    LoadRequest, Order,
    connection::LoadConnection,
    pace::Pace,
    people::{self, LoadSamples},
};

/// Arguments of `peer-load`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `host:port`
    address: String,
}

/// How the server is asked, by which sessions, and for how long.
#[derive(Debug, Deserialize)]
struct PeerOrder {
    path: String,
    media_type: String,
    /// With `placeholder` where the token goes.
    body: String,
    placeholder: String,
    /// Where the next token is in the answer: a JSON pointer (RFC 6901).
    successor: String,
    /// One for each session.
    tokens: Vec<String>,
    connections: usize,
    seconds: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let order: PeerOrder =
        serde_json::from_reader(std::io::stdin().lock()).context("this is no order")?;
    ensure!(
        order.connections > 0 && !order.tokens.is_empty(),
        "there is nobody to refresh"
    );
    ensure!(
        order.tokens.len().is_multiple_of(order.connections),
        "connections need equally many sessions"
    );
    let mut ready = Vec::new();
    let share = order.tokens.len() / order.connections;
    for tokens in order.tokens.chunks(share) {
        let mut connection = LoadConnection::new(&args.address);
        connection.open()?;
        ready.push((connection, tokens.to_vec()));
    }
    let pace = Pace::begin(&Order {
        request: LoadRequest::Refresh,
        connections: order.connections,
        seconds: Some(order.seconds),
        count: None,
        rate: None,
        codes: BTreeMap::new(),
    });
    let all = thread::scope(|scope| {
        let clients: Vec<_> = ready
            .into_iter()
            .map(|(mut connection, mut tokens)| {
                let (order, pace) = (&order, &pace);
                scope.spawn(move || in_turn(&mut connection, order, pace, &mut tokens))
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
            .collect::<Result<Vec<LoadSamples>>>()
    })?;
    let seconds = pace.elapsed().as_secs_f64();
    let report = people::report(all, pace.left(), seconds)?;
    serde_json::to_writer(std::io::stdout().lock(), &report)?;
    Ok(())
}

fn in_turn(
    connection: &mut LoadConnection<'_>,
    order: &PeerOrder,
    pace: &Pace,
    tokens: &mut [String],
) -> Result<LoadSamples> {
    let mut seen = LoadSamples::new()?;
    let count = tokens.len();
    let mut at = 0;
    while let Some(turn) = pace.turn() {
        let token = &mut tokens[at];
        at = (at + 1) % count;
        let outcome = refresh(connection, order, token).map(|next| *token = next);
        seen.take(turn.due, outcome);
    }
    Ok(seen)
}

fn refresh(connection: &mut LoadConnection<'_>, order: &PeerOrder, token: &str) -> Result<String> {
    let body = filled(order, token)?;
    let answer = connection.post_as(&order.path, None, &order.media_type, &body)?;
    ensure!(
        answer.status == 200,
        "a refresh was answered {}: {}",
        answer.status,
        answer.body
    );
    successor(answer.body, &order.successor, token)
}

/// The body with a token that reads the same in a form, in JSON and alone.
fn filled(order: &PeerOrder, token: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    ensure!(
        !token.is_empty() && token.bytes().all(plain),
        "a token would have to be encoded"
    );
    Ok(order.body.replace(&order.placeholder, token))
}

/// A server that answers with the same token does not rotate, which would be another thing to measure.
fn successor(body: &str, pointer: &str, token: &str) -> Result<String> {
    let body: Value = serde_json::from_str(body).context("the answer is not JSON")?;
    let next = body.pointer(pointer).and_then(Value::as_str);
    let next = next.context("the answer has no refresh token")?;
    ensure!(next != token, "the refresh token is the same as before");
    Ok(next.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> PeerOrder {
        serde_json::from_str(
            r#"{"path": "/token", "media_type": "application/x-www-form-urlencoded", "body": "grant_type=refresh_token&refresh_token=HERE",
                "placeholder": "HERE", "successor": "/refresh_token", "tokens": ["a"], "connections": 1, "seconds": 1}"#,
        )
        .unwrap()
    }

    #[test]
    fn the_token_goes_into_the_body() {
        assert_eq!(
            filled(&order(), "a.b-_~9").unwrap(),
            "grant_type=refresh_token&refresh_token=a.b-_~9"
        );
        for token in ["", "a b", "a+b", "a\"b", "ä"] {
            assert!(filled(&order(), token).is_err(), "{token}");
        }
    }

    #[test]
    fn the_successor_is_another_token_at_its_place() {
        let body = r#"{"tokens": {"refreshToken": "b"}, "refresh_token": "a"}"#;
        assert_eq!(successor(body, "/tokens/refreshToken", "a").unwrap(), "b");
        assert!(successor(body, "/refresh_token", "a").is_err());
        assert!(successor(body, "/token", "a").is_err());
        assert!(successor("<html>", "/token", "a").is_err());
    }
}
