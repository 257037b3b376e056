//! One history, step by step, on both sides.

use super::{
    super::{
        HistorySubject, StoredToken,
        given::{START, device_id, session_id, user_id},
    },
    history::{Device, History, HistoryStep, SESSIONS, TOLERANCE, life},
    model::Model,
};
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, UserId},
    ports::{NewLiveSession, TokenRepository},
    rotation::{DeviceProof, LiveToken, RetryPolicy, Rotation, RotationOutcome},
};
use std::{cell::RefCell, collections::BTreeMap, sync::Arc, time::Duration};

struct Player<'a> {
    subject: &'a dyn HistorySubject,
    tokens: Arc<dyn TokenRepository>,
    model: Model,
    policy: RetryPolicy,
    user: UserId,
    owner: DeviceId,
    sessions: [SessionId; SESSIONS],
    seen: &'a RefCell<BTreeMap<&'static str, u64>>,
}

/// Plays a history.
///
/// # Errors
/// With the first step where the two sides differ, and how.
pub(super) async fn play(
    subject: &dyn HistorySubject,
    history: &History,
    seen: &RefCell<BTreeMap<&'static str, u64>>,
) -> Result<(), String> {
    let mut player = Player {
        subject,
        tokens: subject.repository(),
        model: Model::new(),
        policy: history.policy,
        user: user_id(),
        owner: device_id(),
        sessions: std::array::from_fn(|_| session_id()),
        seen,
    };
    for (number, act) in history.acts.iter().enumerate() {
        let compared = match player.act(number, act).await {
            Ok(()) => player
                .tokens
                .list(player.user)
                .await
                .map_err(broken)
                .and_then(|list| player.model.compare_list(list, None)),
            Err(error) => Err(error),
        };
        compared.map_err(|error| format!("step {number}, {act:?}: {error}"))?;
    }
    // Leave nothing behind in a store that others share.
    player
        .tokens
        .end_older(player.user, Epoch::new(u32::MAX), None)
        .await
        .map_err(broken)
}

fn broken(error: impl std::error::Error) -> String {
    format!("expected the store to answer: {error}")
}

