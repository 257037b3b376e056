//! The members of the document.

mod example;
mod factors;

pub(super) use example::shown;

use super::super::activity::{acting, actors};
use factors::{ExportedChallenge, ExportedFactors};

use crate::kit::answer::Instant;
use revolve_domain::{
    deliveries::Delivery,
    model::{
        AccountVersion, AppData, DeviceId, EventId, Label, Locale, Proof, Roles, Session,
        SessionId, User, UserId, WebOrigin, WebUrl,
    },
    ports::{JournalRecord, LiveSession, QuietNotice, RememberedDevice},
    use_cases::AccountExport,
};
use serde::Serialize;
use std::{collections::BTreeMap, net::IpAddr};
use utoipa::ToSchema;

/// All that is stored about an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccountExport)]
pub(super) struct ExportAnswer<'a> {
    /// When it was read; the journal may be younger.
    exported_at: Instant,
    account: ExportedAccount<'a>,
    /// The sessions, the newest first. Ended ones are forgotten some days after their end.
    sessions: Vec<ExportedSession<'a>>,
    /// The devices that the account has signed in on within a year, the latest first.
    devices: Vec<ExportedDevice>,
    factors: ExportedFactors<'a>,
    /// What waits for a factor, the newest first; each for some minutes.
    challenges: Vec<ExportedChallenge<'a>>,
    /// What mails can be answered with, the newest first, without codes and links.
    proofs: Vec<ExportedProof<'a>>,
    /// Mails that were not sent yet, or were given up, the newest first.
    mails: Vec<ExportedMail<'a>>,
    /// Of which kinds a mailbox gets no notice for a while, because one was sent.
    quiet_notices: Vec<ExportedQuiet<'a>>,
    /// What happened, the newest first. It has to be the last member.
    journal: Vec<ExportedEntry<'a>>,
}

/// The account itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedAccount<'a> {
    /// The account, as in the claim `sub`.
    #[schema(value_type = String, format = "uuid")]
    uid: UserId,
    /// The address to sign in with.
    #[schema(format = "idn-email")]
    email: &'a str,
    /// When its owner last proved to read that mailbox, if ever.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    email_verified_at: Option<Instant>,
    #[schema(required = true)]
    name: Option<&'a str>,
    #[schema(required = true, format = "uri")]
    website: Option<&'a str>,
    #[schema(required = true, format = "uri")]
    image_url: Option<&'a str>,
    /// The language of the mails, as a tag (RFC 5646).
    #[schema(required = true)]
    locale: Option<&'a str>,
    /// What operators let the account do, as in the claim `roles`.
    #[schema(value_type = Vec<String>)]
    roles: &'a Roles,
    /// What the operators' applications keep with the account, as in the claim `app`.
    #[schema(value_type = Object, additional_properties = true)]
    app: &'a AppData,
    created_at: Instant,
    /// When an operator disabled it.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    disabled_at: Option<Instant>,
    /// Rises with each change of what is above.
    #[schema(value_type = u64)]
    version: AccountVersion,
    /// How often all of its sessions were ended at once.
    session_epoch: u32,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedSession<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    #[schema(value_type = String, format = "uuid")]
    device: DeviceId,
    /// What the sign-in called the device.
    #[schema(required = true)]
    device_name: Option<&'a str>,
    /// What the client calls itself, in words.
    #[schema(required = true)]
    user_agent: Option<&'a str>,
    /// Where the sign-in came from.
    #[schema(value_type = Option<String>, required = true)]
    address: Option<IpAddr>,
    /// The front end, where it is a page in a browser.
    #[schema(required = true)]
    origin: Option<&'a str>,
    /// How the user signed in (RFC 8176).
    authenticated_by: Vec<&'static str>,
    created_at: Instant,
    /// Since when it needs the credential of its device.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    bound_at: Option<Instant>,
    /// When it was refreshed last, while it can be refreshed.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    refreshed_at: Option<Instant>,
    /// When it ends unless it is refreshed, while it can be.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    expires_at: Option<Instant>,
    /// When it ends in any case.
    ends_at: Instant,
    /// When it was ended.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    ended_at: Option<Instant>,
    /// Why it was ended.
    #[schema(required = true)]
    end_reason: Option<&'static str>,
    /// Whether it is the one that asks.
    current: bool,
}

