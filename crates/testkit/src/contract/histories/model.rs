//! The model of a white list: entries, a clock, and every state that was written.

use super::history::{TOLERANCE, UNIT};
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp},
    ports::{LiveSession, NewLiveSession},
    rotation::{Entry, LiveToken, Rotation, RotationOutcome, Write, step},
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

pub(super) struct Model {
    pub(super) now: Timestamp,
    entries: BTreeMap<SessionId, Entry>,
    written: HashMap<SessionId, Vec<Option<Entry>>>,
    /// The `iat` of every token that was handed out, by session and generation, the last one that was handed out at the end.
    minted: HashMap<(SessionId, Generation), Vec<Timestamp>>,
    /// The `iat` of the tokens that were accepted since the session began or its entry was rolled back.
    accepted: HashMap<(SessionId, Generation), Timestamp>,
}

impl Model {
    pub(super) fn new() -> Self {
        // An arbitrary time: only differences are compared.
        Self {
            now: Timestamp::from_seconds(0),
            entries: BTreeMap::new(),
            written: HashMap::new(),
            minted: HashMap::new(),
            accepted: HashMap::new(),
        }
    }

    pub(super) fn pass(&mut self, units: u32) -> Duration {
        let by = UNIT * units;
        self.now = self.now.plus(by);
        let now = self.now;
        self.entries.retain(|_, entry| entry.is_live(now));
        by
    }

    /// The generation of the session's token, or of its last one.
    pub(super) fn generation(&self, session: SessionId) -> u64 {
        let last = self
            .written
            .get(&session)
            .and_then(|states| states.iter().rev().flatten().next());
        self.entries
            .get(&session)
            .or(last)
            .map_or(1, |entry| entry.token.generation.number())
    }

    pub(super) fn is_live(&self, session: SessionId) -> bool {
        self.entries.contains_key(&session)
    }

    /// The device that the live token is bound to.
    pub(super) fn device(&self, session: SessionId) -> Option<DeviceId> {
        self.entries.get(&session)?.token.device
    }

    fn write(&mut self, session: SessionId, state: Option<Entry>) {
        self.written.entry(session).or_default().push(state);
        match state {
            Some(entry) => self.entries.insert(session, entry),
            None => self.entries.remove(&session),
        };
    }

    /// The `iat` of the last token of that generation that was handed out, or of one that was handed out before; the first if there were
    /// not so many. One that never was handed out has a time that no other token has.
    pub(super) fn issued_at(
        &self,
        session: SessionId,
        generation: Generation,
        older: usize,
    ) -> Timestamp {
        let minted = self
            .minted
            .get(&(session, generation))
            .map_or(&[][..], Vec::as_slice);
        let at = minted.len().saturating_sub(older + 1);
        minted
            .get(at)
            .copied()
            .unwrap_or_else(|| Timestamp::from_seconds(1_000_000_000))
    }

    fn mint(&mut self, session: SessionId, token: &LiveToken) {
        let minted = self.minted.entry((session, token.generation)).or_default();
        minted.retain(|issued_at| *issued_at != token.issued_at);
        minted.push(token.issued_at);
    }

    /// Whether the session lives, and another token than the presented one was minted as its generation.
    pub(super) fn knows_another(&self, rotation: &Rotation) -> bool {
        self.entries
            .get(&rotation.session)
            .is_some_and(|entry| !entry.reused && entry.knows_another(rotation))
    }

    /// Between two roll-backs no generation of a session may have two tokens that were accepted.
    pub(super) fn accept(
        &mut self,
        rotation: &Rotation,
        outcome: RotationOutcome,
    ) -> Result<(), String> {
        let (RotationOutcome::Rotated(token)
        | RotationOutcome::Healed { token, .. }
        | RotationOutcome::Repeated { token, .. }) = outcome
        else {
            return Ok(());
        };
        self.mint(rotation.session, &token);
        let presented = rotation.presented_issued_at;
        let first = *self
            .accepted
            .entry((rotation.session, rotation.presented))
            .or_insert(presented);
        if first == presented {
            Ok(())
        } else {
            let generation = rotation.presented.number();
            Err(format!(
                "two tokens of generation {generation} were accepted: one of {first:?}, and now one of {presented:?}"
            ))
        }
    }

    fn forget_accepted(&mut self, session: SessionId) {
        self.accepted.retain(|(of, _), _| *of != session);
    }

