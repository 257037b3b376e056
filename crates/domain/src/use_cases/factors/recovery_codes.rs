//! Recovery codes.

use super::{ChangeFactorsError, change::FactorChanges};
use crate::{
    journal::SecurityEvent,
    model::{FactorKind, RecoveryCode, RecoveryCodes, Timestamp, UserId},
    ports::{CodesOutcome, CodesReplacement, Entropy, FactorFault, FactorSecretUse, FactorSecrets},
    use_cases::{parts::ServicePorts, sessions::Caller},
};
use secrecy::SecretString;
use std::sync::Arc;

/// Recovery codes, as they are shown once: [ten](RecoveryCode::SET), each in groups of four characters.
#[derive(Clone, Debug)]
pub struct ShownRecoveryCodes(Vec<SecretString>);

impl ShownRecoveryCodes {
    /// The codes.
    pub fn codes(&self) -> &[SecretString] {
        &self.0
    }
}

/// Makes sets of recovery codes.
pub(in crate::use_cases) struct RecoveryCodeMaker {
    secrets: Arc<dyn FactorSecrets>,
    entropy: Arc<dyn Entropy>,
}

impl RecoveryCodeMaker {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            secrets: ports.factors.secrets.clone(),
            entropy: ports.entropy.clone(),
        }
    }

    /// A set for the account: for the store, and for the user.
    pub(in crate::use_cases) fn make(
        &self,
        user: UserId,
        at: Timestamp,
    ) -> Result<(RecoveryCodes, ShownRecoveryCodes), FactorFault> {
        let key = self.secrets.make(user, FactorSecretUse::RecoveryCodes)?;
        let (mut macs, mut shown) = (Vec::new(), Vec::new());
        for _ in 0..RecoveryCode::SET {
            let [bytes @ .., _, _, _, _, _, _] = self.entropy.bytes();
            let code = RecoveryCode::from_random(bytes);
            macs.push(self.secrets.code_mac(user, &key, &code)?);
            shown.push(code.shown());
        }
        let codes = RecoveryCodes {
            user,
            key,
            macs,
            created_at: at,
        };
        Ok((codes, ShownRecoveryCodes(shown)))
    }
}

/// Makes new recovery codes.
pub struct ReplaceRecoveryCodes {
    changes: FactorChanges,
    codes: RecoveryCodeMaker,
}

impl ReplaceRecoveryCodes {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            changes: FactorChanges::new(ports),
            codes: RecoveryCodeMaker::new(ports),
        }
    }

    /// Makes a set in the place of the account's. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `NoFactor` and what all changes have; then the former codes count.
    pub async fn execute(&self, caller: &Caller) -> Result<ShownRecoveryCodes, ChangeFactorsError> {
        let asking = self.changes.reauthenticated(caller).await?;
        let at = self.changes.clock.now();
        let (codes, shown) = self.codes.make(asking.user.id, at)?;
        let replacement = CodesReplacement {
            codes,
            asking: asking.asking(),
            at,
        };
        let (user, session) = (asking.user.id, asking.session.id);
        let made = SecurityEvent::RecoveryCodesMade {
            user,
            session: Some(session),
            address: caller.client.address,
        };
        let told = asking.told(&self.changes, FactorKind::RecoveryCode, vec![made], at);
        let tell = self.changes.tell(&asking, at, told, |outcome| {
            matches!(outcome, CodesOutcome::Replaced)
        });
        let outcome = self
            .changes
            .store
            .replace_codes(&replacement, &tell)
            .await?;
        self.changes.recorder.record(&tell, &outcome);
        match outcome {
            CodesOutcome::Replaced => Ok(shown),
            CodesOutcome::NoFactor => Err(ChangeFactorsError::NoFactor),
            CodesOutcome::Superseded => Err(self.changes.superseded(caller).await),
        }
    }
}
