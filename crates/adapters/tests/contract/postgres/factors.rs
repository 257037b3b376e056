//! Changes of one account's factors at the same time.

use super::{
    Schema,
    given::{START, created, session, user},
};
use revolve_domain::{
    factors::FactorUse,
    keys::SealedKey,
    model::{RecoveryCodes, Totp, TotpStep},
    ports::{
        AddFactorOutcome, Asking, FactorSecretUse, Factors, SealedFactor, ShowOutcome,
        ShownInSession, TotpConfirmation, TotpSetUp, TotpSetUpOutcome,
    },
};
use revolve_testkit::untold;

/// A change writes what it has read; a secret that is sealed anew meanwhile must stay so.
#[tokio::test]
async fn a_code_that_is_used_brings_no_former_seal_back() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let accounts = schema.accounts().await;
    created(&accounts).await;
    let (user, sealed) = (user().id, |number: u8| SealedKey::new(vec![number; 40]));
    let asking = Asking {
        session: session(1).id,
        epoch: None,
    };
    let totp = Totp {
        user,
        sealed: sealed(0),
        created_at: START,
        confirmed_at: None,
        last_step: None,
    };
    let set_up = TotpSetUp {
        totp: totp.clone(),
        asking,
    };
    let waiting = accounts.set_up_totp(&set_up, &untold()).await.unwrap();
    assert_eq!(waiting, TotpSetUpOutcome::Waiting);
    let codes = RecoveryCodes {
        user,
        key: sealed(0),
        macs: Vec::new(),
        created_at: START,
    };
    let confirmation = TotpConfirmation {
        totp,
        step: TotpStep::new(100),
        codes,
        asking,
        at: START,
    };
    let added = accounts.confirm_totp(&confirmation, &untold()).await;
    assert!(matches!(added.unwrap(), AddFactorOutcome::Added { .. }));
    for number in 1..=50_u8 {
        let step = TotpStep::new(100 + u64::from(number));
        let shown = ShownInSession {
            user,
            asking,
            used: FactorUse::Totp {
                set_up_at: START,
                step,
            },
            challenge: None,
            at: START,
        };
        let former = SealedFactor {
            user,
            of: FactorSecretUse::Totp,
            sealed: sealed(number - 1),
        };
        let (tell, new) = (untold(), sealed(number));
        let (shown, resealed) =
            tokio::join!(accounts.show(&shown, &tell), accounts.reseal(&former, &new));
        assert_eq!(shown.unwrap(), ShowOutcome::Shown);
        assert!(resealed.unwrap(), "nothing else seals it");
        let kept = accounts.of(user).await.unwrap().totp.unwrap();
        assert_eq!((kept.sealed, kept.last_step), (new, Some(step)));
    }
}
