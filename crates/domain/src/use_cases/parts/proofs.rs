//! What all proofs of mailboxes share: they are asked for, and shown.

use super::ServicePorts;
use crate::{
    journal::{Actor, MailKind, NewMail, SecurityEvent, Told},
    model::{
        Binding, ClientInfo, Credentials, DeliveryId, EmailAddress, Epoch, Fingerprint, Locale,
        Proof, ProofId, ProofPurpose, SignUpIntent, Timestamp, User, UserId,
    },
    ports::{
        Clock, DeviceCredentials, Entropy, OpenProof, ProofSecrets, Proofs, StandingProof,
        StoreError,
    },
    use_cases::parts::{
        Denied, Limited, Recorder, RequestLimits, ShownDevices, TakenBuckets, facts,
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};

/// What a client shows to be known again as the one that asked for a mail.
#[derive(Clone, Debug, Default)]
pub struct ShownAsker {
    /// What its browser keeps: [`RequestedProof::cookie`].
    pub cookie: Option<SecretString>,
    /// Its device credentials. Those that were not issued here are ignored.
    pub device_credentials: Vec<SecretString>,
}

impl ShownAsker {
    /// The number of hexadecimal digits of [`Self::cookie`].
    pub const COOKIE: usize = 64;
}

/// What a mail has that proves its mailbox.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// Its six digits.
    Code(SecretString),
    /// The secret of its link. It counts only for the client that asked for the mail: others may follow every link that they see.
    Secret(SecretString),
}

/// A proof that is shown.
#[derive(Clone, Debug)]
pub struct ShownProof {
    /// The id that the request was answered.
    pub id: ProofId,
    /// What the mail says.
    pub evidence: Evidence,
    /// What the client shows of itself.
    pub asker: ShownAsker,
}

/// A mail was asked for. The answer does not say whether there is an account.
#[derive(Clone, Debug)]
pub struct RequestedProof {
    /// The proof.
    pub id: ProofId,
    /// The time until it can't be used any more.
    pub expires_in: Duration,
    /// What a browser keeps until then, so that the mail's link counts; `None` for a client that is known by its device.
    pub cookie: Option<SecretString>,
}

/// Why a proof does not count. Nothing but the number of its attempts changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefused {
    /// It is spent, expired, void or unknown.
    #[error("the proof is spent, expired or unknown; ask for another mail")]
    Gone,
    /// The code is another one.
    #[error("the code is wrong; {attempts_left} attempts are left")]
    WrongCode {
        /// How many codes can still be tried.
        attempts_left: u32,
    },
    /// The link was followed by another client than the one that asked for the mail.
    #[error("the link counts only where the mail was asked for; enter the code")]
    CodeRequired,
    /// Too many that came to nothing were shown from the client's address; this one was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
}

/// A proof that is about to be asked for.
pub(crate) struct ProofRequest<'a> {
    pub(crate) purpose: ProofPurpose,
    pub(crate) mail: MailKind,
    /// The mailbox.
    pub(crate) address: EmailAddress,
    /// The account, if there is one.
    pub(crate) account: Option<&'a Credentials>,
    pub(crate) intent: Option<SignUpIntent>,
    pub(crate) locale: Option<Locale>,
    pub(crate) asker: &'a ShownAsker,
    pub(crate) client: &'a ClientInfo,
    /// The store's work is the same, and nobody gets a mail.
    pub(crate) withheld: bool,
    /// What goes into the journal.
    pub(crate) event: SecurityEvent,
}

/// Opens and checks proofs.
#[derive(Clone)]
pub(crate) struct MailboxProofs {
    pub(crate) proofs: Arc<dyn Proofs>,
    secrets: Arc<dyn ProofSecrets>,
    devices: Arc<dyn DeviceCredentials>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: RequestLimits,
    /// How long a mail is tried that asks for nothing.
    notices: Duration,
    pub(crate) recorder: Recorder,
}

