//! What a client shows of a factor, and whether it is right.

use crate::{
    factors::{FactorUse, has_code},
    journal::{MailKind, SecurityEvent, Told},
    model::{
        AccountFactors, AuthMethods, CeremonyState, ClientInfo, OneTimeCode, Passkey, RecoveryCode,
        Timestamp, User,
    },
    ports::{
        CredentialRefused, FactorFault, FactorSecretUse, FactorSecrets, OneTimeCodes,
        PasskeyCeremonies,
    },
    use_cases::parts::{Recorder, ServicePorts},
};
use serde_json::Value;
use std::sync::Arc;

/// A factor that is shown.
#[derive(Debug)]
pub enum ShownFactor {
    /// A code of an authenticator app.
    Totp(OneTimeCode),
    /// A recovery code.
    RecoveryCode(RecoveryCode),
    /// A passkey: an `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1.8).
    Passkey(Value),
}

impl ShownFactor {
    /// Whether it can be guessed.
    pub(in crate::use_cases) const fn is_code(&self) -> bool {
        matches!(self, Self::Totp(_) | Self::RecoveryCode(_))
    }
}

/// A factor that was found right. Whether it counts, since it does so once only, is decided by the commit that uses it.
pub(in crate::use_cases) struct RightFactor {
    pub(in crate::use_cases) used: FactorUse,
    pub(in crate::use_cases) by: AuthMethods,
    warning: Option<Warning>,
}

enum Warning {
    /// A recovery code was used; so many are left.
    RecoveryCode(usize),
    CounterBack,
}

/// Compares what is shown with the factors of an account.
pub(in crate::use_cases) struct FactorCheck {
    secrets: Arc<dyn FactorSecrets>,
    codes: Arc<dyn OneTimeCodes>,
    ceremonies: Arc<dyn PasskeyCeremonies>,
}

impl FactorCheck {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            secrets: ports.factors.secrets.clone(),
            codes: ports.factors.codes.clone(),
            ceremonies: ports.factors.ceremonies.clone(),
        }
    }

    /// `None` if it is wrong, or the account has no such factor. `ceremony`: that of the challenge.
    pub(in crate::use_cases) fn check(
        &self,
        factors: &AccountFactors,
        shown: &ShownFactor,
        ceremony: Option<&CeremonyState>,
        at: Timestamp,
    ) -> Result<Option<RightFactor>, FactorFault> {
        match shown {
            ShownFactor::Totp(code) => self.totp(factors, code, at),
            ShownFactor::RecoveryCode(code) => self.recovery_code(factors, code),
            ShownFactor::Passkey(credential) => {
                Ok(ceremony.and_then(|state| self.of(&factors.passkeys, state, credential).ok()))
            }
        }
    }

    fn totp(
        &self,
        factors: &AccountFactors,
        code: &OneTimeCode,
        at: Timestamp,
    ) -> Result<Option<RightFactor>, FactorFault> {
        let Some(totp) = factors.confirmed_totp() else {
            return Ok(None);
        };
        let secret = self
            .secrets
            .open(totp.user, FactorSecretUse::Totp, &totp.sealed)?;
        let step = self.codes.step(&secret, code, at);
        Ok(step.map(|step| RightFactor {
            used: FactorUse::Totp {
                set_up_at: totp.created_at,
                step,
            },
            by: AuthMethods::ONE_TIME_CODE,
            warning: None,
        }))
    }

    fn recovery_code(
        &self,
        factors: &AccountFactors,
        code: &RecoveryCode,
    ) -> Result<Option<RightFactor>, FactorFault> {
        let Some(codes) = &factors.codes else {
            return Ok(None);
        };
        let mac = self.secrets.code_mac(codes.user, &codes.key, code)?;
        Ok(has_code(codes, &mac).then(|| RightFactor {
            used: FactorUse::RecoveryCode { mac },
            by: AuthMethods::ONE_TIME_CODE,
            warning: Some(Warning::RecoveryCode(codes.macs.len().saturating_sub(1))),
        }))
    }

    fn of(
        &self,
        passkeys: &[Passkey],
        state: &CeremonyState,
        credential: &Value,
    ) -> Result<RightFactor, CredentialRefused> {
        let claimed = self.ceremonies.claimed(credential)?;
        let passkey = passkeys.iter().find(|passkey| {
            let is_owner = claimed.user.is_none_or(|user| user == passkey.user);
            is_owner && passkey.credential.id == claimed.id
        });
        let passkey =
            passkey.ok_or_else(|| CredentialRefused("the account has no such passkey".into()))?;
        self.passkey(passkey, state, credential)
    }

    /// Verifies a passkey, whoever's it is.
    pub(in crate::use_cases) fn passkey(
        &self,
        passkey: &Passkey,
        state: &CeremonyState,
        credential: &Value,
    ) -> Result<RightFactor, CredentialRefused> {
        let stored = &passkey.credential;
        let verified = self.ceremonies.finish_sign_in(state, stored, credential)?;
        Ok(RightFactor {
            used: FactorUse::Passkey {
                id: passkey.id,
                counter: verified.counter,
                backed_up: verified.backed_up,
            },
            by: AuthMethods::passkey(stored.backup_eligible),
            warning: verified.counter_went_back.then_some(Warning::CounterBack),
        })
    }
}

impl RightFactor {
    /// What its use tells.
    pub(in crate::use_cases) fn told(
        &self,
        account: &User,
        client: &ClientInfo,
        recorder: &Recorder,
        at: Timestamp,
    ) -> Told {
        let (user, address) = (account.id, client.address);
        match self.warning {
            None => Told::default(),
            Some(Warning::CounterBack) => {
                vec![SecurityEvent::PasskeyCounterBack { user, address }].into()
            }
            Some(Warning::RecoveryCode(left)) => {
                let notice = recorder.notice(MailKind::RecoveryCodeUsed, account, client, at);
                Told {
                    events: vec![SecurityEvent::RecoveryCodeUsed {
                        user,
                        address,
                        left: u32::try_from(left).unwrap_or(u32::MAX),
                    }],
                    mails: notice
                        .into_iter()
                        .map(|notice| notice.about(left.to_string()))
                        .collect(),
                }
            }
        }
    }
}
