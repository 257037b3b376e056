//! The table of all limits, and what is derived from it: [`LimitName`], [`LimitPolicy`] and [`Bucket`].

use super::{AddressRange, Limit, Rate, bucket::BucketKey};
use crate::model::{ApiKeyId, DeviceId, EmailAddress, SessionId, UserId};

/// Calls a macro with every limit, grouped by what is limited: field of [`LimitPolicy`](crate::limits::LimitPolicy) and key
/// of the configuration, [`LimitName`](crate::limits::LimitName), default rate (number in seconds), and the kinds of
/// [`Bucket`](crate::limits::Bucket) that are counted. The text of a limit is also that of its configuration key.
#[macro_export]
macro_rules! limits_table {
    ($callback:ident) => {
        $callback! {
            /// The limits of password checks.
            PASSWORD {
                /// Wrong passwords typed for one account by strangers, all of them together and wherever they are; "10/15m". Slows an
                /// attack on one account from many addresses. Devices that the user has signed in on within a year are no strangers.
                password_per_account: PasswordPerAccount = 10 in 900 {
                    /// Strangers' wrong passwords for an e-mail address, whether or not it has an account.
                    PasswordAccount(email: EmailAddress) "password-account",
                }
                /// Wrong passwords typed by strangers from one address, for whichever account; "60/10m". Slows an attack on many accounts
                /// from one address; must bear the mistakes of an office behind one address.
                password_per_address: PasswordPerAddress = 60 in 600 {
                    /// Strangers' wrong passwords from an address.
                    PasswordAddress(range: AddressRange) "password-address",
                }
                /// Wrong passwords typed on one device that the user has signed in on, or as the current password in one session;
                /// "10/15m". It is the owner's own: nobody else can use it up. When it is, strangers' limits apply.
                password_per_device: PasswordPerDevice = 10 in 900 {
                    /// Wrong passwords on a device that the user has signed in on.
                    PasswordDevice(user: UserId, device: DeviceId) "password-device",
                    /// Wrong current passwords in a session.
                    PasswordSession(user: UserId, session: SessionId) "password-session",
                }
            }
            /// The limits of sign-ups.
            SIGN_UP {
                /// Sign-ups with one e-mail address, successful ones and those of a taken address; "10/1h".
                sign_up_per_account: SignUpPerAccount = 10 in 3600 {
                    /// Sign-ups with an e-mail address.
                    SignUpAccount(email: EmailAddress) "sign-up-account",
                }
                /// Sign-ups from one address, the same; "60/1h". Slows those who ask which e-mail addresses have an account.
                sign_up_per_address: SignUpPerAddress = 60 in 3600 {
                    /// Sign-ups from an address.
                    SignUpAddress(range: AddressRange) "sign-up-address",
                }
            }
            /// The limits of mails that prove a mailbox.
            PROOFS {
                /// Mails that prove a mailbox, for one account or e-mail address, all requests together; "5/1h". Bounds how often a code can be
                /// guessed: five times for each mail. Recovery has a share of its own, as large, that the others can't use up; so have the devices
                /// that the user is signed in on, all of them together, for recoveries and for sign-ins.
                proofs_per_account: ProofsPerAccount = 5 in 3600 {
                    /// Mails to an e-mail address, but for recoveries.
                    ProofAccount(email: EmailAddress) "proof-account",
                    /// Sign-ins by code on the devices that the user has signed in on since its sessions were last ended.
                    SignInDevices(user: UserId) "sign-in-devices",
                    /// Recoveries of an account, by strangers.
                    RecoveryAccount(email: EmailAddress) "recovery-account",
                    /// Recoveries of an account on the devices that the user has signed in on since its sessions were last ended.
                    RecoveryDevices(user: UserId) "recovery-devices",
                }
                /// Mails that prove a mailbox, asked for from one address; "30/1h". Recovery has a share of its own, as large.
                proofs_per_address: ProofsPerAddress = 30 in 3600 {
                    /// Mails asked for from an address, but for recoveries.
                    ProofAddress(range: AddressRange) "proof-address",
                    /// Recoveries asked for from an address.
                    RecoveryAddress(range: AddressRange) "recovery-address",
                }
            }
            /// The limits of codes and links that prove a mailbox.
            CONFIRMATIONS {
                /// Wrong codes, and proofs that are spent, expired or unknown, from one address; "60/10m". The client that asked for a mail is
                /// not counted: the proof itself bounds what it can try.
                confirmations_per_address: ConfirmationsPerAddress = 60 in 600 {
                    /// Confirmations from an address that came to nothing.
                    ConfirmationAddress(range: AddressRange) "confirmation-address",
                }
            }
            /// The limits of factors.
            FACTORS {
                /// Wrong codes of authenticator apps for one account, typed by strangers who have proved what comes first, all of them together;
                /// "10/1d". A guesser who has the password gets no further than this. Devices that the user is signed in on are no strangers.
                /// Recovery codes are too long to be guessed, and not counted.
                factors_per_account: FactorsPerAccount = 10 in 86400 {
                    /// Strangers' wrong codes for an account.
                    FactorAccount(user: UserId) "factor-account",
                }
                /// Wrong codes of authenticator apps typed on one device that the user is signed in on, or in one session; "10/1h". It is the owner's own: nobody
                /// else can use it up. When it is, strangers' limits apply.
                factors_per_device: FactorsPerDevice = 10 in 3600 {
                    /// Wrong codes on a device of the user.
                    FactorDevice(user: UserId, device: DeviceId) "factor-device",
                    /// Wrong codes in a session.
                    FactorSession(user: UserId, session: SessionId) "factor-session",
                }
            }
            /// The limits of ceremonies of passkeys.
            CHALLENGES {
                /// Sign-ins and sign-ups with a passkey that are begun from one address; "600/10m". A page that offers passkeys begins one each time it
                /// is shown.
                challenges_per_address: ChallengesPerAddress = 600 in 600 {
                    /// Ceremonies begun from an address.
                    ChallengeAddress(range: AddressRange) "challenge-address",
                }
            }
            /// The limits of exports.
            EXPORTS {
                /// Exports of one account by its user; "10/1h". Each reads all that is stored about the account.
                exports_per_account: ExportsPerAccount = 10 in 3600 {
                    /// Exports of an account.
                    Export(user: UserId) "export",
                }
            }
            /// The limits of refreshes.
            REFRESH {
                /// Refreshes of one session, counted in each replica by itself; "120/1m". A refused refresh does not use up the token.
                refresh_per_session: RefreshPerSession = 120 in 60 {
                    /// Refreshes of a session that show the credential of one device, or none: a thief of a token alone does not
                    /// use up the budget of the session's device.
                    RefreshSession(session: SessionId, device: Option<DeviceId>) "refresh-session",
                }
                /// Refreshes from one address with tokens that are none of ours, counted in each replica by itself; "1200/1m".
                refresh_per_address: RefreshPerAddress = 1200 in 60 {
                    /// Refreshes from an address.
                    RefreshAddress(range: AddressRange) "refresh-address",
                }
            }
            /// The limits of operators' keys.
            ADMIN {
                /// Requests to the admin API and of introspection with one key, counted in each replica by itself; "1200/1m".
                admin_per_key: AdminPerKey = 1200 in 60 {
                    /// Requests with a key.
                    AdminKey(key: ApiKeyId) "admin-key",
                }
                /// Requests to the admin API and of introspection from one address with keys that are none, or are over, counted in each replica by itself; "60/1m".
                admin_per_address: AdminPerAddress = 60 in 60 {
                    /// Requests from an address without a good key.
                    AdminAddress(range: AddressRange) "admin-address",
                }
            }
        }
    };
}