impl MailboxProofs {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: ports.proofs.clone(),
            secrets: ports.proof_secrets.clone(),
            devices: ports.devices.clone(),
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            limits: RequestLimits::new(ports),
            notices: ports.accounts.mail_max_age,
            recorder: Recorder::new(ports),
        }
    }

    /// Stores the proof and its mail.
    pub(crate) async fn open(
        &self,
        request: ProofRequest<'_>,
    ) -> Result<RequestedProof, StoreError> {
        let now = self.clock.now();
        let (asker, cookie) = self.asker(request.asker);
        let open = OpenProof {
            withheld: request.withheld,
            proof: self.proof(&request, asker, now),
        };
        let mail = NewMail {
            id: DeliveryId::from_random(self.entropy.bytes()),
            kind: request.mail,
            to: request.address.clone(),
            locale: request.locale.clone(),
            user: request.account.map(|account| account.user.id),
            proof: None,
            facts: facts(request.client, now),
            // What tells of something is tried as long as any notice.
            expires_at: if request.mail.is_momentary() {
                open.proof.expires_at
            } else {
                now.plus(self.notices)
            },
        };
        let event = request.event.clone();
        let told = move |opened: &StandingProof| Told {
            events: vec![event.clone()],
            mails: vec![NewMail {
                proof: mail.kind.asks().then_some(opened.id),
                ..mail.clone()
            }],
        };
        let tell = self.recorder.tell(now, actor(&request.event), told);
        let opened = self.proofs.open(&open, &tell).await?;
        self.recorder.record(&tell, &opened);
        Ok(RequestedProof {
            id: opened.id,
            expires_in: opened.expires_at.since(now),
            cookie,
        })
    }

    /// The row of a proof of nobody's mailbox is like any other.
    fn proof(&self, request: &ProofRequest<'_>, asker: Fingerprint, now: Timestamp) -> Proof {
        let purpose = request.purpose;
        let (user, binding) = match request.account {
            _ if purpose == ProofPurpose::SignUp => (None, None),
            Some(account) => (Some(account.user.id), Some(Binding::of(account))),
            None => {
                let binding = Binding {
                    epoch: Epoch::FIRST,
                    hash: Fingerprint::of_browser(""),
                    email: request.address.key().to_owned(),
                };
                let nobody = UserId::from_random(self.entropy.bytes());
                (Some(nobody), Some(binding))
            }
        };
        Proof {
            id: ProofId::from_random(self.entropy.bytes()),
            purpose,
            address: request.address.clone(),
            user,
            binding,
            asker,
            intent: request.intent.clone(),
            locale: request.locale.clone(),
            created_at: now,
            expires_at: now.plus(purpose.lifetime()),
            attempts_left: Proof::ATTEMPTS,
            serial: 1,
        }
    }

    /// The proof, if what is shown proves it: [`Self::find`], then [`Self::prove`].
    pub(crate) async fn check(
        &self,
        purpose: ProofPurpose,
        shown: &ShownProof,
        client: &ClientInfo,
    ) -> Result<Result<Proof, ProofRefused>, StoreError> {
        match self.find(&[purpose], shown, client).await? {
            Ok(open) => self.prove(&open, shown, client).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// The proof that is shown, if it is for one of these purposes and can still be tried. It is read before an attempt is counted, so that an
    /// invented id writes nothing; that counts for the client's address.
    pub(crate) async fn find(
        &self,
        purposes: &[ProofPurpose],
        shown: &ShownProof,
        client: &ClientInfo,
    ) -> Result<Result<Proof, ProofRefused>, StoreError> {
        let found = self.proofs.find(shown.id, self.clock.now()).await?;
        let is_asked_for = |proof: &Proof| {
            purposes
                .iter()
                .any(|asked| proof.purpose.is_shown_as(*asked))
        };
        let is_open = |proof: &Proof| is_asked_for(proof) && proof.attempts_left > 0;
        if let Some(open) = found.filter(is_open) {
            return Ok(Ok(open));
        }
        let counted = self.count(client).await?;
        Ok(Err(counted.err().map_or(ProofRefused::Gone, Into::into)))
    }

    /// The proof once more, if what is shown proves it. A code is an attempt, which is counted before it is looked at; the secret of a link is one
    /// if it is right and this is the client that asked. What comes to nothing counts for the client's address, unless this is the client that asked.
    pub(crate) async fn prove(
        &self,
        open: &Proof,
        shown: &ShownProof,
        client: &ClientInfo,
    ) -> Result<Result<Proof, ProofRefused>, StoreError> {
        if self.is_asker(open, &shown.asker) {
            return self.compare(open, true, &shown.evidence, client).await;
        }
        let taken = match self.count(client).await? {
            Ok(taken) => taken,
            Err(limited) => return Ok(Err(limited.into())),
        };
        let proved = self.compare(open, false, &shown.evidence, client).await;
        let counts = matches!(
            proved,
            Ok(Err(ProofRefused::Gone | ProofRefused::WrongCode { .. }))
        );
        if !counts {
            self.limits.give_back(taken).await;
        }
        proved
    }

    /// Counts for the client's address.
    async fn count(
        &self,
        client: &ClientInfo,
    ) -> Result<Result<TakenBuckets, Limited>, StoreError> {
        match self.limits.confirmation(client).await {
            Ok(taken) => Ok(Ok(taken)),
            Err(Denied::Limited(limited)) => Ok(Err(limited)),
            Err(Denied::Failed(error)) => Err(error),
        }
    }

    /// Compares what is shown with a proof that is open. What is right is an attempt as well, which whoever makes nothing of it
    /// [gives back](Self::forgive): no more than [`Proof::ATTEMPTS`] at once can act on one proof.
    async fn compare(
        &self,
        open: &Proof,
        is_asker: bool,
        evidence: &Evidence,
        client: &ClientInfo,
    ) -> Result<Result<Proof, ProofRefused>, StoreError> {
        let is_secret = matches!(evidence, Evidence::Secret(_));
        if is_secret && !is_asker {
            return Ok(Err(ProofRefused::CodeRequired));
        }
        if is_secret && !self.is_right(open, evidence) {
            return Ok(Err(ProofRefused::Gone));
        }
        let now = self.clock.now();
        let tried = self.proofs.attempt(open.id, open.purpose, now).await?;
        let Some(proof) = tried else {
            return Ok(Err(ProofRefused::Gone));
        };
        if self.is_right(&proof, evidence) {
            return Ok(Ok(proof));
        }
        if is_secret {
            return Ok(Err(ProofRefused::Gone));
        }
        self.recorder.record_event(SecurityEvent::ProofRefused {
            user: proof.user,
            address: client.address,
        });
        Ok(Err(ProofRefused::WrongCode {
            attempts_left: proof.attempts_left,
        }))
    }

    fn is_right(&self, proof: &Proof, evidence: &Evidence) -> bool {
        match evidence {
            Evidence::Code(code) => self.secrets.is_code(proof.id, proof.serial, code),
            Evidence::Secret(secret) => self.secrets.is_secret(proof.id, proof.serial, secret),
        }
    }

    /// The proof that can bring this address back to its account.
    pub(crate) async fn undo_of(
        &self,
        address: &EmailAddress,
    ) -> Result<Option<Proof>, StoreError> {
        self.proofs.undo_of(address, self.clock.now()).await
    }

    /// What was right does not count as an attempt, since nothing came of it. If the store fails, it counts.
    pub(crate) async fn forgive(&self, shown: &ShownProof) {
        let _ = self.proofs.forgive(shown.id).await;
    }

    /// Whether this is the client that asked.
    pub(crate) fn is_asker(&self, proof: &Proof, shown: &ShownAsker) -> bool {
        if proof.asker == Fingerprint::ANYBODY {
            return true;
        }
        let cookie = shown.cookie.as_ref();
        let browser = cookie.map(|cookie| Fingerprint::of_browser(cookie.expose_secret()));
        let devices = ShownDevices::verify(&*self.devices, &shown.device_credentials);
        let devices = devices.all().iter().copied().map(Fingerprint::of_device);
        browser
            .into_iter()
            .chain(devices)
            .any(|shown| shown == proof.asker)
    }

    /// The client by its device, else by what its browser keeps: that goes with the answer.
    fn asker(&self, shown: &ShownAsker) -> (Fingerprint, Option<SecretString>) {
        let devices = ShownDevices::verify(&*self.devices, &shown.device_credentials);
        if let Some(device) = devices.first() {
            return (Fingerprint::of_device(device), None);
        }
        let cookie = shown.cookie.clone().unwrap_or_else(|| {
            let half = || u128::from_be_bytes(self.entropy.bytes());
            format!("{:032x}{:032x}", half(), half()).into()
        });
        (
            Fingerprint::of_browser(cookie.expose_secret()),
            Some(cookie),
        )
    }

    /// A proof of the former address that undoes a change. It is bound to the account alone: whatever a thief does next does not void it.
    pub(crate) fn undo(&self, former: &User, change: &Proof, now: Timestamp) -> Proof {
        let purpose = ProofPurpose::UndoEmail;
        Proof {
            id: ProofId::from_random(self.entropy.bytes()),
            purpose,
            address: former.email.clone(),
            user: Some(former.id),
            binding: None,
            asker: change.asker,
            intent: None,
            locale: former.details.locale.clone(),
            created_at: now,
            expires_at: now.plus(purpose.lifetime()),
            attempts_left: Proof::ATTEMPTS,
            serial: 1,
        }
    }
}

/// On whose behalf a mail is asked for: that of the account's user, where only a session of the account can.
const fn actor(event: &SecurityEvent) -> Actor {
    match event {
        SecurityEvent::EmailChangeRequested { user, .. }
        | SecurityEvent::VerificationRequested { user, .. } => Actor::User(*user),
        _ => Actor::Stranger,
    }
}
