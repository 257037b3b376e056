//! The list of faults.

use futures_util::future::LocalBoxFuture;

use super::{
    answer_lost, clock, descriptors, disks, embedded_restored, mail_kill, mail_postgres_failover,
    mail_replicas, no_writes, pool, postgres_kill, power_cut, redis_failover, redis_full,
    redis_kill, redis_restored, redis_wiped, releases, service_kill, sigterm, smtp_down,
    smtp_trouble, unresponsive_stores, webhook_kill, webhook_trouble,
};
use crate::faults::{environment::Environment, rounds::Rounds};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CatalogFault {
    /// The service is killed at random moments, over either kind of stores
    ServiceKill,
    /// Redis is killed, with its file synced always or every second
    RedisKill,
    /// Postgres is killed, all of its processes
    PostgresKill,
    /// The service is killed between a store's step and its answer
    AnswerLost,
    /// Redis loses everything
    RedisWiped,
    /// Redis is restored from an old AOF or RDB
    RedisRestored,
    /// A replica that lags takes the place of Redis
    RedisFailover,
    /// Redis has no memory left and evicts nothing
    RedisFull,
    /// Redis or Postgres is suspended and resumed later
    Paused,
    /// Redis or Postgres answers half a second late
    Slow,
    /// Connections to Redis, to Postgres or to both break in the middle of answers, half close, or fall silent
    Cut,
    /// All connections to Postgres wait for a lock
    Pool,
    /// Postgres answers reads and takes no writes
    NoWrites,
    /// The service may open no more files
    Descriptors,
    /// The embedded store's disk is full
    DiskFull,
    /// The embedded store's disk is read-only
    DiskReadOnly,
    /// The last page of the embedded store is garbage
    DiskLastPage,
    /// The embedded store is restored from an old copy
    EmbeddedRestored,
    /// The clock of a replica jumps by an hour, or is five seconds off
    Clock,
    /// Replicas find an empty database at the same moment
    Migrations,
    /// Replicas of this release run beside one of the previous
    Versions,
    /// SIGTERM under load
    Sigterm,
    /// The power fails while the embedded store writes
    PowerCut,
    /// The mail server is down for an hour
    SmtpDown,
    /// The mail server answers late, not at all, or not for one domain
    SmtpSlow,
    /// The mail server refuses every second recipient, for now or for good
    SmtpRefusing,
    /// The mail server closes connections in the middle of contents, or before it answers them
    SmtpMidData,
    /// The mail server refuses every recipient at first
    SmtpGreylisting,
    /// The service is killed between the commit of mails and their arrival
    MailKill,
    /// Two replicas send the mails of one outbox
    MailReplicas,
    /// Postgres fails over while mails are sent
    MailPostgresFailover,
    /// An endpoint for webhooks is down
    WebhookDown,
    /// An endpoint answers late, or not before the service gives up
    WebhookSlow,
    /// An endpoint answers 500
    WebhookFailing,
    /// One of two replicas is killed while both send to endpoints
    WebhookKill,
}

