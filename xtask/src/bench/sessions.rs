//! What a refresh costs with more and more live sessions. Services over a few and over many take turns, so that the machine's moods meet
//! all of them. The people who refresh are as many everywhere; the others' sessions lie between theirs.

use anyhow::Result;

use super::{
    figures::{Figures, Samples, Size},
    load::{Order, Request},
    seed,
    testbed::{CONNECTIONS, Site, usual},
};

/// The first database of Redis that is used.
const DATABASE: u8 = 7;

pub(super) async fn measure(site: &Site<'_>, figures: &mut Figures) -> Result<()> {
    let people = site.plan.sessions[0];
    let mut sides = Vec::new();
    for (&sessions, database) in site.plan.sessions.iter().zip(DATABASE..) {
        eprintln!("{sessions} live sessions");
        let name = format!("sessions_{sessions}");
        let mut side = site.server(&name, database, usual("ES256")).await?;
        // Half before and half after the others, so that they are not all in one place.
        side.ask(Order::count(Request::SignUp, 8, people / 2))
            .await?;
        seed::redis(&site.redis(database), sessions - people).await?;
        seed::postgres(site.postgres(), &name, sessions - people).await?;
        side.ask(Order::count(Request::SignUp, 8, people - people / 2))
            .await?;
        side.ask(Order::closed(Request::Refresh, CONNECTIONS, 0.5))
            .await?;
        sides.push((sessions, side));
    }
    let mut samples = Samples::default();
    for round in 1..=site.plan.rounds {
        eprintln!("sessions, round {round} of {}", site.plan.rounds);
        for (_, side) in &mut sides {
            let cost = site
                .cost(
                    side,
                    Order::closed(Request::Refresh, CONNECTIONS, site.plan.seconds),
                )
                .await?;
            for (part, value) in [
                ("service", cost.service),
                ("redis", cost.redis),
                ("postgres", cost.postgres),
            ] {
                samples.add(format!("{}.{part}", side.name), value);
            }
        }
    }
    figures.settle(samples);
    for (sessions, side) in sides {
        let get = |part: &str| {
            figures
                .get(&format!("{}.{part}", side.name))
                .unwrap_or(f64::NAN)
        };
        figures.sizes.push(Size {
            sessions,
            service: get("service"),
            redis: get("redis"),
            postgres: get("postgres"),
        });
        side.stop().await?;
    }
    Ok(())
}
