//! Reference adapters in memory: the ports' contracts in the fewest lines.

mod accounts;
mod ceremonies;
mod clearings;
mod clock;
mod codec;
mod deliveries;
mod devices;
mod entropy;
mod events;
mod factor_secrets;
mod faulty;
mod hasher;
mod journal;
mod keys;
mod legacy;
mod limits;
mod mailer;
mod proof_secrets;
mod strength;
mod tag;
mod tokens;
mod webhooks;

pub use accounts::MemoryAccounts;
pub use ceremonies::{TestAuthenticator, TestCeremonies};
pub use clearings::RecordedClearings;
pub use clock::FakeClock;
pub use codec::TestCodec;
pub use deliveries::TestProofs;
pub use devices::TestDevices;
pub use entropy::SeededEntropy;
pub use events::RecordedEvents;
pub use factor_secrets::{PlainFactorSecrets, TestCodes};
pub use faulty::{Fault, Faulty};
pub use hasher::{HeldHasher, PlainHasher};
pub use keys::{MemoryKeys, MemoryRevokedKeys, RecordedRing, TestKeyMaker};
pub use legacy::FormerSystem;
pub use limits::MemoryLimits;
pub use mailer::{MailFault, RecordedMails};
pub use proof_secrets::TestProofSecrets;
pub use strength::ShortList;
pub use tokens::MemoryTokens;
pub use webhooks::{PlainWebhookSecrets, RecordedCall, RecordedCalls};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic of a test.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
