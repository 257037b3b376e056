//! What a user database has about one account.

use crate::{
    deliveries::Delivery,
    journal::MailKind,
    model::{AccountFactors, Challenge, DeviceId, EmailAddress, Proof, Session, Timestamp, User},
};

/// All that the user database has about an account, but for the password hash, the counters of its rows, and its entries in the journal.
///
/// In each list but the last the newest comes first. All are bounded, whatever the account's age: sessions and devices by the limits of a
/// sign-in, challenges by the sign-ins of their few minutes, proofs by their scopes, mails by the limits of requests and because notices of a
/// kind are counted in one.
#[derive(Clone, Debug)]
pub struct PersonalData {
    /// The account.
    pub user: User,
    /// Every row of its sessions, ended ones too.
    pub sessions: Vec<Session>,
    /// The devices that it has signed in on.
    pub devices: Vec<RememberedDevice>,
    /// Its factors. What of them is secret, or a key, is not for an export.
    pub factors: AccountFactors,
    /// Its challenges that are neither spent nor void, also expired ones that are still stored.
    pub challenges: Vec<Challenge>,
    /// Its proofs that are neither spent nor void, also expired ones that are still stored.
    pub proofs: Vec<Proof>,
    /// Its mails that were not sent yet, or were given up.
    pub mails: Vec<Delivery>,
    /// The kinds of notices that its mailboxes get none of for a while, by name and address.
    pub quiet: Vec<QuietNotice>,
}

/// A device that a user has signed in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedDevice {
    /// The device.
    pub id: DeviceId,
    /// The last sign-in on it.
    pub signed_in_at: Timestamp,
}

/// A kind of notice whose pause lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietNotice {
    /// The kind.
    pub kind: MailKind,
    /// The mailbox that gets none.
    pub to: EmailAddress,
    /// The end of the pause.
    pub until: Timestamp,
}
