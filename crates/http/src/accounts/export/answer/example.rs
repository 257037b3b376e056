//! A document as the documentation shows it.

use super::{
    ExportAnswer, ExportedAccount, ExportedChallenge, ExportedDevice, ExportedEntry,
    ExportedFactors, ExportedMail, ExportedProof, ExportedQuiet, ExportedSession,
};
use crate::kit::answer::sample;
use revolve_domain::model::{AccountVersion, EventId};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

pub(in super::super) fn shown() -> ExportAnswer<'static> {
    let address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 17)));
    let here = ExportedSession {
        id: sample::SESSION,
        device: sample::DEVICE,
        device_name: Some("Ann's phone"),
        user_agent: Some("Safari on iPhone"),
        address,
        origin: Some("https://app.example.org"),
        authenticated_by: vec!["pwd"],
        created_at: sample::later(0, 0),
        bound_at: Some(sample::later(0, 14)),
        refreshed_at: Some(sample::later(0, 14)),
        expires_at: Some(sample::later(3, 14)),
        ends_at: sample::later(90, 0),
        ended_at: None,
        end_reason: None,
        current: true,
    };
    let over = ExportedSession {
        id: sample::OTHER_SESSION,
        device_name: None,
        user_agent: Some("Firefox on Linux"),
        origin: None,
        created_at: sample::later(-4, 0),
        bound_at: None,
        refreshed_at: None,
        expires_at: None,
        ends_at: sample::later(86, 0),
        ended_at: Some(sample::later(-1, 0)),
        end_reason: Some("signed_out"),
        current: false,
        authenticated_by: vec!["pwd"],
        ..here
    };
    let (roles, app) = sample::granted(true);
    ExportAnswer {
        exported_at: sample::later(0, 15),
        account: ExportedAccount {
            uid: sample::USER,
            email: "ann@example.org",
            email_verified_at: Some(sample::later(-30, 5)),
            name: Some("Ann"),
            website: Some("https://example.org/"),
            image_url: None,
            locale: Some("de-CH"),
            roles,
            app,
            created_at: sample::later(-30, 0),
            disabled_at: None,
            version: AccountVersion::new(1_767_323_045_000).expect("it is small"),
            session_epoch: 0,
        },
        devices: vec![ExportedDevice {
            id: sample::DEVICE,
            signed_in_at: sample::later(0, 0),
        }],
        factors: ExportedFactors::sample(),
        challenges: vec![ExportedChallenge::sample()],
        proofs: vec![ExportedProof {
            purpose: "change_email",
            email: "ann@example.net",
            locale: Some("de-CH"),
            created_at: sample::later(0, 12),
            expires_at: sample::later(0, 72),
            attempts_left: 5,
        }],
        mails: vec![ExportedMail {
            kind: "change_email",
            state: "waiting",
            to: "ann@example.net",
            locale: Some("de-CH"),
            about: Some(sample::later(0, 12)),
            address,
            client: None,
            subject: None,
            more: 0,
            created_at: sample::later(0, 12),
            due_at: sample::later(0, 12),
            next_at: sample::later(0, 17),
            expires_at: sample::later(0, 72),
            attempts: 2,
            last_error: Some("450 4.2.0 greylisted"),
        }],
        quiet_notices: vec![ExportedQuiet {
            kind: "new_device",
            to: "ann@example.net",
            until: sample::later(0, 61),
        }],
        journal: vec![ExportedEntry {
            id: EventId::from_random([1; 16]),
            event: "session.begun",
            at: sample::later(0, 0),
            actor: "user",
            session: Some(sample::SESSION),
            address,
            session_address: None,
            device: Some("Ann's phone"),
            details: BTreeMap::new(),
            count: 1,
        }],
        sessions: vec![here, over],
    }
}
