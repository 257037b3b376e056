//! Decorators of ports: types that do something around every call of a store, such as measuring it or letting it fail.

use super::{
    AccountDirectory, AccountQuery, AddFactorOutcome, AddOutcome, AddressChange, AddressOutcome,
    ApiKeys, Asking, BeginOutcome, BeginSession, ChangeOutcome, Claim, CodesOutcome,
    CodesReplacement, CreateOutcome, Deliveries, DisableOutcome, EnableOutcome, EndOutcome,
    FactorRemoval, FactorSignIn, FactorSignInOutcome, Factors, Followed, Invitation, Journal,
    JournalCursor, JournalQuery, JournalRecord, KeyOutcome, KeyRepository, LiveSession,
    NamedRequest, NamedRequests, NewLiveSession, OpenChallenge, OpenProof, OperatorChange,
    PasskeyRegistration, PasskeyRename, PasskeySignUp, PasskeySignUpOutcome, PasswordChange,
    PasswordOutcome, PersonalData, Proofs, ProvedSignIn, ProvedSignUp, RateLimiter, Recovery,
    RecoveryOutcome, RemoveFactorOutcome, RenameOutcome, ResetFactors, ResetOrder,
    ResetOrderOutcome, ResetOutcome, RevokeOutcome, RevokedKeys, SealedFactor, SessionRepository,
    ShowOutcome, ShownInSession, SignUpOutcome, StandingProof, StopReset, StopResetOutcome,
    StoreError, StoredApiKey, Take, TakeOutcome, TokenRepository, TotpConfirmation, TotpSetUp,
    TotpSetUpOutcome, UpdateOutcome, UserRepository, VerifyOutcome, Webhooks,
};
use crate::{
    deliveries::{Backlog, Delivery, DeliveryQuery, LeaseRequest, Settled},
    journal::{NewMail, Tell},
    keys::{KeyId, KeyState, Promotion, Retired, SealedKey, StoredKey},
    model::{
        AccountFactors, ApiKey, ApiKeyId, Challenge, ChallengeId, ChallengeKind, CredentialId,
        Credentials, DeliveryId, DetailsChange, DeviceId, EmailAddress, EndReason, Epoch, Passkey,
        PasswordHash, Proof, ProofId, ProofPurpose, ProofVersion, Session, SessionId,
        SessionRecord, Timestamp, User, UserId, WebhookId,
    },
    revocations::{RevocationQuery, Revocations},
    rotation::{Rotation, RotationOutcome},
    webhooks::{
        DisabledReason, Webhook, WebhookDelivery, WebhookLease, WebhookOrder, WebhookSettled,
    },
};
use async_trait::async_trait;
use std::pin::Pin;

/// The future of a port's method.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Does something around every call of a port. A decorator implements every port of this module that its [`Decorator::Port`]
/// implements.
pub trait Decorator: Send + Sync {
    /// The port, or an implementation of it.
    type Port: ?Sized + Send + Sync;

    /// Answers one call. `work` makes it on the decorated port; `operation` is its stable name, as metrics have it.
    fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;
}

/// Implements a port for its decorators. Each line is a method with the name of its operation.
macro_rules! decorate {
    ($port:ident { $($operation:literal: $method:ident($($arg:ident: $type:ty),*) -> $output:ty;)* }) => {
        #[async_trait]
        impl<D> $port for D
        where
            D: Decorator,
            D::Port: $port,
        {
            $(
                async fn $method(&self, $($arg: $type),*) -> Result<$output, StoreError> {
                    self.call($operation, |port| port.$method($($arg),*)).await
                }
            )*
        }
    };
}

