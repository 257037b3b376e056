//! A secret in every form in which it could hide, and the search for it.

use aho_corasick::AhoCorasick;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use std::collections::{BTreeMap, BTreeSet};

/// Secrets by what they are.
#[derive(Clone, Default)]
pub(super) struct KnownSecrets(BTreeMap<String, String>);

impl KnownSecrets {
    /// Remembers one; several of a kind are numbered. Short ones would be found by chance.
    pub(super) fn add(&mut self, kind: &str, value: &str) {
        assert!(value.len() >= 12, "{kind} is too short to be looked for");
        if !self.0.values().any(|known| known == value) {
            self.0
                .insert(format!("{kind} {}", self.0.len()), value.to_owned());
        }
    }

    /// A token, and its signature alone.
    pub(super) fn add_token(&mut self, kind: &str, token: &str) {
        self.add(kind, token);
        let signature = token.rsplit('.').next().unwrap();
        self.add(&format!("signature of {kind}"), signature);
    }

    /// The first of each kind.
    pub(super) fn one_of_each(&self) -> Vec<String> {
        let kind = |name: &str| name.rsplit_once(' ').map(|(kind, _)| kind.to_owned());
        let mut last = None;
        let firsts = self.0.iter().filter(|(name, _)| {
            last != kind(name) && {
                last = kind(name);
                true
            }
        });
        firsts.map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn without(&self, kind: &str) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(name, _)| !name.starts_with(kind))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }
}

/// Something that is read by others than those whom a secret is for.
pub(super) struct Sink {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

impl Sink {
    pub(super) fn new(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            content: content.into(),
        }
    }
}

/// Which secrets are in which sinks, and in which form.
pub(super) fn search(secrets: &KnownSecrets, sinks: &[Sink]) -> Vec<String> {
    let (names, texts): (Vec<_>, Vec<_>) = secrets
        .0
        .iter()
        .flat_map(|(kind, secret)| forms(secret).into_iter().map(move |form| (kind, form)))
        .map(|(kind, (form, text))| (format!("{kind} as {form}"), text))
        .unzip();
    let all = AhoCorasick::new(texts).unwrap();
    let mut found = BTreeSet::new();
    for sink in sinks {
        let at = all.find_overlapping_iter(&sink.content);
        found.extend(at.map(|at| format!("{} in {}", names[at.pattern()], sink.name)));
    }
    found.into_iter().collect()
}

fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let bytes: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let (hex, every) = (
        bytes.concat(),
        format!("%{}", bytes.join("%").to_uppercase()),
    );
    let where_needed: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::to_string(secret).unwrap();
    let list: String = format!("{:?}", secret.as_bytes());
    let mut forms = vec![
        ("itself", secret.to_owned()),
        ("hex", hex.clone()),
        ("HEX", hex.to_uppercase()),
        ("percent signs", every.clone()),
        ("percent signs", every.to_lowercase()),
        (
            "percent signs where needed",
            where_needed.replace('+', "%20"),
        ),
        ("a form", where_needed),
        ("JSON", json.trim_matches('"').to_owned()),
        ("a list of bytes", list.trim_matches(['[', ']']).to_owned()),
    ];
    // Within something longer, too: then it may begin at any of three places.
    for shift in 0..3 {
        let shifted = [vec![0; shift], secret.as_bytes().to_vec()].concat();
        let (from, whole) = (
            if shift == 0 { 0 } else { shift + 1 },
            shifted.len() / 3 * 4,
        );
        forms.push((
            "base64",
            STANDARD_NO_PAD.encode(&shifted)[from..whole].to_owned(),
        ));
        forms.push((
            "base64url",
            URL_SAFE_NO_PAD.encode(&shifted)[from..whole].to_owned(),
        ));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_found_wherever_it_begins() {
        let secret = "kanarie-vogel/4711?";
        let mut secrets = KnownSecrets::default();
        secrets.add("bird", secret);
        for (form, text) in forms(secret) {
            let sink = Sink::new("cage", [b"\xff=", text.as_bytes(), b"&y"].concat());
            assert!(!search(&secrets, &[sink]).is_empty(), "{form}");
        }
        for before in ["", "1", "12", "123"] {
            let sink = Sink::new(
                "cage",
                STANDARD_NO_PAD.encode(format!("{before}{secret}after")),
            );
            assert!(
                !search(&secrets, &[sink]).is_empty(),
                "base64 after {before}"
            );
        }
        assert_eq!(
            search(
                &secrets,
                &[
                    Sink::new("cage", "kanarie-vogel/4712?"),
                    Sink::new("empty", "")
                ]
            ),
            [""; 0]
        );
    }
}
