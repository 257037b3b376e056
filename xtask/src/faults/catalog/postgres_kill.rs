//! `kill -9` of Postgres, all of its processes, at random moments.

use anyhow::Result;

use crate::faults::{
    environment::{House, Site},
    rounds::Rounds,
};

/// Everything acknowledged is true afterwards; without Postgres there is 503 and nothing else.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let site = Site::open(house, "postgres-kill", &[]).await?;
    let mut people = site.town.people();
    while let Some(mut round) = rounds.next() {
        let (town, postgres) = (&site.town, &mut house.postgres);
        town.endure(&mut people, &mut round, async {
            postgres.kill().await?;
            postgres.restart().await?;
            town.recover().await
        })
        .await?;
        round.note(|verdict| verdict.check("kills"));
        rounds.judge(round);
    }
    Ok(())
}
