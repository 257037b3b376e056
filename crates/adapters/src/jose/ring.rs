//! The keys in use at one moment: the ones that sign, the ones that verify, and the published key set. Built once per
//! change, then only read.

use super::{
    id_key::IdKey,
    refresh_key::{MacKey, RefreshKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    keys::{Algorithm, KeyId, KeyState},
    ports::KeyFault,
};
use serde::Deserialize;
use serde_json::json;
use std::{collections::HashMap, sync::Arc};

/// The `typ` of an ID token.
pub(super) const ID: &str = "JWT";
/// The `typ` of a refresh token.
pub(super) const REFRESH: &str = "refresh+jwt";
/// The `typ` of a reauthentication.
pub(super) const REAUTHENTICATION: &str = "reauthentication+jwt";
/// The `typ` of what stands in the place of an ID token while a factor must be set up.
pub(super) const SET_UP: &str = "set-up+jwt";

/// A key that is built, and kept as long as its row exists.
#[derive(Clone)]
pub(super) enum Built {
    Id(Arc<IdKey>),
    Refresh(Arc<RefreshKey>),
}

/// The keys, by the header of their tokens, byte for byte.
pub(super) struct Ring {
    pub(super) id: KeyGroup<IdKey>,
    pub(super) refresh: KeyGroup<MacKey>,
    pub(super) reauthentication: KeyGroup<MacKey>,
    pub(super) set_up: KeyGroup<MacKey>,
    /// By the id of their row.
    pub(super) stored: HashMap<KeyId, Built>,
    /// The JWK set.
    pub(super) published: String,
}

/// The keys of one use.
pub(super) struct KeyGroup<K> {
    /// The active one and its header.
    pub(super) signer: Option<(String, Arc<K>)>,
    /// All of them, by each header that their tokens may have.
    pub(super) by_header: HashMap<String, Arc<K>>,
}

impl<K> Default for KeyGroup<K> {
    fn default() -> Self {
        Self {
            signer: None,
            by_header: HashMap::new(),
        }
    }
}

impl<K> KeyGroup<K> {
    fn add(&mut self, header: String, key: &Arc<K>, signs: bool) {
        if signs && self.signer.is_none() {
            self.signer = Some((header.clone(), Arc::clone(key)));
        }
        self.by_header.insert(header, Arc::clone(key));
    }
}

/// Collects keys; the first ones sign, and are published first.
#[derive(Default)]
pub(super) struct RingBuilder {
    id: KeyGroup<IdKey>,
    refresh: KeyGroup<MacKey>,
    reauthentication: KeyGroup<MacKey>,
    set_up: KeyGroup<MacKey>,
    stored: HashMap<KeyId, Built>,
    published: Vec<Arc<IdKey>>,
}

impl RingBuilder {
    /// A key for ID tokens.
    ///
    /// # Errors
    /// [`KeyFault::TwoAlgorithms`] if it was added with another algorithm: a verifier could not tell which one is meant.
    pub(super) fn id(&mut self, key: &Arc<IdKey>, signs: bool) -> Result<(), KeyFault> {
        match self.published.iter().find(|other| other.id() == key.id()) {
            Some(other)
                if other.algorithm() != key.algorithm()
                    && other.algorithm().alias() != Some(key.algorithm()) =>
            {
                return Err(KeyFault::TwoAlgorithms(key.id().to_owned()));
            }
            Some(_) => {}
            None => self.published.push(Arc::clone(key)),
        }
        let header = |algorithm: Algorithm| header(algorithm.name(), key.id(), ID);
        self.id
            .add(header(key.algorithm()), key, signs && key.signer.is_some());
        // A key file may be kept while `tokens.algorithm` changes from one name to the other.
        if let Some(alias) = key.algorithm().alias() {
            self.id.add(header(alias), key, false);
        }
        Ok(())
    }

    /// A secret for what only this service verifies.
    pub(super) fn refresh(&mut self, key: &RefreshKey, signs: bool) {
        let header = |kind| header("HS256", &key.id, kind);
        self.refresh.add(header(REFRESH), &key.refresh, signs);
        self.reauthentication
            .add(header(REAUTHENTICATION), &key.reauthentication, signs);
        self.set_up.add(header(SET_UP), &key.set_up, signs);
    }

    /// A key from the store.
    pub(super) fn stored(
        &mut self,
        id: &KeyId,
        built: Built,
        state: KeyState,
    ) -> Result<(), KeyFault> {
        let signs = state == KeyState::Active;
        match &built {
            Built::Id(key) => self.id(key, signs)?,
            Built::Refresh(key) => self.refresh(key, signs),
        }
        self.stored.insert(id.clone(), built);
        Ok(())
    }

    pub(super) fn build(mut self) -> Ring {
        let signer = self.id.signer.as_ref().map(|(_, key)| key.id().to_owned());
        self.published
            .sort_by_key(|key| Some(key.id()) != signer.as_deref());
        let published: Vec<_> = self.published.iter().map(|key| key.public()).collect();
        let published = json!({ "keys": published }).to_string();
        Ring {
            id: self.id,
            refresh: self.refresh,
            reauthentication: self.reauthentication,
            set_up: self.set_up,
            stored: self.stored,
            published,
        }
    }
}

/// The header of tokens of a key, an algorithm and a kind.
pub(super) fn header(algorithm: &str, key_id: &str, kind: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm, "kid": key_id, "typ": kind }).to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenHeader {
    alg: String,
    kid: String,
    typ: String,
}

/// Whether a header is one that we would write for some other key.
pub(super) fn is_plausible(text: &str, kind: &str) -> bool {
    let json = URL_SAFE_NO_PAD.decode(text).ok();
    json.and_then(|json| serde_json::from_slice::<TokenHeader>(&json).ok())
        .is_some_and(|named| {
            named.typ == kind
                && named.kid.parse::<KeyId>().is_ok()
                && header(&named.alg, &named.kid, kind) == text
        })
}
