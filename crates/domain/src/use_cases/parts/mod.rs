//! What several use cases share.

mod devices;
mod error;
mod limits;
mod mint;
mod opening;
mod passwords;
mod ports;
mod proofs;
mod recorder;
mod verify;

pub use error::{Failure, Refusal, Refused};
pub use limits::{LimitBudget, Limited};
pub use mint::TokenPair;
pub use ports::{AdminPorts, FactorPorts, KeyPorts, OperatorPorts, ServicePorts};
pub use proofs::{Evidence, ProofRefused, RequestedProof, ShownAsker, ShownProof};

pub(crate) use devices::ShownDevices;
pub(crate) use error::{from_denied, from_via};
pub(crate) use limits::{Denied, KnownClient, PasswordAttempt, RequestLimits, TakenBuckets};
pub(crate) use mint::{Authentication, Mint};
pub(crate) use opening::{OpeningMail, OpeningRequests};
pub(crate) use passwords::AccountPasswords;
pub(crate) use proofs::{MailboxProofs, ProofRequest};
pub(crate) use recorder::{NoticeDraft, Recorder, facts};
pub(crate) use verify::{
    SessionToken, verify_either, verify_id, verify_reauthentication, verify_refresh, verify_set_up,
};
