//! Pages of accounts of the admin API, among few accounts and among many. Requests take turns on one connection to each service, so that
//! what differs is the number of accounts.

mod accounts;
mod pages;
pub(super) mod report;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use self::pages::{FEW, LIMIT, PAGES, Page};
use super::{
    figures::{Figures, Samples},
    mail::start,
    outbox::Store,
    testbed::{Testbed, default_settings},
};
use crate::harness::{
    admin::AdminApi,
    raw_http::{BlockingConnection, encode},
    statistics::{count, percentile},
};

/// Requests for a page in each round, and before them.
const REQUESTS: usize = 200;
const WARM_UP: usize = 20;
/// Redis databases.
const DATABASES: [u8; 2] = [8, 9];

/// The name of a figure: p50 in microseconds.
fn figure(accounts: &str, store: &str, page: &Page) -> String {
    format!("admin_{accounts}_{store}.{}", page.key)
}

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    figures.put("admin.accounts", count(testbed.size.accounts));
    for store in Store::ALL {
        measure_over(testbed, store, figures).await?;
    }
    Ok(())
}

async fn measure_over(testbed: &Testbed<'_>, store: Store, figures: &mut Figures) -> Result<()> {
    let sizes = [("few", FEW), ("many", testbed.size.accounts)];
    let (mut servers, mut admins) = (Vec::new(), Vec::new());
    for ((name, accounts), database) in sizes.into_iter().zip(DATABASES) {
        eprintln!("{accounts} accounts, {}", store.name());
        let settings = default_settings("ES256")
            .with("HTTP__ADMIN_LISTEN", "127.0.0.1:0")
            .with("LIMITS__ADMIN_PER_KEY", "1000000/1s");
        let server = start(testbed, &format!("admin_{name}"), database, store, settings).await?;
        accounts::insert(testbed, &server, store, accounts).await?;
        let admin = AdminApi::of(&server.instance, "users:read").await?;
        admins.push((name, accounts, admin));
        servers.push(server);
    }
    // Now that no account is missing: a connection without a request would not live as long.
    let connect = |(name, accounts, admin)| Service::new(name, accounts, &admin);
    let services: Result<Vec<_>> = admins.into_iter().map(connect).collect();
    let mut services = services?;
    let rounds = testbed.size.rounds;
    let timing = move || -> Result<Samples> {
        let mut samples = Samples::default();
        for round in 1..=rounds {
            eprintln!(
                "pages of accounts, {}, round {round} of {rounds}",
                store.name()
            );
            for (number, page) in PAGES.iter().enumerate() {
                time(&mut services, number, page, store, &mut samples)?;
            }
        }
        Ok(samples)
    };
    figures.settle(tokio::task::spawn_blocking(timing).await??);
    for server in servers {
        server.stop().await?;
    }
    for page in &PAGES {
        let [few, many] = ["few", "many"].map(|accounts| figure(accounts, store.name(), page));
        if let Some(ratio) = figures.ratio(&[&many], &[&few]) {
            eprintln!("  {ratio:.2} ×  {}", page.name);
        }
    }
    Ok(())
}

/// A service with its accounts, and a connection to it.
struct Service {
    name: &'static str,
    connection: BlockingConnection,
    /// Of each page.
    requests: Vec<Vec<u8>>,
}

impl Service {
    fn new(name: &'static str, accounts: usize, admin: &AdminApi) -> Result<Self> {
        let request = |page: &Page| {
            let path = format!("/users?limit={LIMIT}&{}", (page.query)(accounts));
            let request = admin.request("GET", path.trim_end_matches('&'))?;
            Ok(encode(&request))
        };
        Ok(Self {
            name,
            connection: BlockingConnection::open(admin.origin())?,
            requests: PAGES.iter().map(request).collect::<Result<_>>()?,
        })
    }

    /// Asks for a page; answers how long it took.
    fn ask(&mut self, number: usize, page: &Page) -> Result<Duration> {
        let begun = Instant::now();
        let answer = self.connection.send(&self.requests[number])?;
        let took = begun.elapsed();
        let json = answer.json()?;
        let users = json["users"].as_array().map(Vec::len);
        ensure!(
            users == Some(page.users),
            "{}, {}: expected {} accounts, got {users:?} with {}",
            self.name,
            page.name,
            page.users,
            answer.status
        );
        Ok(took)
    }
}

fn time(
    services: &mut [Service],
    number: usize,
    page: &Page,
    store: Store,
    samples: &mut Samples,
) -> Result<()> {
    let mut taken = vec![Vec::with_capacity(REQUESTS); services.len()];
    let mut order: Vec<_> = (0..services.len()).collect();
    for turn in 0..WARM_UP + REQUESTS {
        fastrand::shuffle(&mut order);
        for &which in &order {
            let took = services[which].ask(number, page)?;
            if turn >= WARM_UP {
                taken[which].push(took);
            }
        }
    }
    for (service, mut times) in services.iter().zip(taken) {
        times.sort_unstable();
        let p50 = percentile(&times, 500).as_secs_f64() * 1e6;
        samples.add(figure(service.name, store.name(), page), p50);
    }
    Ok(())
}
