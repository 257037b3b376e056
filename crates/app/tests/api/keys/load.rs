//! Rotation under load: two replicas, people who refresh and verify all the time, and keys that come and go beneath them.
//! A few seconds; with `REVOLVE_TEST_LONG=1` a minute with two rotations of either key.

use super::listed;
use crate::support::{Actor, App, Store, with_config};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// Life of an ID token.
const LIFE: i64 = 3;

struct Plan {
    every: &'static str,
    runs: Duration,
}

fn plan() -> Plan {
    if std::env::var("REVOLVE_TEST_LONG").is_ok_and(|long| long == "1") {
        Plan {
            every: "20s",
            runs: Duration::from_mins(1),
        }
    } else {
        Plan {
            every: "2500ms",
            runs: Duration::from_secs(7),
        }
    }
}

/// A service that keeps the key set for as long as it is allowed to, as relying services do.
struct TokenReader {
    actor: Actor,
    keys: Value,
    fetched: Instant,
}

impl TokenReader {
    async fn knows(&mut self, kid: &str) -> bool {
        if self.keys.is_null() || self.fetched.elapsed() >= Duration::from_secs(1) {
            self.fetched = Instant::now();
            self.keys = self
                .actor
                .send(self.actor.request(Method::GET, "/.well-known/jwks.json"))
                .await
                .expect(200)
                .json();
        }
        self.keys["keys"]
            .as_array()
            .expect("a key set")
            .iter()
            .any(|key| key["kid"] == kid)
    }
}

fn now() -> i64 {
    use revolve_domain::ports::Clock;
    revolve_adapters::system::SystemClock.now().as_seconds()
}

/// Refreshes and verifies, at either replica in turn; answers every token that it was given.
async fn use_it(here: Actor, there: Actor, runs: Duration) -> Vec<(String, String)> {
    let mut reader = TokenReader {
        actor: there.clone(),
        keys: Value::Null,
        fetched: Instant::now(),
    };
    let (mut here, mut tokens, mut calls) = (here, Vec::<(String, String)>::new(), 0_u32);
    let started = Instant::now();
    while started.elapsed() < runs {
        let mut there_too = here.at(&there);
        let actor = if calls % 2 == 0 {
            &mut here
        } else {
            &mut there_too
        };
        actor.refresh().await.expect(200);
        let kid = Actor::header(&actor.id_token)["kid"]
            .as_str()
            .expect("a kid")
            .to_owned();
        assert!(
            reader.knows(&kid).await,
            "a key is published as long as readers keep the key set before it signs"
        );
        tokens.push((actor.id_token.clone(), actor.refresh_token.clone()));
        let (id_token, refresh_token) = tokens.last().cloned().expect("a token");
        (here.id_token, here.refresh_token) = (id_token, refresh_token);

        // The oldest of the tokens that live for another second.
        let oldest = tokens.iter().find(|(id, _)| {
            Actor::claims(id)["exp"]
                .as_i64()
                .is_some_and(|exp| exp > now() + 1)
        });
        if let Some((oldest, _)) = oldest {
            for replica in [&here, &there] {
                let mut old = here.at(replica);
                old.id_token.clone_from(oldest);
                old.get("/me").await.expect(200);
            }
        }
        calls += 1;
    }
    tokens
}

fn rotation_under_load(store: Store) {
    let Plan { every, runs } = plan();
    let config = format!(
        "tokens.algorithm = 'ES256'\ntokens.rotate_every = '{every}'\ntokens.id_lifetime = '{LIFE}s'\ntokens.refresh_lifetime = '{LIFE}s'\n\
         tokens.key_set_max_age = '1s'\ntokens.key_refresh = '100ms'\ntokens.key_margin = '500ms'\nlimits.enabled = false\n"
    );
    with_config(store, &config, |app: App| async move {
        let replica = app.replica().await;
        let mut people = Vec::new();
        for name in ["ann", "bob", "cem", "dora"] {
            people.push(app.sign_up(name).await);
        }
        let tokens: Vec<_> = join_all(
            people
                .iter()
                .map(|person| use_it(person.clone(), replica.anon(), runs)),
        )
        .await;
        let tokens: Vec<_> = tokens.into_iter().flatten().collect();
        let kid = |token: &str| {
            Actor::header(token)["kid"]
                .as_str()
                .expect("a kid")
                .to_owned()
        };
        let id_keys: BTreeSet<_> = tokens.iter().map(|(id, _)| kid(id)).collect();
        let refresh_keys: BTreeSet<_> = tokens.iter().map(|(_, refresh)| kid(refresh)).collect();
        assert!(
            id_keys.len() >= 3 && refresh_keys.len() >= 3,
            "two rotations of each: {id_keys:?} {refresh_keys:?}"
        );

        let gone = |keys: &BTreeSet<String>, left: &[Vec<String>]| {
            keys.iter()
                .filter(|key| !left.concat().contains(key))
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        // In the order in which a key goes through them, so that none is missed.
        let ids = [
            listed(&app, "id", "next").await,
            listed(&app, "id", "active").await,
            listed(&app, "id", "retired").await,
        ];
        let gone = gone(&id_keys, &ids);
        assert!(!gone.is_empty(), "the first key is gone by now");
        let old = tokens
            .iter()
            .filter(|(id, _)| gone.contains(&kid(id)))
            .map(|(id, _)| {
                let mut person = people[0].clone();
                person.id_token.clone_from(id);
                async move { person.get("/me").await.status }
            });
        let answers = join_all(old).await;
        assert!(
            !answers.is_empty() && answers.iter().all(|status| *status == 401),
            "after removal none is accepted"
        );
        println!(
            "{} refreshes over {} keys for ID tokens and {} for refresh tokens, 0 refused",
            tokens.len(),
            id_keys.len(),
            refresh_keys.len()
        );
        replica.stop().await;
    });
}

#[test]
fn embedded() {
    rotation_under_load(Store::Embedded);
}

#[test]
fn server() {
    rotation_under_load(Store::Server);
}
