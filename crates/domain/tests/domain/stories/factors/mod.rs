//! Factors besides the password.

mod changes;
mod guessing;
mod in_session;
mod passkeys;
mod recovery;
mod required;
mod resets;
mod second_step;
mod sign_up;

use revolve_domain::{
    model::{OneTimeCode, RecoveryCode, SessionId},
    ports::SecurityEvent,
    use_cases::{ShownFactor, ShownRecoveryCodes},
};
use revolve_testkit::{World, memory::TestCodec, world::TestApp};
use secrecy::SecretString;

/// In which session each factor was refused, if in one, since events were last taken.
fn refused(world: &World) -> Vec<Option<SessionId>> {
    let events = world.events.take().into_iter();
    let sessions = events.filter_map(|event| match event {
        SecurityEvent::FactorRefused { session, .. } => Some(session),
        _ => None,
    });
    sessions.collect()
}

/// The `amr` claim.
fn amr(token: &SecretString) -> String {
    let claims = TestCodec::read(token);
    let names = claims["amr"].as_array().expect("an ID token");
    let names: Vec<_> = names.iter().filter_map(|name| name.as_str()).collect();
    names.join(" ")
}

/// A code that no app shows now.
fn wrong_code(world: &World, app: &TestApp) -> ShownFactor {
    let right = app.code(world);
    let mut digits: Vec<u8> = right.expose().bytes().collect();
    digits[0] = if digits[0] == b'0' { b'1' } else { b'0' };
    let wrong = String::from_utf8(digits).expect("digits");
    let wrong = OneTimeCode::parse(&wrong.into()).expect("six digits");
    ShownFactor::Totp(wrong)
}

/// The recovery code at that place of the set.
fn recovery_code(codes: &ShownRecoveryCodes, at: usize) -> ShownFactor {
    let code = RecoveryCode::parse(&codes.codes()[at]).expect("as it was shown");
    ShownFactor::RecoveryCode(code)
}
