//! The policies that an operator chooses.

use crate::{
    model::{Password, ProofPurpose, Timestamp, User},
    rotation::RetryPolicy,
};
use std::time::Duration;

/// Lifetimes and numbers of sessions and tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Life of an ID token; at most [`SessionPolicy::LONGEST_ID_LIFETIME`], or the revocation feed gets too long.
    pub id_lifetime: Duration,
    /// Life of a reauthentication.
    pub reauthentication_lifetime: Duration,
    /// Life of a refresh token since its issue: the idle limit of a session.
    pub refresh_lifetime: Duration,
    /// Life of a session since its sign-in: the absolute limit.
    pub session_lifetime: Duration,
    /// The most live sessions of one user; at least 1.
    pub max_per_user: usize,
    /// The windows of retries.
    pub retry: RetryPolicy,
}

impl Default for SessionPolicy {
    /// 15 min, 5 min, 3 days, 90 days, 10 sessions.
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Self {
            id_lifetime: Duration::from_mins(15),
            reauthentication_lifetime: Duration::from_mins(5),
            refresh_lifetime: Duration::from_secs(3 * DAY),
            session_lifetime: Duration::from_secs(90 * DAY),
            max_per_user: 10,
            retry: RetryPolicy::default(),
        }
    }
}

/// Whether the owner of a new account has to prove the mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// Nobody is asked to.
    #[default]
    Off,
    /// The account can be used at once.
    Optional,
    /// There is no account before that.
    Required,
}

/// Whether a sign-in needs a factor besides what is proved first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequireFactor {
    /// No sign-in does.
    Never,
    /// Those of accounts that have one set up: an authenticator app or a passkey.
    #[default]
    IfSetUp,
    /// All do, and an account without one can do nothing but set one up.
    Always,
}

/// The rules of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountPolicy {
    /// Whether the service sends mail. Without it nothing can be proved by a mailbox.
    pub mail: bool,
    /// How long a mail that tells of something is tried.
    pub mail_max_age: Duration,
    /// How sign-ups prove their mailbox; without mail they don't.
    pub verification: Verification,
    /// Whether a mailed code signs in; it needs mail.
    pub sign_in_code: bool,
    /// Which sign-ins need a factor.
    pub require_factor: RequireFactor,
    /// How long a reset of factors that an operator orders waits; at most [`Self::LONGEST_RESET_DELAY`].
    pub factor_reset_delay: Duration,
}

impl AccountPolicy {
    /// The longest time that a reset of factors may wait: that in which it can be stopped.
    pub const LONGEST_RESET_DELAY: Duration = ProofPurpose::StopFactorReset.lifetime();

    /// Whether a sign-in to the account needs a factor besides what was proved first.
    pub fn needs_second_step(&self, account: &User) -> bool {
        self.require_factor != RequireFactor::Never && account.factors.any()
    }

    /// Whether sessions of the account can do nothing but set up a factor.
    pub fn needs_set_up(&self, account: &User) -> bool {
        self.require_factor == RequireFactor::Always && !account.factors.any()
    }
}

impl Default for AccountPolicy {
    /// No mail; 24 h, no verification, no sign-in by code; factors where they are set up, whose resets wait for 24 h.
    fn default() -> Self {
        Self {
            mail: false,
            mail_max_age: Duration::from_hours(24),
            verification: Verification::default(),
            sign_in_code: false,
            require_factor: RequireFactor::default(),
            factor_reset_delay: Duration::from_hours(24),
        }
    }
}

/// The rules of new passwords, besides that they must not be easy to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The least number of characters; [`Password::MIN`] to 64.
    pub min_length: usize,
}

impl Default for PasswordPolicy {
    /// 8 characters.
    fn default() -> Self {
        Self {
            min_length: Password::MIN,
        }
    }
}

impl SessionPolicy {
    /// The longest life of an ID token: the revocation feed counts the ends of each minute within it.
    pub const LONGEST_ID_LIFETIME: Duration = Duration::from_hours(24);

    /// How long a device is remembered after its last sign-in. Browsers keep the credential as long.
    pub const DEVICE_LIFETIME: Duration = Duration::from_hours(365 * 24);

    /// When a refresh token issued at `at` expires in a session that ends at `ends_at`.
    pub fn refresh_expiry(&self, at: Timestamp, ends_at: Timestamp) -> Timestamp {
        at.plus(self.refresh_lifetime).min(ends_at)
    }

    /// When an ID token issued at `at` expires in a session that ends at `ends_at`.
    pub fn id_expiry(&self, at: Timestamp, ends_at: Timestamp) -> Timestamp {
        at.plus(self.id_lifetime).min(ends_at)
    }

    /// When a reauthentication issued at `at` expires in a session that ends at `ends_at`.
    pub fn reauthentication_expiry(&self, at: Timestamp, ends_at: Timestamp) -> Timestamp {
        at.plus(self.reauthentication_lifetime).min(ends_at)
    }

    /// The most white-list entries of one user: live sessions, and some of failed sign-ins.
    pub const fn white_list_ceiling(&self) -> usize {
        self.max_per_user.saturating_add(32)
    }

    /// The most devices of one user that are remembered; the limits treat any other device as a stranger's.
    pub const fn max_devices(&self) -> usize {
        self.max_per_user.saturating_mul(10)
    }

    /// The most rows of ended sessions of one user. The oldest are deleted first; only the reason is lost with them.
    pub const fn max_ended(&self) -> usize {
        self.max_per_user.saturating_mul(10)
    }
}
