//! What mail costs: how fast due mails are sent and what memory that takes, what a full outbox costs requests, and what notices do. The mail
//! server is in this process; the service's CPU time counts all that it does meanwhile, sending included.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use revolve_testkit::smtp_sink::{SinkSettings, SmtpSink};
use tokio::time::timeout;

use super::{
    figures::{Figures, Samples},
    hashing::{CLIENTS, default_hashes},
    load::{LoadOrder, LoadRequest},
    outbox::{self, OtherMails, Store},
    testbed::{CONNECTIONS, MeasuredServer, Testbed, default_settings},
};
use crate::harness::{service::Settings, statistics::count, usage};

/// Mails that are sent before it counts.
const WARM_UP: usize = 500;
/// Domains of due mails: enough for every place that the outbox has.
const DUE_DOMAINS: usize = 100;
/// Domains of mails that wait.
const WAITING_DOMAINS: usize = 1_000;
/// In how many days those are due.
const MUCH_LATER: u32 = 30;
/// Without a mail for so long, none will come.
const PATIENCE: Duration = Duration::from_secs(30);
/// No limit on what is sent: a mail is to be paid for in the round that orders it.
const RATE: &str = "1000000";
/// Redis databases.
const DRAINED: u8 = 1;
const EMPTY: u8 = 2;
const FULL: u8 = 3;
const PLAIN: u8 = 4;
const NOTICES: u8 = 5;

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let sink = SmtpSink::start(SinkSettings::default()).await?;
    for store in Store::ALL {
        drain(testbed, &sink, store, figures).await?;
    }
    for store in Store::ALL {
        full_outbox(testbed, &sink, store, figures).await?;
    }
    notices(testbed, &sink, figures).await
}

pub(super) fn with_mail(settings: Settings, sink: &SmtpSink) -> Settings {
    settings
        .with("MAIL__URL", &sink.url())
        .with("MAIL__FROM", "accounts@example.org")
        .with("MAIL__RATE", RATE)
}

/// Starts a service over a store of its own.
pub(super) async fn start(
    testbed: &Testbed<'_>,
    name: &str,
    database: u8,
    store: Store,
    settings: Settings,
) -> Result<MeasuredServer> {
    let name = format!("{name}_{}", store.name());
    match store {
        Store::Postgres => testbed.start_server(&name, database, settings).await,
        Store::Sqlite => testbed.start_embedded(&name, settings).await,
    }
}

/// Has due mails sent.
async fn drain(
    testbed: &Testbed<'_>,
    sink: &SmtpSink,
    store: Store,
    figures: &mut Figures,
) -> Result<()> {
    let due = testbed.size.due_mails;
    eprintln!("{due} due mails, {}", store.name());
    let settings = with_mail(default_settings("ES256"), sink);
    let server = start(testbed, "drain", DRAINED, store, settings).await?;
    let mails = |first, count| OtherMails {
        first,
        count,
        domains: DUE_DOMAINS,
        due_in: 0,
    };
    outbox::insert(testbed, &server, store, mails(0, WARM_UP)).await?;
    arrive(sink, WARM_UP).await?;
    let (before, cpu) = (server.memory("VmRSS")?, usage::cpu(server.pid()?)?);
    // With the time that it takes to write them.
    let begun = Instant::now();
    outbox::insert(testbed, &server, store, mails(WARM_UP, due)).await?;
    arrive(sink, due).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = usage::cpu(server.pid()?)? - cpu;
    for (name, value) in [
        ("per_second", count(due) / seconds),
        ("service", cpu * 1e6 / count(due)),
        ("rss.before", before),
        ("rss.peak", server.memory("VmHWM")?),
    ] {
        figures.put(format!("{}.{name}", server.name), value);
    }
    server.stop().await
}

async fn arrive(sink: &SmtpSink, count: usize) -> Result<()> {
    let mut left = count;
    while left > 0 {
        timeout(PATIENCE, sink.arrived())
            .await
            .with_context(|| format!("{left} of {count} mails do not arrive"))?;
        left = left.saturating_sub(sink.take().len());
    }
    Ok(())
}

