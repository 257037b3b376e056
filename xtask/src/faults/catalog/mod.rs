//! The faults, a file each or a few that are alike. Each says what must hold, causes the fault, and judges.

mod answer_lost;
mod clock;
mod descriptors;
mod disks;
mod embedded_restored;
mod fault;
mod mail_kill;
mod mail_postgres_failover;
mod mail_replicas;
mod no_writes;
mod pool;
mod postgres_kill;
mod power_cut;
mod redis_failover;
mod redis_full;
mod redis_kill;
mod redis_restored;
mod redis_wiped;
mod releases;
mod service_kill;
mod sigterm;
mod smtp_down;
mod smtp_trouble;
mod unresponsive_stores;
mod webhook_kill;
mod webhook_trouble;

pub(super) use self::fault::CatalogFault;