decorate!(UserRepository {
    "create_account": create(user: &User, hash: &PasswordHash, session: &Session, tell: &Tell<CreateOutcome>) -> CreateOutcome;
    "add_account": add(user: &User, hash: &PasswordHash, tell: &Tell<AddOutcome>) -> AddOutcome;
    "credentials_by_email": credentials_by_email(email: &EmailAddress, devices: &[DeviceId]) -> Option<Credentials>;
    "credentials": credentials(user: UserId) -> Option<Credentials>;
    "personal_data": personal_data(user: UserId) -> Option<PersonalData>;
    "rehash": rehash(user: UserId, old: &PasswordHash, new: &PasswordHash) -> ();
    "update_account": update(user: UserId, change: &DetailsChange, asking: Option<Asking>, at: Timestamp, tell: &Tell<UpdateOutcome>) -> UpdateOutcome;
    "change_password": change_password(change: &PasswordChange, tell: &Tell<PasswordOutcome>) -> PasswordOutcome;
    "delete_account": delete(user: UserId, asking: Option<Asking>, at: Timestamp, tell: &Tell<bool>) -> bool;
    "ping": ping() -> ();
});

decorate!(AccountDirectory {
    "list_accounts": list(query: &AccountQuery) -> Vec<User>;
    "walk_accounts": walk(after: Option<UserId>, limit: u32) -> Vec<Credentials>;
    "session_history": history(user: UserId) -> Vec<Session>;
    "change_account": change(change: &OperatorChange, tell: &Tell<ChangeOutcome>) -> ChangeOutcome;
    "disable_account": disable(user: UserId, at: Timestamp, tell: &Tell<DisableOutcome>) -> DisableOutcome;
    "enable_account": enable(user: UserId, tell: &Tell<EnableOutcome>) -> EnableOutcome;
});

decorate!(SessionRepository {
    "find_session": find(user: UserId, session: SessionId) -> Option<SessionRecord>;
    "begin_session": begin(begin: &BeginSession, tell: &Tell<BeginOutcome>) -> BeginOutcome;
    "bind_session": bind(user: UserId, session: SessionId, devices: &[DeviceId], at: Timestamp, tell: &Tell<Option<DeviceId>>) -> Option<DeviceId>;
    "end_session": end(user: UserId, session: SessionId, reason: EndReason, at: Timestamp, tell: &Tell<EndOutcome>) -> EndOutcome;
    "end_all_sessions": end_all(user: UserId, kept: Option<SessionId>, reason: EndReason, at: Timestamp, tell: &Tell<Option<Epoch>>) -> Option<Epoch>;
    "live_sessions": live(user: UserId, now: Timestamp) -> Vec<Session>;
    "revoked": revoked(query: &RevocationQuery) -> Revocations;
    "prune_devices": prune_devices(before: Timestamp, limit: u32) -> u64;
    "prune_sessions": prune(before: Timestamp, limit: u32) -> u64;
});

decorate!(Proofs {
    "open_proof": open(open: &OpenProof, tell: &Tell<StandingProof>) -> StandingProof;
    "find_proof": find(proof: ProofId, at: Timestamp) -> Option<Proof>;
    "find_undo": undo_of(address: &EmailAddress, at: Timestamp) -> Option<Proof>;
    "attempt_proof": attempt(proof: ProofId, purpose: ProofPurpose, at: Timestamp) -> Option<Proof>;
    "forgive_attempt": forgive(proof: ProofId) -> ();
    "recover_account": recover(recovery: &Recovery, tell: &Tell<RecoveryOutcome>) -> RecoveryOutcome;
    "verify_email": verify(proof: ProofVersion, at: Timestamp, tell: &Tell<VerifyOutcome>) -> VerifyOutcome;
    "disown_account": disown(proof: ProofVersion, at: Timestamp, tell: &Tell<Option<UserId>>) -> Option<UserId>;
    "change_email": change_email(change: &AddressChange, tell: &Tell<AddressOutcome>) -> AddressOutcome;
    "prove_sign_up": sign_up(sign_up: &ProvedSignUp, tell: &Tell<SignUpOutcome>) -> SignUpOutcome;
    "invite_account": invite(invitation: &Invitation, tell: &Tell<AddOutcome>) -> AddOutcome;
    "prove_sign_in": sign_in(sign_in: &ProvedSignIn, tell: &Tell<Option<BeginOutcome>>) -> Option<BeginOutcome>;
    "standing_proofs": standing(proofs: &[ProofId], at: Timestamp) -> Vec<StandingProof>;
    "prune_proofs": prune(before: Timestamp, limit: u32) -> u64;
});

