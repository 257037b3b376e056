//! Hostile tokens: a table of some hundred, made for any key and any good claims, so that `revolve-verify` and a running service can be
//! shown the same ones. Many are signed with the issuer's own key, so that nothing but the check in question can refuse them.

mod claims;
mod header;
mod library;
mod service;
mod shape;
mod signature;

use crate::support::{TestKey, b64};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// The key and the claims that the tokens are made from.
pub(crate) struct AttackTarget {
    pub(crate) key: Arc<TestKey>,
    /// Another key of the issuer, for another algorithm.
    pub(crate) sibling: Arc<TestKey>,
    /// Claims that are good now.
    pub(crate) claims: Value,
    /// The time, in seconds.
    pub(crate) now: u64,
    /// A refresh token.
    pub(crate) refresh: String,
}

/// A token that must not be accepted.
pub(crate) struct HostileToken {
    pub(crate) name: String,
    pub(crate) token: String,
}

/// Collects attacks.
struct AttackTable<'t> {
    target: &'t AttackTarget,
    attacks: Vec<HostileToken>,
}

impl AttackTable<'_> {
    fn add(&mut self, name: impl Into<String>, token: impl Into<String>) {
        self.attacks.push(HostileToken {
            name: name.into(),
            token: token.into(),
        });
    }

    /// The issuer's key signs this header and these claims.
    fn add_header(&mut self, name: impl Into<String>, header: impl AsRef<[u8]>) {
        let token = self
            .target
            .key
            .token_of(header, self.target.claims.to_string());
        self.add(name, token);
    }

    /// The issuer's key signs this payload under its usual header.
    fn add_payload(&mut self, name: impl Into<String>, payload: impl AsRef<[u8]>) {
        let token = self.target.key.token_of(self.target.header(), payload);
        self.add(name, token);
    }

    /// The issuer's key signs this text, whatever it is.
    fn add_signed(&mut self, name: impl Into<String>, text: &str) {
        let signature = b64(self.target.key.sign(text.as_bytes()));
        self.add(name, format!("{text}.{signature}"));
    }
}

impl AttackTarget {
    /// The usual header.
    fn header(&self) -> String {
        self.key.header("JWT").to_string()
    }

    fn good(&self) -> String {
        self.key.token(&self.claims)
    }

    /// The whole table.
    pub(crate) fn attacks(&self) -> Vec<HostileToken> {
        let mut table = AttackTable {
            target: self,
            attacks: Vec::new(),
        };
        shape::add(&mut table);
        header::add(&mut table);
        signature::add(&mut table);
        claims::add(&mut table);
        // None is counted twice.
        let mut tokens = BTreeSet::new();
        table
            .attacks
            .retain(|attack| tokens.insert(attack.token.clone()));
        table.attacks
    }
}
