//! Mails as their readers see them, and how often those of proofs arrived.

use std::collections::{BTreeMap, BTreeSet};

use revolve_testkit::smtp_sink::ReceivedMail;
use url::{Url, form_urlencoded};

use super::html::Page;

/// A mail as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    /// Its `Message-ID`.
    pub(super) id: String,
    pub(super) to: String,
    pub(super) code: Option<String>,
    /// The links of its text and its HTML, each once.
    pub(super) links: Vec<Url>,
}

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkProof {
    pub(super) id: String,
    pub(super) secret: String,
}

impl Mail {
    /// Reads a mail of the service at this URL.
    pub(super) fn read(received: &ReceivedMail, service: &Url) -> Self {
        let mut links = Page::read(&received.html(), service).links;
        let text = received.text();
        let words = text.split_whitespace().filter(|word| word.contains("://"));
        for link in words.filter_map(|word| word.parse().ok()) {
            if !links.contains(&link) {
                links.push(link);
            }
        }
        Self {
            id: received.header("Message-ID").unwrap_or_default(),
            to: received.to.join(", "),
            code: received.code(),
            links,
        }
    }

    /// The proof that its links are for.
    pub(super) fn proof(&self) -> Option<LinkProof> {
        self.links.iter().find_map(LinkProof::of)
    }
}

impl LinkProof {
    /// Reads `proof` and `secret` in the query of a link, or in its fragment.
    fn of(link: &Url) -> Option<Self> {
        let parts = [link.query(), link.fragment()].into_iter().flatten();
        let pairs: BTreeMap<_, _> = parts
            .flat_map(|part| form_urlencoded::parse(part.as_bytes()))
            .collect();
        let get = |name: &str| pairs.get(name).map(|value| value.clone().into_owned());
        Some(Self {
            id: get("proof")?,
            secret: get("secret")?,
        })
    }
}

/// How often the mails of proofs arrived.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MailCounts {
    pub(super) all: u64,
    /// Mails that were asked for and did not arrive.
    pub(super) lost: u64,
    /// Mails beyond the first of a `Message-ID` or of a proof.
    pub(super) doubled: u64,
    /// Proofs that nobody asked for.
    pub(super) unasked: u64,
}

impl MailCounts {
    /// `asked`: the proofs whose mails have to arrive; `may_arrive`: those that others may have voided before.
    pub(super) fn of(
        mails: &[Mail],
        asked: &BTreeSet<String>,
        may_arrive: &BTreeSet<String>,
    ) -> Self {
        let mut messages: BTreeMap<&str, u64> = BTreeMap::new();
        let mut proofs: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for mail in mails {
            *messages.entry(&mail.id).or_default() += 1;
            if let Some(proof) = mail.proof() {
                proofs.entry(proof.id).or_default().insert(&mail.id);
            }
        }
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let again = messages.values().map(|times| times - 1);
        let others = proofs.values().map(|messages| count(messages.len() - 1));
        let has_arrived = |proof: &&String| proofs.contains_key(*proof);
        let is_known = |proof: &&String| asked.contains(*proof) || may_arrive.contains(*proof);
        Self {
            all: count(mails.len()),
            lost: count(asked.len() - asked.iter().filter(has_arrived).count()),
            doubled: again.chain(others).sum(),
            unasked: count(proofs.len() - proofs.keys().filter(is_known).count()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, links: &[&str]) -> Mail {
        Mail {
            id: id.to_owned(),
            to: "ann@example.org".to_owned(),
            code: None,
            links: links
                .iter()
                .map(|link| link.parse().expect("a URL"))
                .collect(),
        }
    }

    fn of_proof(id: &str, proof: &str) -> Mail {
        mail(
            id,
            &[&format!("https://example.org/?proof={proof}&secret=s")],
        )
    }

    fn set(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|proof| (*proof).to_owned()).collect()
    }

    #[test]
    fn a_link_has_its_proof_in_the_query_or_in_the_fragment() {
        let expected = LinkProof {
            id: "p-1".to_owned(),
            secret: "s_1".to_owned(),
        };
        for link in [
            "https://example.org/help https://example.org/?proof=p-1&secret=s_1",
            "https://example.org/#proof=p-1&secret=s_1",
            "https://example.org/?proof=p-1#secret=s_1",
        ] {
            let links: Vec<_> = link.split(' ').collect();
            assert_eq!(mail("m", &links).proof(), Some(expected.clone()), "{link}");
        }
        assert_eq!(mail("m", &["https://example.org/?proof=p-1"]).proof(), None);
    }

    #[test]
    fn each_mail_counts_once() {
        let mails = [of_proof("m1", "a"), of_proof("m2", "b"), mail("m3", &[])];
        let counts = MailCounts::of(&mails, &set(&["a"]), &set(&["b", "voided"]));
        let expected = MailCounts {
            all: 3,
            ..MailCounts::default()
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn what_is_lost_doubled_or_unasked_is_counted() {
        let mails = [
            of_proof("m1", "a"),
            of_proof("m1", "a"),
            of_proof("m2", "a"),
            mail("m3", &[]),
            mail("m3", &[]),
            of_proof("m4", "nobody's"),
        ];
        let counts = MailCounts::of(&mails, &set(&["a", "b"]), &set(&[]));
        let expected = MailCounts {
            all: 6,
            lost: 1,
            doubled: 3,
            unasked: 1,
        };
        assert_eq!(counts, expected);
    }
}