/// A device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedDevice {
    #[schema(value_type = String, format = "uuid")]
    id: DeviceId,
    /// The last sign-in on it.
    signed_in_at: Instant,
}

/// Something that a mail can be answered with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedProof<'a> {
    purpose: &'static str,
    /// The mailbox that it proves.
    #[schema(format = "idn-email")]
    email: &'a str,
    /// The language of the mail.
    #[schema(required = true)]
    locale: Option<&'a str>,
    created_at: Instant,
    expires_at: Instant,
    /// How many codes can still be tried.
    attempts_left: u32,
}

/// A mail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedMail<'a> {
    kind: &'static str,
    /// Whether it waits or was given up.
    state: &'static str,
    #[schema(format = "idn-email")]
    to: &'a str,
    /// The language of the mail.
    #[schema(required = true)]
    locale: Option<&'a str>,
    /// What it tells of the request that caused it: when that was, where it came from, its client, and what else the mail shows.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    about: Option<Instant>,
    #[schema(value_type = Option<String>, required = true)]
    address: Option<IpAddr>,
    #[schema(required = true)]
    client: Option<&'a str>,
    #[schema(required = true)]
    subject: Option<&'a str>,
    /// How many more mails of the kind it stands for.
    more: u32,
    created_at: Instant,
    /// When it was or is to be sent first.
    due_at: Instant,
    /// When it is tried next; once it was given up, when it is forgotten.
    next_at: Instant,
    expires_at: Instant,
    /// How often it was tried.
    attempts: u32,
    /// Why the last attempt failed.
    #[schema(required = true)]
    last_error: Option<&'a str>,
}

/// A pause of notices.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedQuiet<'a> {
    kind: &'static str,
    #[schema(format = "idn-email")]
    to: &'a str,
    until: Instant,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportedEntry<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: EventId,
    /// What happened, as a stable code.
    event: &'a str,
    at: Instant,
    /// On whose behalf: the user's, an operator's, the service's own, or that of somebody who has proved nothing.
    #[schema(schema_with = actors)]
    actor: &'static str,
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    session: Option<SessionId>,
    /// Where the request came from.
    #[schema(value_type = Option<String>, required = true)]
    address: Option<IpAddr>,
    /// Where the session began.
    #[schema(value_type = Option<String>, required = true)]
    session_address: Option<IpAddr>,
    #[schema(required = true)]
    device: Option<&'a str>,
    /// What else it says.
    #[schema(value_type = BTreeMap<String, String>)]
    details: BTreeMap<&'a str, &'a str>,
    /// How often it happened within the minute.
    count: u64,
}

impl<'a> From<&'a AccountExport> for ExportAnswer<'a> {
    /// Without the journal.
    fn from(export: &'a AccountExport) -> Self {
        let data = &export.data;
        let session = |row| {
            let live = export.live.iter().find(|live| is_of(live, row));
            ExportedSession::new(row, live, export.session)
        };
        Self {
            exported_at: export.at.into(),
            account: (&data.user).into(),
            sessions: data.sessions.iter().map(session).collect(),
            devices: data.devices.iter().map(ExportedDevice::from).collect(),
            factors: (&data.factors).into(),
            challenges: data
                .challenges
                .iter()
                .map(ExportedChallenge::from)
                .collect(),
            proofs: data.proofs.iter().map(ExportedProof::from).collect(),
            mails: data.mails.iter().map(ExportedMail::from).collect(),
            quiet_notices: data.quiet.iter().map(ExportedQuiet::from).collect(),
            journal: Vec::new(),
        }
    }
}

fn is_of(live: &LiveSession, row: &Session) -> bool {
    live.session == row.id && row.ending.is_none()
}

