//! The mails that a server has taken, by what ordered them.

use std::collections::{BTreeMap, BTreeSet};

use revolve_testkit::smtp_sink::ReceivedMail;
use url::Url;

use super::claims::{MailKind, Taken};

/// Where the links of mails lead, by which their kinds are known.
pub(super) const LINKS: [(MailKind, &str); 2] = [
    (MailKind::VerifyEmail, "/verify"),
    (MailKind::ResetPassword, "/reset"),
];

/// By recipient and kind, each in the sequence in which they were taken.
pub(super) struct TakenMails(BTreeMap<(String, MailKind), Vec<Taken>>);

impl TakenMails {
    /// Reads mails. Notices are left out. Of the first `unsure` mails the service does not know whether they were taken.
    pub(super) fn read(received: &[ReceivedMail], unsure: usize) -> Self {
        let mut mails: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (number, mail) in received.iter().enumerate() {
            if let Some((kind, proof)) = mail.link().as_deref().and_then(kind_and_proof) {
                mails
                    .entry((mail.to.join(" "), kind))
                    .or_default()
                    .push(Taken {
                        id: id(mail),
                        text: mail.text(),
                        proof,
                        code: mail.code().unwrap_or_default(),
                        known: mail.answered && number >= unsure,
                    });
            }
        }
        Self(mails)
    }

    /// Those of an order.
    pub(super) fn of(&self, address: &str, kind: MailKind) -> Vec<&Taken> {
        let mails = self.0.get(&(address.to_owned(), kind));
        mails.into_iter().flatten().collect()
    }

    /// The recipients and kinds of all.
    pub(super) fn orders(&self) -> impl Iterator<Item = &(String, MailKind)> {
        self.0.keys()
    }
}

/// The ids of deliveries that the service knows to have been taken.
pub(super) fn known_ids(received: &[ReceivedMail], unsure: usize) -> BTreeSet<String> {
    let later = received.iter().skip(unsure);
    later.filter(|mail| mail.answered).map(id).collect()
}

/// The id of a mail's delivery, which its `Message-ID` begins with.
fn id(mail: &ReceivedMail) -> String {
    let id = mail.header("Message-ID").unwrap_or_default();
    let id = id.trim_start_matches('<').split('@').next();
    id.unwrap_or_default().to_owned()
}

fn kind_and_proof(link: &str) -> Option<(MailKind, String)> {
    let link: Url = link.parse().ok()?;
    let (kind, _) = LINKS.iter().find(|(_, path)| link.path() == *path)?;
    let mut pairs = link.query_pairs();
    let (_, proof) = pairs.find(|(name, _)| name == "proof")?;
    Some((*kind, proof.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str, id: &str, body: &str, answered: bool) -> ReceivedMail {
        let data = format!("Message-ID: <{id}@example.org>\r\n\r\n{body}\r\n");
        ReceivedMail {
            from: "accounts@example.org".to_owned(),
            to: vec![to.to_owned()],
            parameters: String::new(),
            encrypted: false,
            user: None,
            client: String::new(),
            data: data.into_bytes(),
            answered,
        }
    }

    #[test]
    fn a_mail_is_known_by_its_recipient_and_its_link() {
        let reset = "Enter 123456 or open https://app.example.org/reset?proof=p&secret=s";
        let received = [
            mail("ann@example.org", "1", reset, true),
            mail("ann@example.org", "2", "Your password was changed", true),
            mail("ann@example.org", "1", reset, false),
            mail("ann@example.org", "1", reset, true),
        ];
        let mails = TakenMails::read(&received, 1);
        let found = mails.of("ann@example.org", MailKind::ResetPassword);
        let read: Vec<_> = found
            .iter()
            .map(|mail| {
                (
                    mail.id.as_str(),
                    mail.proof.as_str(),
                    mail.code.as_str(),
                    mail.known,
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                ("1", "p", "123456", false),
                ("1", "p", "123456", false),
                ("1", "p", "123456", true)
            ]
        );
        assert!(
            mails
                .of("ann@example.org", MailKind::VerifyEmail)
                .is_empty()
        );
        assert_eq!(mails.orders().count(), 1);
        assert_eq!(
            known_ids(&received, 1),
            BTreeSet::from(["1".to_owned(), "2".to_owned()])
        );
    }
}