impl CatalogFault {
    /// Its name in the table and on the command line.
    pub(in crate::faults) fn name(self) -> &'static str {
        match self {
            Self::ServiceKill => "service-kill",
            Self::RedisKill => "redis-kill",
            Self::PostgresKill => "postgres-kill",
            Self::AnswerLost => "answer-lost",
            Self::RedisWiped => "redis-wiped",
            Self::RedisRestored => "redis-restored",
            Self::RedisFailover => "redis-failover",
            Self::RedisFull => "redis-full",
            Self::Paused => "paused",
            Self::Slow => "slow",
            Self::Cut => "cut",
            Self::Pool => "pool",
            Self::NoWrites => "no-writes",
            Self::Descriptors => "descriptors",
            Self::DiskFull => "disk-full",
            Self::DiskReadOnly => "disk-read-only",
            Self::DiskLastPage => "disk-last-page",
            Self::EmbeddedRestored => "embedded-restored",
            Self::Clock => "clock",
            Self::Migrations => "migrations",
            Self::Versions => "versions",
            Self::Sigterm => "sigterm",
            Self::PowerCut => "power-cut",
            Self::SmtpDown => "smtp-down",
            Self::SmtpSlow => "smtp-slow",
            Self::SmtpRefusing => "smtp-refusing",
            Self::SmtpMidData => "smtp-mid-data",
            Self::SmtpGreylisting => "smtp-greylisting",
            Self::MailKill => "mail-kill",
            Self::MailReplicas => "mail-replicas",
            Self::MailPostgresFailover => "mail-postgres-failover",
            Self::WebhookDown => "webhook-down",
            Self::WebhookSlow => "webhook-slow",
            Self::WebhookFailing => "webhook-failing",
            Self::WebhookKill => "webhook-kill",
        }
    }

    /// Runs its rounds.
    pub(in crate::faults) fn run<'a>(
        self,
        env: &'a mut Environment,
        rounds: &'a mut Rounds,
    ) -> LocalBoxFuture<'a, anyhow::Result<()>> {
        match self {
            Self::ServiceKill => Box::pin(service_kill::run(env, rounds)),
            Self::RedisKill => Box::pin(redis_kill::run(env, rounds)),
            Self::PostgresKill => Box::pin(postgres_kill::run(env, rounds)),
            Self::AnswerLost => Box::pin(answer_lost::run(env, rounds)),
            Self::RedisWiped => Box::pin(redis_wiped::run(env, rounds)),
            Self::RedisRestored => Box::pin(redis_restored::run(env, rounds)),
            Self::RedisFailover => Box::pin(redis_failover::run(env, rounds)),
            Self::RedisFull => Box::pin(redis_full::run(env, rounds)),
            Self::Paused => Box::pin(unresponsive_stores::paused(env, rounds)),
            Self::Slow => Box::pin(unresponsive_stores::slow(env, rounds)),
            Self::Cut => Box::pin(unresponsive_stores::cut(env, rounds)),
            Self::Pool => Box::pin(pool::run(env, rounds)),
            Self::NoWrites => Box::pin(no_writes::run(env, rounds)),
            Self::Descriptors => Box::pin(descriptors::run(env, rounds)),
            Self::DiskFull => Box::pin(disks::full(env, rounds)),
            Self::DiskReadOnly => Box::pin(disks::read_only(env, rounds)),
            Self::DiskLastPage => Box::pin(disks::last_page(env, rounds)),
            Self::EmbeddedRestored => Box::pin(embedded_restored::run(env, rounds)),
            Self::Clock => Box::pin(clock::run(env, rounds)),
            Self::Migrations => Box::pin(releases::migrations(env, rounds)),
            Self::Versions => Box::pin(releases::versions(env, rounds)),
            Self::Sigterm => Box::pin(sigterm::run(env, rounds)),
            Self::PowerCut => Box::pin(power_cut::run(env, rounds)),
            Self::SmtpDown => Box::pin(smtp_down::run(env, rounds)),
            Self::SmtpSlow => Box::pin(smtp_trouble::slow(env, rounds)),
            Self::SmtpRefusing => Box::pin(smtp_trouble::refusing(env, rounds)),
            Self::SmtpMidData => Box::pin(smtp_trouble::mid_data(env, rounds)),
            Self::SmtpGreylisting => Box::pin(smtp_trouble::greylisting(env, rounds)),
            Self::MailKill => Box::pin(mail_kill::run(env, rounds)),
            Self::MailReplicas => Box::pin(mail_replicas::run(env, rounds)),
            Self::MailPostgresFailover => Box::pin(mail_postgres_failover::run(env, rounds)),
            Self::WebhookDown => Box::pin(webhook_trouble::down(env, rounds)),
            Self::WebhookSlow => Box::pin(webhook_trouble::slow(env, rounds)),
            Self::WebhookFailing => Box::pin(webhook_trouble::failing(env, rounds)),
            Self::WebhookKill => Box::pin(webhook_kill::run(env, rounds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn a_fault_has_the_same_name_in_the_table_and_on_the_command_line() {
        for fault in CatalogFault::value_variants() {
            assert_eq!(fault.to_possible_value().unwrap().get_name(), fault.name());
        }
    }
}
