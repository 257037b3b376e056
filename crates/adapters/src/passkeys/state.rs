//! What is kept between the halves of a ceremony: its kind and its challenge.

use super::refusal::Refusal;
use revolve_domain::ports::CeremonyState;

/// Which ceremony it is. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Registration = 1,
    SignIn = 2,
}

/// `None` if the challenge is too long.
pub(super) fn of(kind: Kind, challenge: &[u8]) -> Option<CeremonyState> {
    CeremonyState::from_bytes([&[kind as u8], challenge].concat())
}

/// The challenge of a ceremony of this kind.
pub(super) fn challenge(state: &CeremonyState, kind: Kind) -> Result<&[u8], Refusal> {
    match state.as_bytes().split_first() {
        Some((kept, challenge)) if *kept == kind as u8 => Ok(challenge),
        _ => Err(Refusal::OtherCeremony),
    }
}
