//! The cost of a refresh against the number of live sessions. Services with few and many take turns, so that other load of the machine
//! affects all of them. The number of users who refresh is the same everywhere; other users' sessions lie between theirs.

use anyhow::Result;

use super::{
    figures::{Figures, Samples, SessionCost},
    load::{LoadOrder, LoadRequest},
    seed,
    testbed::{CONNECTIONS, Testbed, default_settings},
};

/// The first Redis database that is used.
const DATABASE: u8 = 7;

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let users = testbed.size.sessions[0];
    let mut servers = Vec::new();
    for (&sessions, database) in testbed.size.sessions.iter().zip(DATABASE..) {
        eprintln!("{sessions} live sessions");
        let name = format!("sessions_{sessions}");
        let mut server = testbed
            .start_server(&name, database, default_settings("ES256"))
            .await?;
        // Half before and half after the others, so that they are spread over the tables.
        server
            .run(LoadOrder::count(LoadRequest::SignUp, 8, users / 2))
            .await?;
        seed::redis(&testbed.redis(database), sessions - users).await?;
        seed::postgres(testbed.postgres(), &name, sessions - users).await?;
        server
            .run(LoadOrder::count(LoadRequest::SignUp, 8, users - users / 2))
            .await?;
        server
            .run(LoadOrder::closed(LoadRequest::Refresh, CONNECTIONS, 0.5))
            .await?;
        servers.push((sessions, server));
    }
    let mut samples = Samples::default();
    for round in 1..=testbed.size.rounds {
        eprintln!("sessions, round {round} of {}", testbed.size.rounds);
        for (_, server) in &mut servers {
            let cost = testbed
                .cost(
                    server,
                    LoadOrder::closed(LoadRequest::Refresh, CONNECTIONS, testbed.size.seconds),
                )
                .await?;
            for (part, value) in cost.parts() {
                samples.add(format!("{}.{part}", server.name), value);
            }
        }
    }
    figures.settle(samples);
    for (sessions, server) in servers {
        let get = |part: &str| {
            figures
                .get(&format!("{}.{part}", server.name))
                .unwrap_or(f64::NAN)
        };
        figures.sizes.push(SessionCost {
            sessions,
            service: get("service"),
            redis: get("redis"),
            postgres: get("postgres"),
        });
        server.stop().await?;
    }
    Ok(())
}