macro_rules! declare {
    ($(
        $(#[$group_doc:meta])*
        $group:ident {$(
            $(#[$doc:meta])*
            $field:ident: $name:ident = $burst:literal in $seconds:literal {$(
                $(#[$bucket_doc:meta])*
                $bucket:ident($($key:ident: $type:ty),+) $kind:literal,
            )+}
        )+}
    )+) => {
        /// Which limit. The name is that of events, metrics, headers and the configuration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum LimitName {
            $($($(#[$doc])* $name,)+)+
        }

        impl LimitName {
            /// Every limit.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            $(
                $(#[$group_doc])*
                pub const $group: &[Self] = &[$(Self::$name,)+];
            )+

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$name => stringify!($field),)+)+
                }
            }
        }

        /// The rates that an operator chooses, one for each limit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct LimitPolicy {
            $($($(#[$doc])* pub $field: Limit,)+)+
            /// The number of leading bits of an IPv6 address that stand for one customer of a network; at most 128.
            pub ipv6_prefix: u8,
        }

        impl Default for LimitPolicy {
            /// The rates of [`limits_table!`](crate::limits_table), and a /64 for each customer.
            fn default() -> Self {
                Self {
                    $($($field: Limit::At(Rate::of($burst, $seconds)),)+)+
                    ipv6_prefix: 64,
                }
            }
        }

        impl LimitPolicy {
            /// No limit at all.
            pub const OFF: Self = Self {
                $($($field: Limit::Off,)+)+
                ipv6_prefix: 64,
            };

            /// The value of this limit.
            pub const fn limit(&self, name: LimitName) -> Limit {
                match name {
                    $($(LimitName::$name => self.$field,)+)+
                }
            }

            /// The rate of this bucket; `None` without a limit.
            pub const fn rate(&self, bucket: &Bucket) -> Option<Rate> {
                self.limit(bucket.limit()).rate()
            }
        }

        /// What is counted. It names people: only a keyed digest of it leaves the process.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Bucket {
            $($($($(#[$bucket_doc])* $bucket($($type),+),)+)+)+
        }

        impl Bucket {
            /// The limit of this bucket.
            pub const fn limit(&self) -> LimitName {
                match self {
                    $($($(Self::$bucket(..) => LimitName::$name,)+)+)+
                }
            }

            /// The kind; no two kinds have the same name.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $($($(Self::$bucket(..) => $kind,)+)+)+
                }
            }

            /// The key within the kind, as bytes: different for any two buckets of one kind. Adapters make a keyed digest of it; it
            /// names people and must not be stored.
            pub fn key(&self) -> Vec<u8> {
                match self {
                    $($($(Self::$bucket($($key),+) => [$($key.key_bytes()),+].concat(),)+)+)+
                }
            }
        }
    };
}

limits_table!(declare);
