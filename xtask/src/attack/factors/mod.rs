//! `attack factors`: a guesser of codes who has the password, one code on two replicas, `kill -9` in the middle, and times. All limits are on but for
//! the times; everybody has a network of their own.

mod app;
mod guesses;
mod kills;
mod person;
mod races;
mod timing;

use std::sync::Arc;

use anyhow::Result;

use self::{guesses::GuessCounts, kills::KillCounts, person::Replica, races::RaceCounts};
use super::{
    findings::Findings,
    goals::AttackGoals,
    imported::HashCost,
    target::{ServiceUnderAttack, TargetArgs},
};
use crate::harness::{http::HttpClient, interrupt::Interrupt, service::Binary};

/// Arguments of `attack factors`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Codes that are tried against one account, over each kind of store
    #[arg(long, default_value_t = 10_000)]
    guesses: usize,
    /// Codes of apps, and recovery codes, that two replicas get at once
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// How often the service is killed
    #[arg(long, default_value_t = 20)]
    kills: usize,
    /// Refused sign-ins of each class whose times are compared
    #[arg(long, default_value_t = 2000)]
    samples: usize,
    #[command(flatten)]
    target: TargetArgs,
}

/// What was seen over one kind of store.
struct FactorFigures {
    guesses: GuessCounts,
    races: RaceCounts,
    kills: KillCounts,
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<AttackGoals> {
    let binary = Arc::new(args.target.binary(interrupt).await?);
    let mut goals = AttackGoals::default();
    for target in args.target.each_store() {
        let figures = measure(args, &target, Arc::clone(&binary), interrupt);
        let (store, figures) = figures.await?;
        judge(&mut goals, store, args, &figures);
        let settings = HashCost::LEAST.settings();
        let service =
            ServiceUnderAttack::start_built(Arc::clone(&binary), &target, &settings, interrupt)
                .await?;
        eprintln!("{store}: {} samples", args.samples);
        let (url, kind) = (service.url().to_owned(), kind(store));
        let timed = timing::attack(&mut goals, &url, kind, args.samples);
        let timed = interrupt.guard(timed).await;
        service.stop().await?;
        timed?;
    }
    Ok(goals)
}

/// The kind of store in a word.
fn kind(store: &str) -> &str {
    store.split(' ').next().unwrap_or_default()
}

async fn measure(
    args: &Args,
    target: &TargetArgs,
    binary: Arc<Binary>,
    interrupt: &Interrupt,
) -> Result<(&'static str, FactorFigures)> {
    let mut settings = vec![
        // Whose network a request comes from is what the forwarded header says.
        ("HTTP__TRUSTED_PROXIES", "127.0.0.1".to_owned()),
        ("LIMITS__ENABLED", "true".to_owned()),
        ("LOG__LEVEL", "warn,revolve::security=error".to_owned()),
        ("TOKENS__ALGORITHM", "ES256".to_owned()),
    ];
    settings.extend(HashCost::LEAST.settings());
    let mut service = ServiceUnderAttack::start_built(binary, target, &settings, interrupt).await?;
    let attacked = interrupt.guard(attack(args, &mut service)).await;
    let store = service.name;
    service.stop().await?;
    Ok((store, attacked?))
}

async fn attack(args: &Args, service: &mut ServiceUnderAttack) -> Result<FactorFigures> {
    let mut second = service.start_replica(&[]).await?;
    let http = HttpClient::new()?;
    let replicas = [service.url(), second.url()].map(|url| Replica {
        http: http.clone(),
        url: url.to_owned(),
    });
    eprintln!("{}: {} guesses", service.name, args.guesses);
    let guessed = if service.shares_limits() {
        &replicas[..]
    } else {
        &replicas[..1]
    };
    let guesses = guesses::attack(guessed, args.guesses).await?;
    eprintln!("{}: {} rounds", service.name, args.rounds);
    let races = races::play(&replicas, args.rounds).await?;
    eprintln!("{}: {} kills", service.name, args.kills);
    let kills = kills::play(service, args.kills).await?;
    second.stop().await?;
    Ok(FactorFigures {
        guesses,
        races,
        kills,
    })
}

fn judge(goals: &mut AttackGoals, store: &str, args: &Args, figures: &FactorFigures) {
    let FactorFigures {
        guesses,
        races,
        kills,
    } = figures;
    goals.note(format!("factors, {store}"));
    goals.note(format!(
        "  guesses      {} codes in {:.0} s: {} compared, {} limited, {} of challenges that were over; {} sign-ins of the owner",
        guesses.tries,
        guesses.lasted.as_secs_f64(),
        guesses.compared,
        guesses.limited,
        guesses.gone,
        guesses.owner_sign_ins
    ));
    goals.note(format!(
        "  kills        {}: {} requests answered before, {} done without an answer, {} not done",
        kills.kills, kills.answered, kills.done, kills.undone
    ));
    let found: [(&str, &Findings); 4] = [
        ("guess", &guesses.others),
        ("shut out", &guesses.shut_out),
        ("race", &races.broken),
        ("kill", &kills.broken),
    ];
    for (what, findings) in found {
        if let Some(first) = &findings.first {
            goals.note(format!("  {what:<12} first: {first}"));
        }
    }
    let kind = kind(store);
    let mut least = |what: &str, least: usize, figure: u64| {
        let met = usize::try_from(figure).is_ok_and(|figure| figure >= least);
        goals.add(
            format!("{kind}: {what}"),
            format!("at least {least}"),
            figure.to_string(),
            met,
        );
    };
    least("codes tried", args.guesses, guesses.tries);
    // If none is compared, nothing is shown.
    least("codes compared", args.guesses.min(10), guesses.compared);
    least("codes that two replicas got", 2 * args.rounds, races.races);
    least("kills", args.kills, kills.kills);
    let mut most = |what: &str, most: u64, figure: u64| {
        goals.add(
            format!("{kind}: {what}"),
            most.to_string(),
            figure.to_string(),
            figure <= most,
        );
    };
    most("codes compared", guesses.most(), guesses.compared);
    most("codes guessed", 0, guesses.hits);
    let foreign = u64::try_from(guesses.foreign_sessions).unwrap_or(u64::MAX);
    most("sessions of the guesser", 0, foreign);
    most("other answers to guesses", 0, guesses.others.count);
    most("sign-ins refused to the owner", 0, guesses.shut_out.count);
    most(
        "codes that did not count exactly once",
        0,
        races.broken.count,
    );
    most("halves and lock-outs after kills", 0, kills.broken.count);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> FactorFigures {
        FactorFigures {
            guesses: GuessCounts {
                tries: 10_000,
                compared: 10,
                ..GuessCounts::default()
            },
            races: RaceCounts {
                races: 200,
                ..RaceCounts::default()
            },
            kills: KillCounts {
                kills: 20,
                ..KillCounts::default()
            },
        }
    }

    fn are_met(figures: &FactorFigures) -> bool {
        let args = crate::harness::args::parse(&[]).expect("the defaults");
        let mut goals = AttackGoals::default();
        judge(&mut goals, "embedded (SQLite)", &args, figures);
        goals.are_met()
    }

    #[test]
    fn one_finding_misses_the_goal() {
        assert!(are_met(&figures()));
        let spoil: [fn(&mut FactorFigures); 6] = [
            |figures| figures.guesses.compared = 12,
            |figures| figures.guesses.hits = 1,
            |figures| figures.guesses.foreign_sessions = 1,
            |figures| figures.guesses.shut_out.note("her device".to_owned()),
            |figures| figures.races.broken.note("both".to_owned()),
            |figures| figures.kills.broken.note("half".to_owned()),
        ];
        for spoil in spoil {
            let mut spoiled = figures();
            spoil(&mut spoiled);
            assert!(!are_met(&spoiled));
        }
    }

    #[test]
    fn a_guesser_whom_limits_refuse_at_once_proves_nothing() {
        let mut refused = figures();
        refused.guesses.compared = 0;
        assert!(!are_met(&refused));
    }
}
