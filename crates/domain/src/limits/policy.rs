//! The rates that an operator chooses.

use super::{Bucket, Limit, LimitName, Rate};
use std::sync::{PoisonError, RwLock};

/// A rate for each limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitPolicy {
    /// Wrong passwords for one account by strangers.
    pub password_per_account: Limit,
    /// Wrong passwords by strangers from one address.
    pub password_per_address: Limit,
    /// Wrong passwords on one device, or in one session, of the account's own.
    pub password_per_device: Limit,
    /// Sign-ups with one e-mail address, whatever comes of them.
    pub sign_up_per_account: Limit,
    /// Sign-ups from one address, whatever comes of them.
    pub sign_up_per_address: Limit,
    /// Refreshes of one session.
    pub refresh_per_session: Limit,
    /// Refreshes from one address.
    pub refresh_per_address: Limit,
    /// So many leading bits of an IPv6 address stand for a customer; at most 128.
    pub ipv6_prefix: u8,
}

impl Default for LimitPolicy {
    /// Strangers: 10 wrong passwords in 15 min for an account, 60 in 10 min from an address; an own device: 10 in 15 min.
    /// Sign-ups: 10 an hour with an e-mail address, 60 an hour from an address. Refreshes: 120 a minute of a session, 1200 a
    /// minute from an address. A /64 is a customer.
    fn default() -> Self {
        let at = |burst, seconds| Limit::At(Rate::of(burst, seconds));
        Self {
            password_per_account: at(10, 900),
            password_per_address: at(60, 600),
            password_per_device: at(10, 900),
            sign_up_per_account: at(10, 3600),
            sign_up_per_address: at(60, 3600),
            refresh_per_session: at(120, 60),
            refresh_per_address: at(1200, 60),
            ipv6_prefix: 64,
        }
    }
}

impl LimitPolicy {
    /// No limit at all.
    pub const OFF: Self = Self {
        password_per_account: Limit::Off,
        password_per_address: Limit::Off,
        password_per_device: Limit::Off,
        sign_up_per_account: Limit::Off,
        sign_up_per_address: Limit::Off,
        refresh_per_session: Limit::Off,
        refresh_per_address: Limit::Off,
        ipv6_prefix: 64,
    };

    /// What this limit is set to.
    pub const fn limit(&self, name: LimitName) -> Limit {
        match name {
            LimitName::PasswordPerAccount => self.password_per_account,
            LimitName::PasswordPerAddress => self.password_per_address,
            LimitName::PasswordPerDevice => self.password_per_device,
            LimitName::SignUpPerAccount => self.sign_up_per_account,
            LimitName::SignUpPerAddress => self.sign_up_per_address,
            LimitName::RefreshPerSession => self.refresh_per_session,
            LimitName::RefreshPerAddress => self.refresh_per_address,
        }
    }

    /// The rate that this bucket is held to, if there is one.
    pub const fn rate(&self, bucket: &Bucket) -> Option<Rate> {
        self.limit(bucket.limit()).rate()
    }
}

/// The rates in force, which can be replaced while the service runs. Buckets keep what was taken from them; what is missing in
/// one that has become smaller is at most all of it.
#[derive(Debug, Default)]
pub struct LiveLimits(RwLock<LimitPolicy>);

impl LiveLimits {
    /// These rates, until they are replaced.
    pub const fn new(policy: LimitPolicy) -> Self {
        Self(RwLock::new(policy))
    }

    /// The rates in force.
    pub fn get(&self) -> LimitPolicy {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds everybody to these rates from the next request on.
    pub fn set(&self, policy: LimitPolicy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_default_and_can_be_replaced() {
        let live = LiveLimits::default();
        assert!(
            LimitName::ALL
                .iter()
                .all(|&name| live.get().limit(name) != Limit::Off)
        );
        live.set(LimitPolicy::OFF);
        assert!(
            LimitName::ALL
                .iter()
                .all(|&name| live.get().limit(name) == Limit::Off)
        );
    }
}