impl Player<'_> {
    async fn act(&mut self, number: usize, act: &HistoryStep) -> Result<(), String> {
        match *act {
            HistoryStep::Begin {
                session,
                epoch,
                bound,
                long,
                ceiling,
            } => {
                let token = Self::token(number, bound.then_some(self.owner), long);
                self.begin(session, epoch, token, ceiling).await
            }
            HistoryStep::Refresh {
                session,
                epoch,
                long,
                anyway,
                ..
            } if !anyway && !self.model.is_live(self.sessions[session]) => {
                let token = Self::token(number, None, long);
                self.begin(session, epoch, token, SESSIONS).await
            }
            HistoryStep::Refresh {
                session,
                from_live,
                older,
                epoch,
                device,
                expired,
                long,
                ..
            } => {
                let session = self.sessions[session];
                let presented = self
                    .model
                    .generation(session)
                    .saturating_add_signed(from_live.into())
                    .max(1);
                let presented = Generation::new(presented).ok_or("expected a small generation")?;
                let LiveToken {
                    issued_at,
                    expires_at,
                    ..
                } = Self::token(number, None, long);
                let rotation = Rotation {
                    user: self.user,
                    session,
                    presented,
                    presented_issued_at: self.model.issued_at(session, presented, older),
                    expired,
                    issued_at,
                    expires_at,
                    epoch: Epoch::new(epoch),
                    device: self.proof(session, device),
                    policy: self.policy,
                };
                let outcome = self.tokens.rotate(&rotation).await.map_err(broken)?;
                let is_another = self.model.knows_another(&rotation);
                let expected = self.model.rotate(&rotation);
                self.compare(expected, outcome)?;
                if is_another && matches!(outcome, RotationOutcome::Reused { .. }) {
                    self.count("another token");
                }
                self.model.accept(&rotation, outcome)
            }
            HistoryStep::End { ref sessions } => {
                let over: Vec<_> = sessions
                    .iter()
                    .map(|&session| self.sessions[session])
                    .collect();
                self.model.end(|session, _| over.contains(&session));
                self.tokens.end(self.user, &over).await.map_err(broken)
            }
            HistoryStep::EndOlder { epoch, kept } => {
                let (epoch, kept) = (
                    Epoch::new(epoch),
                    kept.map(|session| self.sessions[session]),
                );
                self.model
                    .end(|session, of| of < epoch && kept != Some(session));
                self.tokens
                    .end_older(self.user, epoch, kept)
                    .await
                    .map_err(broken)
            }
            HistoryStep::Pass { units } => {
                let by = self.model.pass(units);
                self.subject.advance(self.user, by).await;
                Ok(())
            }
            HistoryStep::RollBack { session, writes } => {
                self.roll_back(session, writes).await;
                Ok(())
            }
        }
    }

    async fn roll_back(&mut self, session: usize, writes: usize) {
        let session = self.sessions[session];
        let now = self.model.now;
        let state = self
            .model
            .roll_back(session, writes)
            .map(|entry| StoredToken {
                token: entry.token,
                parent_issued_at: entry.parent_issued_at,
                epoch: entry.epoch,
                age: now.since(entry.rotated_at),
                remaining: entry.dies_at.since(now),
                late: entry.late,
                charged: entry.charged,
                reused: entry.reused,
            });
        self.subject.roll_back(self.user, session, state).await;
    }

    async fn begin(
        &mut self,
        session: usize,
        epoch: u32,
        token: LiveToken,
        ceiling: usize,
    ) -> Result<(), String> {
        let new = NewLiveSession {
            user: self.user,
            session: self.sessions[session],
            token,
            epoch: Epoch::new(epoch),
            ceiling,
        };
        let others = self.tokens.begin(new).await.map_err(broken)?;
        self.model.begin(&new);
        self.model.enforce(&new, &others)?;
        self.model.compare_list(others, Some(new.session))
    }

    /// A token of the first generation, with times that no other step of the history has.
    fn token(number: usize, device: Option<DeviceId>, long: bool) -> LiveToken {
        let issued_at = START.plus(Duration::from_secs(61 * number as u64));
        LiveToken {
            generation: Generation::FIRST,
            issued_at,
            expires_at: issued_at.plus(life(long)),
            device,
        }
    }

    fn proof(&self, session: SessionId, device: Device) -> DeviceProof {
        let (shown, bound) = match device {
            Device::AsDemanded => (self.model.device(session), false),
            Device::NotShown => (None, false),
            Device::NotShownButBound => (None, true),
            Device::Shown => (Some(self.owner), false),
            Device::ShownAndBound => (Some(self.owner), true),
            Device::Foreign => (Some(device_id()), false),
        };
        DeviceProof {
            owner: self.owner,
            shown,
            bound,
        }
    }

    fn compare(&self, expected: RotationOutcome, outcome: RotationOutcome) -> Result<(), String> {
        let (expected_age, expected_rest, name) = split(expected);
        let (age, rest, _) = split(outcome);
        if expected_rest != rest || age.abs_diff(expected_age) > TOLERANCE {
            return Err(format!("expected {expected:?}, got {outcome:?}"));
        }
        self.count(name);
        Ok(())
    }

    fn count(&self, name: &'static str) {
        *self.seen.borrow_mut().entry(name).or_default() += 1;
    }
}

/// An outcome's age, the rest of it, and its name.
fn split(outcome: RotationOutcome) -> (Duration, RotationOutcome, &'static str) {
    let zero = Duration::ZERO;
    match outcome {
        RotationOutcome::DeviceMismatch => (zero, outcome, "device mismatch"),
        RotationOutcome::Unknown => (zero, outcome, "unknown"),
        RotationOutcome::Healed { .. } => (zero, outcome, "healed"),
        RotationOutcome::Rotated(_) => (zero, outcome, "rotated"),
        RotationOutcome::Repeated { token, age, late } => {
            let name = if late { "repeated late" } else { "repeated" };
            (
                age,
                RotationOutcome::Repeated {
                    token,
                    age: zero,
                    late,
                },
                name,
            )
        }
        RotationOutcome::Stale => (zero, outcome, "stale"),
        RotationOutcome::Reused { live, age, revoked } => {
            let name = if revoked {
                "reused and revoked"
            } else {
                "reused and kept"
            };
            (
                age,
                RotationOutcome::Reused {
                    live,
                    age: zero,
                    revoked,
                },
                name,
            )
        }
    }
}