impl<'a> From<&'a User> for ExportedAccount<'a> {
    fn from(user: &'a User) -> Self {
        let details = &user.details;
        Self {
            uid: user.id,
            email: user.email.as_str(),
            email_verified_at: user.email_verified_at.map(Instant::from),
            name: details.name.as_ref().map(Label::as_str),
            website: details.website.as_ref().map(WebUrl::as_str),
            image_url: details.image_url.as_ref().map(WebUrl::as_str),
            locale: details.locale.as_ref().map(Locale::as_str),
            roles: &user.roles,
            app: &user.app,
            created_at: user.created_at.into(),
            disabled_at: user.disabled_at.map(Instant::from),
            version: user.version,
            session_epoch: user.epoch.number(),
        }
    }
}

impl<'a> ExportedSession<'a> {
    fn new(row: &'a Session, live: Option<&LiveSession>, current: SessionId) -> Self {
        Self {
            id: row.id,
            device: row.device,
            device_name: row.device_name.as_ref().map(Label::as_str),
            user_agent: row.client.user_agent.as_ref().map(Label::as_str),
            address: row.client.address,
            origin: row.client.origin.as_ref().map(WebOrigin::as_str),
            authenticated_by: row.authenticated_by.names().collect(),
            created_at: row.began_at.into(),
            bound_at: row.bound_at.map(Instant::from),
            refreshed_at: live.map(|live| live.refreshed_at.into()),
            expires_at: live.map(|live| live.token.expires_at.into()),
            ends_at: row.ends_at.into(),
            ended_at: row.ending.map(|ending| ending.at.into()),
            end_reason: row.ending.map(|ending| ending.reason.name()),
            current: row.id == current,
        }
    }
}

impl From<&RememberedDevice> for ExportedDevice {
    fn from(device: &RememberedDevice) -> Self {
        Self {
            id: device.id,
            signed_in_at: device.signed_in_at.into(),
        }
    }
}

impl<'a> From<&'a Proof> for ExportedProof<'a> {
    fn from(proof: &'a Proof) -> Self {
        Self {
            purpose: proof.purpose.as_str(),
            email: proof.address.as_str(),
            locale: proof.locale.as_ref().map(Locale::as_str),
            created_at: proof.created_at.into(),
            expires_at: proof.expires_at.into(),
            attempts_left: proof.attempts_left,
        }
    }
}

impl<'a> From<&'a Delivery> for ExportedMail<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        let (mail, facts) = (&delivery.mail, &delivery.mail.facts);
        Self {
            kind: mail.kind.as_str(),
            state: delivery.state.as_str(),
            to: mail.to.as_str(),
            locale: mail.locale.as_ref().map(Locale::as_str),
            about: facts.at.map(Instant::from),
            address: facts.address,
            client: facts.client.as_deref(),
            subject: facts.subject.as_deref(),
            more: delivery.more,
            created_at: delivery.created_at.into(),
            due_at: delivery.due_at.into(),
            next_at: delivery.next_at.into(),
            expires_at: mail.expires_at.into(),
            attempts: delivery.attempts,
            last_error: delivery.last_error.as_deref(),
        }
    }
}

impl<'a> From<&'a QuietNotice> for ExportedQuiet<'a> {
    fn from(quiet: &'a QuietNotice) -> Self {
        Self {
            kind: quiet.kind.as_str(),
            to: quiet.to.as_str(),
            until: quiet.until.into(),
        }
    }
}

impl<'a> From<&'a JournalRecord> for ExportedEntry<'a> {
    fn from(entry: &'a JournalRecord) -> Self {
        Self {
            id: entry.id,
            event: &entry.event,
            at: entry.at.into(),
            actor: acting(entry.actor),
            session: entry.session,
            address: entry.address,
            session_address: entry.session_address,
            device: entry.device.as_ref().map(Label::as_str),
            details: entry.public_details(),
            count: entry.count,
        }
    }
}
