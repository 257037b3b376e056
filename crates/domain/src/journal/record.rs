//! Entries as stores keep them.

use super::{Actor, JournalEntry};
use crate::model::{EventId, Label, SessionId, Timestamp, UserId};
use std::{collections::BTreeMap, net::IpAddr};

/// An entry as a store keeps it. It may be of another release, so that its name and details need not be known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// Its id.
    pub id: EventId,
    /// When it happened; for several at once, the first.
    pub at: Timestamp,
    /// On whose behalf.
    pub actor: Actor,
    /// The stable name, such as `session.reused`.
    pub event: String,
    /// The account that it is about.
    pub user: Option<UserId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The address of the client. Gone once the account is deleted, as the next two.
    pub address: Option<IpAddr>,
    /// The address that the session began from.
    pub session_address: Option<IpAddr>,
    /// The name of the device.
    pub device: Option<Label>,
    /// What else it says, by name; nothing that identifies a person but [`Self::NOTE`], which goes with the account as well.
    pub details: BTreeMap<String, String>,
    /// How often it happened: more than once only for what is noted.
    pub count: u64,
}

impl From<&JournalEntry> for JournalRecord {
    fn from(entry: &JournalEntry) -> Self {
        let fields = entry.event.fields();
        Self {
            id: entry.id,
            at: entry.at,
            actor: entry.actor,
            event: entry.event.name().to_owned(),
            user: fields.user,
            session: fields.session,
            address: fields.address,
            session_address: fields.session_address,
            details: fields.details(),
            device: fields.device,
            count: 1,
        }
    }
}

impl JournalRecord {
    /// The name of the detail in which an operator says why. It is free text, which may name a person: it is shown to operators only.
    pub const NOTE: &str = "note";

    /// Removes what identifies a person.
    pub fn scrub(&mut self) {
        (self.address, self.session_address, self.device) = (None, None, None);
        self.details.remove(Self::NOTE);
    }

    /// The details that others than operators may see: the account's user, and receivers of webhooks.
    pub fn public_details(&self) -> BTreeMap<&str, &str> {
        let details = self.details.iter();
        details
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| *name != Self::NOTE)
            .collect()
    }
}
