//! Keys as a store has them: sealed under the master key, opened only by it and in their own row.

use super::{
    claims, master,
    ring::{ACTIVE, RETIRED, T, config, key, ring, vault},
};
use revolve_adapters::{
    jose::{Algorithm, FileKeys, IdKey, JoseTokens, KeyVault, MasterKey},
    system::SystemEntropy,
};
use revolve_domain::{
    keys::{KeyKind, KeyUse, SealedKey, StoredKey},
    ports::{KeyFault, KeyMaker, KeyRing, KeySet, TokenCodec},
};
use std::{sync::Arc, time::Duration};

#[test]
fn a_stored_key_is_unreadable_without_its_master_key_and_in_any_other_row() {
    let (master, other) = (master(), master());
    let vault = vault(&master);
    let kinds = Algorithm::ALL
        .map(KeyKind::Id)
        .into_iter()
        .chain([KeyKind::Refresh]);
    let keys: Vec<_> = kinds
        .map(|kind| {
            key(
                &vault,
                kind,
                if kind.usage() == KeyUse::Id {
                    RETIRED
                } else {
                    ACTIVE
                },
            )
        })
        .collect();
    let tokens = JoseTokens::stored(config(), FileKeys::default(), &master).unwrap();
    tokens.load(&keys).unwrap();
    for key in &keys {
        let bytes = key.sealed.as_bytes();
        assert!(!String::from_utf8_lossy(bytes).contains("PRIVATE KEY"));
        let message = JoseTokens::stored(config(), FileKeys::default(), &other)
            .unwrap()
            .load(std::slice::from_ref(key))
            .unwrap_err();
        assert!(
            message.to_string().contains("another master key"),
            "{message}"
        );
        let fresh = || JoseTokens::stored(config(), FileKeys::default(), &master).unwrap();
        for position in [0, 1, 12, 13, bytes.len() / 2, bytes.len() - 1] {
            let mut bad = bytes.to_vec();
            bad[position] ^= 1;
            let bad = StoredKey {
                sealed: SealedKey::new(bad),
                ..key.clone()
            };
            assert!(
                matches!(fresh().load(&[bad]), Err(KeyFault::Sealed(_))),
                "byte {position}"
            );
        }
        for cut in [0, 1, 12, 13, 28] {
            let bad = StoredKey {
                sealed: SealedKey::new(bytes[..cut].to_vec()),
                ..key.clone()
            };
            assert!(
                matches!(fresh().load(&[bad]), Err(KeyFault::Sealed(_))),
                "{cut} bytes"
            );
        }
        for row in keys.iter().filter(|row| row.id != key.id) {
            let moved = StoredKey {
                sealed: key.sealed.clone(),
                ..row.clone()
            };
            assert!(
                matches!(fresh().load(&[moved]), Err(KeyFault::Sealed(_))),
                "in another row"
            );
        }
    }
    // A failure leaves the ring as it was.
    let bad = StoredKey {
        id: "another".parse().unwrap(),
        ..keys[0].clone()
    };
    assert!(tokens.load(&[bad]).is_err());
    assert!(tokens.sign_refresh(&claims().1).is_ok());
}

#[test]
fn the_first_keys_are_those_from_before_keys_were_stored() {
    let (master, (id, refresh)) = (master(), claims());
    let pem = IdKey::generate(Algorithm::Es256).unwrap();
    let before = JoseTokens::new(
        config(),
        IdKey::from_pem(Algorithm::Es256, &pem).unwrap(),
        &master,
    )
    .unwrap();
    let vault = KeyVault::new(
        &master,
        Arc::new(SystemEntropy),
        Some((Algorithm::Es256, pem)),
    )
    .unwrap();
    let keys: Vec<_> = [KeyKind::Id(Algorithm::Es256), KeyKind::Refresh]
        .into_iter()
        .map(|kind| {
            let new = vault.first(kind).unwrap();
            StoredKey {
                id: new.id,
                kind,
                sealed: new.sealed,
                token_life: Duration::ZERO,
                created_at: T,
                phase: ACTIVE,
            }
        })
        .collect();
    let after = ring(&master, &keys);
    assert!(after.verify_id(&before.sign_id(&id).unwrap(), T).is_ok());
    assert!(
        after
            .verify_refresh(&before.sign_refresh(&refresh).unwrap())
            .is_ok()
    );
    assert_eq!(after.to_json(), before.to_json());
}

#[test]
fn a_key_of_an_earlier_master_key_opens_and_is_sealed_anew_with_the_same_secret() {
    let texts = [[1; 16], [2; 16], [3; 16]].map(|half| MasterKey::encode([half; 2]));
    let master = |at: usize| MasterKey::parse(&texts[at]).unwrap();
    let both = || master(1).with_previous(vec![master(2), master(0)]);
    for kind in Algorithm::ALL
        .map(KeyKind::Id)
        .into_iter()
        .chain([KeyKind::Refresh])
    {
        let key = key(&vault(&master(0)), kind, ACTIVE);
        ring(&both(), std::slice::from_ref(&key));
        let sealed = vault(&both()).reseal(&key).unwrap().unwrap();
        let resealed = StoredKey {
            sealed,
            ..key.clone()
        };
        assert_eq!(vault(&both()).reseal(&resealed).unwrap(), None, "{kind:?}");
        ring(&master(1), std::slice::from_ref(&resealed));
        let old = JoseTokens::stored(config(), FileKeys::default(), &master(0)).unwrap();
        assert!(old.load(std::slice::from_ref(&resealed)).is_err());
        assert!(
            vault(&master(2)).reseal(&key).is_err(),
            "what can't be opened is not replaced"
        );
    }
}
