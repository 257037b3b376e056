//! The pure state machine: each row of its table, the edges of its windows, and every interleaving of honest requests.

mod edges;
mod interleavings;
mod table;

use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp, UserId},
    rotation::{DeviceProof, Entry, LiveToken, RetryPolicy, ReusePolicy, Rotation},
};
use std::time::Duration;

const SESSION: SessionId = SessionId::from_random([2; 16]);
const OWNER: DeviceId = DeviceId::from_random([3; 16]);
const FOREIGNER: DeviceId = DeviceId::from_random([4; 16]);
const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);

/// 10 s free, 600 s late, 3600 s late when bound, 3 in a row.
const POLICY: RetryPolicy = RetryPolicy {
    retry_free: secs(10),
    retry_window: secs(600),
    bound_retry_window: secs(3600),
    late_retries: 3,
    reuse: ReusePolicy::Revoke,
};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn generation(number: u64) -> Generation {
    Generation::new(number).expect("a generation of a test is in range")
}

/// The `iat` of the token of a generation. No clock is compared with it, so that it is the same whatever the age of an entry.
fn issued_at(generation: u64) -> Timestamp {
    NOW.minus(secs(100_000)).plus(secs(generation))
}

/// An entry of generation 5 that came to be this long before [`NOW`].
fn entry(age: Duration) -> Entry {
    let issued_at = issued_at(5);
    let token = LiveToken {
        generation: generation(5),
        issued_at,
        expires_at: issued_at.plus(secs(7200)),
        device: None,
    };
    Entry {
        parent_issued_at: Some(self::issued_at(4)),
        ..Entry::begin(token, Epoch::FIRST, NOW.minus(age))
    }
}

/// A token of this generation is presented at [`NOW`], without a credential.
fn rotation(presented: u64) -> Rotation {
    Rotation {
        user: UserId::from_random([1; 16]),
        session: SESSION,
        presented: generation(presented),
        presented_issued_at: issued_at(presented),
        expired: false,
        issued_at: NOW,
        expires_at: NOW.plus(secs(7200)),
        epoch: Epoch::FIRST,
        device: DeviceProof {
            owner: OWNER,
            shown: None,
            bound: false,
        },
        policy: POLICY,
    }
}

/// The same with the owner's credential.
fn shown(presented: u64) -> Rotation {
    Rotation {
        device: DeviceProof {
            owner: OWNER,
            shown: Some(OWNER),
            bound: false,
        },
        ..rotation(presented)
    }
}
