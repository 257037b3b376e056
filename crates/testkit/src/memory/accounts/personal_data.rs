//! What the tables have about one account.

use super::MemoryTables;
use revolve_domain::{
    model::UserId,
    ports::{PersonalData, QuietNotice, RememberedDevice},
};
use std::cmp::Reverse;

impl MemoryTables {
    pub(super) fn personal_data(&self, user: UserId) -> Option<PersonalData> {
        let (account, _) = self.users.get(&user)?;
        let sessions = self.sessions.values().filter(|row| row.user == user);
        let devices = self.devices.iter().filter(|((owner, _), _)| *owner == user);
        let proofs = self.proofs.values().filter(|row| row.user == Some(user));
        let challenges = self.challenges.values();
        let challenges = challenges.filter(|row| row.user.is_some_and(|owner| owner.id == user));
        let mails = self.outbox.deliveries.values();
        let mails = mails.filter(|row| row.mail.user == Some(user));
        let quiet = self.outbox.quiet.iter();
        let quiet = quiet.filter(|((owner, ..), _)| *owner == user);
        let mut data = PersonalData {
            user: account.clone(),
            sessions: sessions.cloned().collect(),
            devices: devices
                .map(|((_, id), last)| RememberedDevice {
                    id: *id,
                    signed_in_at: last.at,
                })
                .collect(),
            factors: self.factors_of(user),
            challenges: challenges.cloned().collect(),
            proofs: proofs.cloned().collect(),
            mails: mails.cloned().collect(),
            quiet: quiet
                .map(|((_, kind, to), until)| QuietNotice {
                    kind: *kind,
                    to: to.clone(),
                    until: *until,
                })
                .collect(),
        };
        data.sessions
            .sort_by_key(|row| Reverse((row.began_at, row.id)));
        data.devices
            .sort_by_key(|row| Reverse((row.signed_in_at, row.id)));
        data.challenges
            .sort_by_key(|row| Reverse((row.created_at, row.id)));
        data.proofs
            .sort_by_key(|row| Reverse((row.created_at, row.id)));
        data.mails
            .sort_by_key(|row| Reverse((row.created_at, row.mail.id)));
        data.quiet
            .sort_by_key(|row| (row.kind.as_str(), row.to.key().to_owned()));
        Some(data)
    }
}
