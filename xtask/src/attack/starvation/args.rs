//! What both runs of the attack share.

use std::time::Duration;

use crate::attack::target::TargetArgs;

/// For the queue to fill before it counts.
pub(super) const RAMP: Duration = Duration::from_secs(2);

/// Arguments of `attack starvation`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each flood lasts, and the quiet time for comparison
    #[arg(long, default_value_t = 15)]
    pub(super) seconds: u64,
    /// Sign-ins at once
    #[arg(long, default_value_t = 300)]
    pub(super) clients: usize,
    /// Devices of the account that floods
    #[arg(long, default_value_t = 40)]
    pub(super) devices: usize,
    /// A refused client tries again after this, whatever Retry-After says
    #[arg(long, value_parser = humantime::parse_duration, default_value = "1s")]
    pub(super) pause: Duration,
    /// A client that hangs up while it waits does so after this
    #[arg(long, value_parser = humantime::parse_duration, default_value = "500ms")]
    pub(super) hangs_up_after: Duration,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// An address of a network of its own.
pub(super) fn own_network(number: u64) -> String {
    let [.., a, b, c] = number.to_be_bytes();
    format!("2001:db8:{a:x}:{:x}::1", u16::from_be_bytes([b, c]))
}
