//! Sessions that are bound to their device.

use super::scene::{LATE, TokensScene};
use crate::contract::{
    TokensSubject,
    given::{device_id, session_id},
};
use revolve_domain::{
    model::SessionId,
    rotation::{DeviceProof, Rotation, RotationOutcome},
};

fn proven(
    scene: &TokensScene<'_>,
    session: SessionId,
    generation: u64,
    device: DeviceProof,
) -> Rotation {
    Rotation {
        device,
        ..scene.rotation(session, generation)
    }
}

/// If the session is bound by the token's claim or by its row, a refresh without a credential is refused.
pub async fn a_bound_row_or_claim_demands_the_credential(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let bound = DeviceProof {
        owner: scene.owner,
        shown: None,
        bound: true,
    };
    assert_eq!(
        scene.apply(proven(&scene, session, 1, bound)).await,
        RotationOutcome::DeviceMismatch,
        "bound, and no credential"
    );
    let shown = DeviceProof {
        shown: Some(scene.owner),
        ..bound
    };
    scene.refreshed(proven(&scene, session, 1, shown)).await;
}

/// The same if it is bound only by the white list's entry.
pub async fn a_bound_entry_demands_the_credential(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let live = scene.refreshed(scene.shown(session, 1)).await;
    assert_eq!(
        live.device,
        Some(scene.owner),
        "a shown credential binds the successor"
    );
    for generation in [1, 2, 3] {
        assert_eq!(
            scene.rotate(session, generation).await,
            RotationOutcome::DeviceMismatch,
            "generation {generation}, no credential"
        );
    }
    assert_eq!(scene.live(session).await, Some(live), "nothing changed");
    TokensScene::assert_repeated(scene.apply(scene.shown(session, 1)).await, live, false);
    scene.refreshed(scene.shown(session, 2)).await;
}

/// Another device's credential is refused, bound or not.
pub async fn a_foreign_credential_is_refused(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    for bound in [false, true] {
        let foreign = DeviceProof {
            owner: scene.owner,
            shown: Some(device_id()),
            bound,
        };
        assert_eq!(
            scene.apply(proven(&scene, session, 1, foreign)).await,
            RotationOutcome::DeviceMismatch,
            "a foreign credential"
        );
    }
    scene.refreshed(scene.shown(session, 1)).await;
    let foreign = DeviceProof {
        owner: scene.owner,
        shown: Some(device_id()),
        bound: false,
    };
    assert_eq!(
        scene.apply(proven(&scene, session, 2, foreign)).await,
        RotationOutcome::DeviceMismatch,
        "a foreign credential, bound entry"
    );
    scene.refreshed(scene.shown(session, 2)).await;
}

/// The device is checked first: no mismatch is answered as stale, reuse, unknown or healed, and none changes anything.
pub async fn the_device_check_comes_first(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    for generation in 1..=3 {
        scene.refreshed(scene.shown(session, generation)).await;
    }
    let live = scene.live(session).await;
    let none = DeviceProof {
        owner: scene.owner,
        shown: None,
        bound: true,
    };
    let foreign = DeviceProof {
        shown: Some(device_id()),
        ..none
    };
    for device in [none, foreign] {
        let unknown = scene.apply(proven(&scene, session_id(), 1, device)).await;
        assert_eq!(
            unknown,
            RotationOutcome::DeviceMismatch,
            "an unknown session"
        );
    }
    for seconds in [0, LATE, 7000] {
        scene.advance(seconds).await;
        for (device, generation) in [none, foreign]
            .into_iter()
            .flat_map(|device| (1..=6).map(move |generation| (device, generation)))
        {
            let outcome = scene
                .apply(proven(&scene, session, generation, device))
                .await;
            assert_eq!(
                outcome,
                RotationOutcome::DeviceMismatch,
                "generation {generation}, {seconds} s later"
            );
        }
    }
    assert_eq!(scene.live(session).await, live, "nothing changed");
    scene.refreshed(scene.shown(session, 4)).await;
}

/// The successor has the device if its credential was shown, also in the answer to a retry that shows it later.
pub async fn a_shown_credential_binds_the_successor(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let unbound = scene.refreshed(scene.rotation(session, 1)).await;
    assert_eq!(unbound.device, None, "nothing was shown");
    TokensScene::assert_repeated(scene.apply(scene.shown(session, 1)).await, unbound, false);
    let bound = scene.refreshed(scene.shown(session, 2)).await;
    assert_eq!(bound.device, Some(scene.owner), "the credential was shown");
    assert_eq!(
        scene.live(session).await,
        Some(bound),
        "the list says so, too"
    );
}