/// Refreshes and sign-ins with an outbox that is empty but for their own notices, and with one that is full of mails for much later.
async fn full_outbox(
    testbed: &Testbed<'_>,
    sink: &SmtpSink,
    store: Store,
    figures: &mut Figures,
) -> Result<()> {
    let waiting = testbed.size.waiting_mails;
    eprintln!("{waiting} mails that wait, {}", store.name());
    figures.put("mail.waiting", count(waiting));
    let settings = || with_mail(default_settings("ES256"), sink);
    let mut servers = [
        start(testbed, "outbox_empty", EMPTY, store, settings()).await?,
        start(testbed, "outbox_full", FULL, store, settings()).await?,
    ];
    let mails = OtherMails {
        first: 0,
        count: waiting,
        domains: WAITING_DOMAINS,
        due_in: MUCH_LATER,
    };
    outbox::insert(testbed, &servers[1], store, mails).await?;
    for server in &mut servers {
        let users = testbed.size.sessions[0];
        for order in [
            LoadOrder::count(LoadRequest::SignUp, CLIENTS, users),
            // The first notice of each account is sent, so that the others wait.
            LoadOrder::count(LoadRequest::SignIn, CONNECTIONS, users),
            LoadOrder::count(LoadRequest::Refresh, CONNECTIONS, users),
        ] {
            server.run(order).await?;
        }
    }
    let requests = [
        (LoadRequest::Refresh, "refresh"),
        (LoadRequest::SignIn, "sign_in"),
    ];
    let seconds = testbed.size.seconds;
    let closed = move |request| LoadOrder::closed(request, CONNECTIONS, seconds);
    alternate(testbed, &mut servers, &requests, closed, figures).await?;
    sink.take();
    for server in servers {
        server.stop().await?;
    }
    Ok(())
}

/// Sign-ins and sign-ups with default hashes, without mail, and with notices of new devices and mails that verify addresses.
async fn notices(testbed: &Testbed<'_>, sink: &SmtpSink, figures: &mut Figures) -> Result<()> {
    let noticed = with_mail(default_hashes(), sink).with("ACCOUNTS__VERIFICATION", "optional");
    let mut servers = [
        testbed
            .start_server("mail_off", PLAIN, default_hashes())
            .await?,
        testbed.start_server("mail_on", NOTICES, noticed).await?,
    ];
    for server in &mut servers {
        server
            .run(LoadOrder::count(LoadRequest::SignUp, CLIENTS, CLIENTS))
            .await?;
    }
    let requests = [
        (LoadRequest::SignIn, "sign_in"),
        (LoadRequest::SignUp, "sign_up"),
    ];
    let seconds = testbed.size.hashing;
    let closed = move |request| LoadOrder::closed(request, CLIENTS, seconds);
    alternate(testbed, &mut servers, &requests, closed, figures).await?;
    sink.take();
    for server in servers {
        server.stop().await?;
    }
    Ok(())
}

/// Rounds of the same requests to both servers, each first in every other round.
async fn alternate(
    testbed: &Testbed<'_>,
    servers: &mut [MeasuredServer; 2],
    requests: &[(LoadRequest, &str)],
    order: impl Fn(LoadRequest) -> LoadOrder,
    figures: &mut Figures,
) -> Result<()> {
    let mut samples = Samples::default();
    for round in 1..=testbed.size.rounds {
        eprintln!(
            "{} and {}, round {round} of {}",
            servers[0].name, servers[1].name, testbed.size.rounds
        );
        servers.reverse();
        for (request, what) in requests {
            for server in servers.iter_mut() {
                let cost = testbed.cost(server, order(*request)).await?;
                for (part, value) in cost.parts() {
                    samples.add(format!("{}.{what}.{part}", server.name), value);
                }
            }
        }
    }
    figures.settle(samples);
    Ok(())
}