decorate!(Factors {
    "factors_of": of(user: UserId) -> AccountFactors;
    "find_passkey": by_credential(credential: &CredentialId) -> Option<Passkey>;
    "open_challenge": open(open: &OpenChallenge, tell: &Tell<bool>) -> bool;
    "find_challenge": find(challenge: ChallengeId, at: Timestamp) -> Option<Challenge>;
    "attempt_challenge": attempt(challenge: ChallengeId, kind: ChallengeKind, at: Timestamp) -> Option<Challenge>;
    "forgive_challenge": forgive(challenge: ChallengeId) -> ();
    "spend_challenge": spend(challenge: ChallengeId, kind: ChallengeKind, at: Timestamp) -> bool;
    "factor_sign_in": sign_in(sign_in: &FactorSignIn, tell: &Tell<FactorSignInOutcome>) -> FactorSignInOutcome;
    "passkey_sign_up": sign_up(sign_up: &PasskeySignUp, tell: &Tell<PasskeySignUpOutcome>) -> PasskeySignUpOutcome;
    "show_factor": show(shown: &ShownInSession, tell: &Tell<ShowOutcome>) -> ShowOutcome;
    "set_up_totp": set_up_totp(set_up: &TotpSetUp, tell: &Tell<TotpSetUpOutcome>) -> TotpSetUpOutcome;
    "confirm_totp": confirm_totp(confirmation: &TotpConfirmation, tell: &Tell<AddFactorOutcome>) -> AddFactorOutcome;
    "add_passkey": add_passkey(registration: &PasskeyRegistration, tell: &Tell<AddFactorOutcome>) -> AddFactorOutcome;
    "rename_passkey": rename_passkey(rename: &PasskeyRename, tell: &Tell<RenameOutcome>) -> RenameOutcome;
    "remove_factor": remove(removal: &FactorRemoval, tell: &Tell<RemoveFactorOutcome>) -> RemoveFactorOutcome;
    "replace_recovery_codes": replace_codes(replacement: &CodesReplacement, tell: &Tell<CodesOutcome>) -> CodesOutcome;
    "order_factor_reset": order_reset(order: &ResetOrder, tell: &Tell<ResetOrderOutcome>) -> ResetOrderOutcome;
    "stop_factor_reset": stop_reset(stop: StopReset, at: Timestamp, tell: &Tell<StopResetOutcome>) -> StopResetOutcome;
    "due_factor_resets": due_resets(at: Timestamp, limit: u32) -> Vec<UserId>;
    "reset_factors": reset(user: UserId, when: ResetFactors, at: Timestamp, tell: &Tell<ResetOutcome>) -> ResetOutcome;
    "sealed_factors": sealed(after: Option<UserId>, limit: u32) -> Vec<SealedFactor>;
    "reseal_factor": reseal(secret: &SealedFactor, to: &SealedKey) -> bool;
    "prune_challenges": prune(expired: Timestamp, made: Timestamp, limit: u32) -> u64;
});

decorate!(TokenRepository {
    "begin_entry": begin(session: NewLiveSession) -> Vec<LiveSession>;
    "rotate": rotate(rotation: &Rotation) -> RotationOutcome;
    "end_entries": end(user: UserId, sessions: &[SessionId]) -> ();
    "end_older_entries": end_older(user: UserId, epoch: Epoch, kept: Option<SessionId>) -> ();
    "list_entries": list(user: UserId) -> Vec<LiveSession>;
    "ping": ping() -> ();
});

decorate!(KeyRepository {
    "list_keys": list() -> Vec<StoredKey>;
    "insert_key": insert(key: &StoredKey, tell: &Tell<KeyOutcome>) -> KeyOutcome;
    "promote_key": promote(promotion: &Promotion, tell: &Tell<KeyOutcome>) -> KeyOutcome;
    "retire_key": retire(key: &KeyId, retired: Retired, tell: &Tell<KeyOutcome>) -> KeyOutcome;
    "reseal_key": reseal(key: &KeyId, from: &SealedKey, to: &SealedKey, tell: &Tell<KeyOutcome>) -> KeyOutcome;
    "remove_key": remove(key: &KeyId, state: KeyState, tell: &Tell<KeyOutcome>) -> KeyOutcome;
});

