//! The contract of the [`KeyRepository`](revolve_domain::ports::KeyRepository): every change is a compare-and-set.

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod change;
mod insert;

pub use change::*;
pub use insert::*;

use super::given::{START, random, secs};
use revolve_domain::{
    keys::{Active, Algorithm, KeyKind, Next, Phase, Promotion, Retired, SealedKey, StoredKey},
    model::Timestamp,
};
use std::time::Duration;

const ID: KeyKind = KeyKind::Id(Algorithm::Es256);

fn at(seconds: u64) -> Timestamp {
    START.plus(secs(seconds))
}

fn key(kind: KeyKind, seconds: u64, phase: Phase) -> StoredKey {
    let id = format!("key_{}-", uuid::Uuid::from_bytes(random()).simple());
    StoredKey {
        id: id.parse().expect("a key's name"),
        kind,
        sealed: SealedKey::new(vec![0, 255, 1, 39]),
        token_life: Duration::from_millis(900_001),
        created_at: at(seconds),
        phase,
    }
}

fn next(kind: KeyKind, seconds: u64) -> StoredKey {
    key(
        kind,
        seconds,
        Phase::Next(Next::publish(at(seconds), secs(60))),
    )
}

fn active(kind: KeyKind, seconds: u64) -> StoredKey {
    key(kind, seconds, Phase::Active(Active::begin(at(seconds))))
}

/// The promotion of the next key this many seconds after the start.
fn promotion(next: &StoredKey, retires: Option<&StoredKey>, seconds: u64) -> Promotion {
    let retires = retires.map(|key| {
        (
            key.id.clone(),
            Retired {
                since: at(seconds),
                until: at(seconds + 960),
            },
        )
    });
    Promotion {
        next: next.id.clone(),
        active: Active::begin(at(seconds)),
        retires,
    }
}
