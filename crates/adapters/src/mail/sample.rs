//! Mails to look at: for the check of templates and for previews.

use revolve_domain::{
    journal::{MailFacts, MailKind},
    model::{DeliveryId, EmailAddress, FactorKind, ProofId, Timestamp},
    ports::{Mail, MailProof},
};
use std::{net::Ipv4Addr, time::Duration};

/// How much a sample has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Everything that a mail can have.
    Whole,
    /// Only what a mail always has.
    Bare,
}

/// A mail to Ann.
pub(super) fn sample(kind: MailKind, extent: Extent) -> Mail {
    let at = Timestamp::from_seconds(1_900_000_000);
    let whole = extent == Extent::Whole;
    Mail {
        id: DeliveryId::from_random([7; 16]),
        kind,
        to: ann(),
        locale: None,
        facts: if whole {
            MailFacts {
                at: Some(at),
                address: Some(Ipv4Addr::new(203, 0, 113, 7).into()),
                client: Some("Firefox on Linux".to_owned()),
                subject: Some(subject(kind).to_owned()),
            }
        } else {
            MailFacts::default()
        },
        more: if whole && kind.is_notice() { 2 } else { 0 },
        // What asks for something is not sent without; what tells of something has its proof only as long as that stands.
        proof: (kind.asks() || whole && super::links::has_proof(kind)).then(|| MailProof {
            id: ProofId::from_random([7; 16]),
            code: "123456".into(),
            secret: "c2FtcGxlLXNlY3JldC1vZi1hLWxpbms".into(),
            expires_at: at.plus(Duration::from_mins(15)),
        }),
    }
}

/// What else the kind shows.
const fn subject(kind: MailKind) -> &'static str {
    match kind {
        MailKind::FactorAdded | MailKind::FactorRemoved => FactorKind::Passkey.as_str(),
        MailKind::RecoveryCodeUsed => "9",
        MailKind::FactorResetOrdered => "2030-03-18T17:46:40Z",
        _ => "ann@new.example",
    }
}

#[expect(clippy::expect_used, reason = "it is a constant")]
fn ann() -> EmailAddress {
    EmailAddress::parse("ann@example.org").expect("it is an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_sample_of_a_notice_has_a_proof() {
        for kind in MailKind::ALL {
            let has_proof = |extent| sample(*kind, extent).proof.is_some();
            let expected = match kind {
                MailKind::EmailChanged | MailKind::FactorResetOrdered => (false, true),
                _ => (kind.asks(), kind.asks()),
            };
            assert_eq!(
                (has_proof(Extent::Bare), has_proof(Extent::Whole)),
                expected,
                "{kind:?}"
            );
        }
    }
}
