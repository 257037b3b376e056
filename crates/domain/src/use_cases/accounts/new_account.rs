//! What all sign-ups share.

use super::session_starter::PreparedSession;
use crate::{
    journal::SecurityEvent,
    model::{
        AccountVersion, AppData, Details, EmailAddress, Epoch, Locale, Roles, SetUpFactors,
        Timestamp, User, UserId,
    },
};

/// That the account of this session was created.
pub(super) fn created(prepared: &PreparedSession) -> SecurityEvent {
    let session = &prepared.session;
    SecurityEvent::AccountCreated {
        user: session.user,
        session: Some(session.id),
        address: session.client.address,
        device: session.device_label().cloned(),
    }
}

/// An account that has nothing yet but its address.
pub(super) fn new_account(
    id: UserId,
    email: EmailAddress,
    locale: Option<Locale>,
    at: Timestamp,
) -> User {
    User {
        id,
        email,
        email_verified_at: None,
        details: Details {
            locale,
            ..Details::default()
        },
        created_at: at,
        disabled_at: None,
        epoch: Epoch::FIRST,
        kept_session: None,
        roles: Roles::default(),
        app: AppData::default(),
        version: AccountVersion::at(at),
        factors: SetUpFactors::default(),
    }
}