decorate!(Journal {
    "read_journal": read(query: &JournalQuery) -> Vec<JournalRecord>;
    "follow_journal": follow(after: Option<JournalCursor>, limit: u32) -> Followed;
    "note_events": note(notes: &[JournalRecord]) -> ();
    "prune_journal": prune(before: Timestamp, limit: u32) -> u64;
});

decorate!(ApiKeys {
    "add_api_key": add(key: &StoredApiKey, tell: &Tell<()>) -> ();
    "find_api_key": find(id: ApiKeyId) -> Option<StoredApiKey>;
    "list_api_keys": list() -> Vec<ApiKey>;
    "revoke_api_key": revoke(id: ApiKeyId, at: Timestamp, tell: &Tell<RevokeOutcome>) -> RevokeOutcome;
    "use_api_key": used(id: ApiKeyId, hour: Timestamp) -> ();
});

decorate!(NamedRequests {
    "claim_request": claim(request: &NamedRequest) -> Claim;
    "release_request": release(request: &NamedRequest) -> ();
    "prune_requests": prune(before: Timestamp, limit: u32) -> u64;
});

decorate!(RevokedKeys {
    "revoke_key": revoke(key: &KeyId) -> ();
    "revoked_keys": among(keys: &[KeyId]) -> Vec<KeyId>;
});

decorate!(RateLimiter {
    "take": take(takes: &[Take]) -> TakeOutcome;
    "give_back": give_back(takes: &[Take]) -> ();
});

decorate!(Webhooks {
    "add_webhook": add(webhook: &Webhook, from: JournalCursor, tell: &Tell<bool>) -> bool;
    "list_webhooks": list() -> Vec<Webhook>;
    "find_webhook": find(id: WebhookId) -> Option<Webhook>;
    "replace_webhook": replace(webhook: &Webhook, tell: &Tell<bool>) -> bool;
    "remove_webhook": remove(id: WebhookId, tell: &Tell<bool>) -> bool;
    "webhook_cursor": cursor() -> Option<JournalCursor>;
    "fan_out_webhooks": fan_out(from: JournalCursor, to: JournalCursor, orders: &[WebhookOrder]) -> bool;
    "order_webhooks": order(orders: &[WebhookOrder], tell: &Tell<()>) -> ();
    "lease_webhooks": lease(request: &WebhookLease) -> Vec<WebhookDelivery>;
    "settle_webhook": settle(delivery: &WebhookDelivery, settled: &WebhookSettled, at: Timestamp, tell: &Tell<Option<DisabledReason>>) -> Option<DisabledReason>;
    "webhook_backlogs": backlogs() -> Vec<(WebhookId, Backlog)>;
    "prune_webhooks": prune(at: Timestamp, limit: u32) -> u64;
});

decorate!(Deliveries {
    "insert_mails": insert(at: Timestamp, mails: &[NewMail]) -> ();
    "lease_deliveries": lease(request: &LeaseRequest) -> Vec<Delivery>;
    "settle_delivery": settle(delivery: &Delivery, settled: &Settled, tell: &Tell<bool>) -> bool;
    "list_deliveries": list(query: DeliveryQuery) -> Vec<Delivery>;
    "find_delivery": find(id: DeliveryId) -> Option<Delivery>;
    "retry_deliveries": retry(ids: &[DeliveryId], at: Timestamp, expires_at: Timestamp, tell: &Tell<Vec<DeliveryId>>) -> Vec<DeliveryId>;
    "remove_deliveries": remove(ids: &[DeliveryId]) -> Vec<DeliveryId>;
    "backlog": backlog(at: Timestamp) -> Backlog;
    "prune_deliveries": prune(at: Timestamp, limit: u32) -> u64;
});
