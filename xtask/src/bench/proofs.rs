//! What it costs to confirm a proof: addresses are verified by the codes of the mails that sign-ups order. The mail server of this process hands the
//! codes to the load; all mails have come before confirmations are measured.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use revolve_testkit::smtp_sink::{SinkSettings, SmtpSink};
use tokio::time::timeout;

use super::{
    figures::{Figures, Samples},
    load::{LoadOrder, LoadRequest},
    mail,
    outbox::Store,
    testbed::{CONNECTIONS, Testbed, default_settings},
};

/// The Redis database.
const DATABASE: u8 = 6;
/// Clients that sign up.
const CLIENTS: usize = 8;
/// Without a mail for so long, none will come.
const PATIENCE: Duration = Duration::from_secs(30);
/// For the outbox to note that the last mails are sent.
const REST: Duration = Duration::from_millis(500);

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let sink = SmtpSink::start(SinkSettings::default()).await?;
    let mut servers = Vec::new();
    for store in Store::ALL {
        let settings = mail::with_mail(default_settings("ES256"), &sink)
            .with("ACCOUNTS__VERIFICATION", "optional");
        servers.push(mail::start(testbed, "proofs", DATABASE, store, settings).await?);
    }
    let people = testbed.size.proofs;
    let mut samples = Samples::default();
    for round in 1..=testbed.size.rounds {
        eprintln!("proofs, round {round} of {}", testbed.size.rounds);
        for server in &mut servers {
            let sign_ups = LoadOrder::count(LoadRequest::SignUp, CLIENTS, people);
            server.run(sign_ups).await?;
            let codes = codes(&sink, people).await?;
            tokio::time::sleep(REST).await;
            let confirm = LoadOrder::confirm(CONNECTIONS, codes);
            let cost = testbed.cost(server, confirm).await?;
            let name = format!("{}.{}", server.name, LoadRequest::Confirm.name());
            for (part, value) in cost.parts().into_iter().chain(cost.report.figures()) {
                samples.add(format!("{name}.{part}"), value);
            }
        }
    }
    figures.settle(samples);
    for server in servers {
        server.stop().await?;
    }
    Ok(())
}

/// The codes of so many mails by address, once they have come.
async fn codes(sink: &SmtpSink, count: usize) -> Result<BTreeMap<String, String>> {
    let mut codes = BTreeMap::new();
    while codes.len() < count {
        timeout(PATIENCE, sink.arrived())
            .await
            .with_context(|| format!("only {} of {count} codes arrive", codes.len()))?;
        for mail in sink.take() {
            let code = mail.code().context("a mail has no code")?;
            codes.extend(mail.to.into_iter().map(|address| (address, code.clone())));
        }
    }
    Ok(codes)
}
