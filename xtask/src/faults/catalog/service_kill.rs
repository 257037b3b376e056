//! `kill -9` of the service at random moments.

use anyhow::Result;

use crate::faults::{
    environment::{House, Site, embedded, start_again},
    rounds::Rounds,
};

/// Everything acknowledged is true afterwards, and every client's retry succeeds. Rounds alternate between the embedded store and Redis
/// with Postgres.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut server = Site::open(house, "service-kill", &[]).await?;
    let home = house.folder("service-kill-embedded");
    let mut alone = house
        .start(&embedded(&home.join("data")), "service-kill-embedded")
        .await?;
    let town = house.town("service-kill-embedded")?;
    town.at(&[alone.url()]);
    let (mut citizens, mut villagers) = (server.town.people(), town.people());
    while let Some(mut round) = rounds.next() {
        let (service, town, people) = if round.turn(&[true, false]) {
            (&mut server.service, &server.town, &mut citizens)
        } else {
            (&mut alone, &town, &mut villagers)
        };
        town.endure(people, &mut round, async {
            service.kill().await?;
            start_again(service, town).await?;
            town.at(&[service.url()]);
            town.recover().await
        })
        .await?;
        round.note(|verdict| verdict.check("kills"));
        rounds.judge(round);
    }
    Ok(())
}