    pub(super) fn begin(&mut self, new: &NewLiveSession) {
        self.forget_accepted(new.session);
        self.mint(new.session, &new.token);
        self.write(
            new.session,
            Some(Entry::begin(new.token, new.epoch, self.now)),
        );
    }

    /// Removes what is over the ceiling. Among those that were rotated at the same time the store had the choice.
    pub(super) fn enforce(
        &mut self,
        new: &NewLiveSession,
        store: &[LiveSession],
    ) -> Result<(), String> {
        let mut others: Vec<_> = self
            .entries
            .iter()
            .filter(|(id, e)| **id != new.session && !e.reused)
            .map(|(id, e)| (e.rotated_at, *id))
            .collect();
        others.sort_unstable();
        let excess = (others.len() + 1).saturating_sub(new.ceiling);
        let Some(&(edge, _)) = excess.checked_sub(1).and_then(|last| others.get(last)) else {
            return Ok(());
        };
        let gone = |session: SessionId| store.iter().all(|live| live.session != session);
        let must_go: Vec<_> = others
            .iter()
            .filter(|(at, _)| *at < edge)
            .map(|(_, session)| *session)
            .collect();
        let may_go = others
            .iter()
            .filter(|(at, session)| *at == edge && gone(*session))
            .map(|(_, session)| *session);
        let chosen: Vec<_> = must_go.into_iter().chain(may_go).collect();
        if chosen.len() != excess {
            return Err(format!(
                "expected the {excess} least recently rotated of {others:?} to go, of those went {chosen:?}"
            ));
        }
        for session in chosen {
            self.write(session, None);
        }
        Ok(())
    }

    pub(super) fn rotate(&mut self, rotation: &Rotation) -> RotationOutcome {
        let (outcome, write) = step(self.entries.get(&rotation.session), rotation, self.now);
        match write {
            Write::Keep => {}
            Write::Put(entry) => self.write(rotation.session, Some(entry)),
        }
        outcome
    }

    pub(super) fn end(&mut self, over: impl Fn(SessionId, Epoch) -> bool) {
        let over: Vec<_> = self
            .entries
            .iter()
            .filter(|(id, entry)| over(**id, entry.epoch))
            .map(|(id, _)| *id)
            .collect();
        for session in over {
            self.write(session, None);
        }
    }

    /// Reverts this many writes of the session and answers the state before them, if it would be live.
    pub(super) fn roll_back(&mut self, session: SessionId, writes: usize) -> Option<Entry> {
        self.forget_accepted(session);
        let states = self.written.entry(session).or_default();
        states.truncate(states.len().saturating_sub(writes));
        let state = states
            .last()
            .copied()
            .flatten()
            .filter(|entry| entry.is_live(self.now));
        match state {
            Some(entry) => self.entries.insert(session, entry),
            None => self.entries.remove(&session),
        };
        state
    }

    /// Whether a list matches the model: sessions, tokens and the times between their rotations.
    pub(super) fn compare_list(
        &self,
        mut list: Vec<LiveSession>,
        but: Option<SessionId>,
    ) -> Result<(), String> {
        list.sort_unstable_by_key(|live| live.session);
        let expected: Vec<_> = self
            .entries
            .iter()
            .filter(|(id, entry)| Some(**id) != but && !entry.reused)
            .collect();
        let tokens: Vec<_> = list.iter().map(|live| (live.session, live.token)).collect();
        let expected_tokens: Vec<_> = expected
            .iter()
            .map(|(id, entry)| (**id, entry.token))
            .collect();
        if tokens != expected_tokens {
            return Err(format!(
                "expected the live sessions {expected_tokens:#?}, got {tokens:#?}"
            ));
        }
        let Some((base, (_, expected_base))) = list.first().zip(expected.first()) else {
            return Ok(());
        };
        for (live, (_, entry)) in list.iter().zip(&expected) {
            let apart = live.refreshed_at.as_millis() - base.refreshed_at.as_millis();
            let expected_apart =
                entry.rotated_at.as_millis() - expected_base.rotated_at.as_millis();
            if Duration::from_millis(apart.abs_diff(expected_apart)) > TOLERANCE {
                let sessions = (live.session, base.session);
                return Err(format!(
                    "expected the rotations of {sessions:?} to lie {expected_apart} ms apart, got {apart} ms"
                ));
            }
        }
        Ok(())
    }
}
