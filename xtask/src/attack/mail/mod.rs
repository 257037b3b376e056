//! `attack mail`: a robot that works every link of every mail before its reader does, over HTTP and without cookies, and a guesser of codes, against
//! two replicas over one outbox, whose mails go to a mail server in this process. All limits are on; everybody has a network of their own.

mod guesses;
mod html;
mod mailroom;
mod people;
mod received;
mod robot;
mod rounds;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use anyhow::Result;
use revolve_testkit::smtp_sink::{SinkSettings, SmtpSink};

use self::{
    guesses::GuessCounts,
    mailroom::{ClosedMailroom, Mailroom},
    people::{Network, World},
    received::MailCounts,
    robot::{Robot, RobotCounts},
};
use super::{
    findings::Findings,
    goals::AttackGoals,
    imported::HashCost,
    target::{ServiceUnderAttack, TargetArgs},
};
use crate::harness::{interrupt::Interrupt, proxy::Proxy, service::Binary};

/// Arguments of `attack mail`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// People who ask for something by mail, over each kind of store
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Codes that are tried, over each kind of store
    #[arg(long, default_value_t = 100_000)]
    guesses: usize,
    /// People at once
    #[arg(long, default_value_t = 8)]
    clients: usize,
    #[command(flatten)]
    target: TargetArgs,
}

/// What was seen over one kind of store.
struct MailFigures {
    store: &'static str,
    lost_links: Findings,
    foreign_sessions: u64,
    robot: RobotCounts,
    guesses: GuessCounts,
    mails: MailCounts,
}

/// What an attack leaves when the service has still to be stopped.
struct Played {
    lost_links: Findings,
    foreign_sessions: u64,
    guesses: GuessCounts,
    asked: BTreeSet<String>,
    mailroom: ClosedMailroom,
}

/// How a figure has to be.
#[derive(Clone, Copy)]
enum Bound {
    Zero,
    AtLeast(usize),
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<AttackGoals> {
    let binary = Arc::new(args.target.binary(interrupt).await?);
    let mut goals = AttackGoals::default();
    for target in args.target.each_store() {
        let figures = measure(args, &target, Arc::clone(&binary), interrupt).await?;
        judge(&mut goals, args, &figures);
    }
    Ok(goals)
}

async fn measure(
    args: &Args,
    target: &TargetArgs,
    binary: Arc<Binary>,
    interrupt: &Interrupt,
) -> Result<MailFigures> {
    let sink = SmtpSink::start(SinkSettings::default()).await?;
    // Links lead to the issuer, whose port has to be known before the service starts.
    let proxy = Proxy::bind().await?;
    let mut settings = vec![
        ("ACCOUNTS__SIGN_IN_CODE", "true".to_owned()),
        ("ACCOUNTS__VERIFICATION", "required".to_owned()),
        // Whose network a request comes from is what the proxy says.
        ("HTTP__TRUSTED_PROXIES", "127.0.0.1".to_owned()),
        ("LIMITS__ENABLED", "true".to_owned()),
        ("LOG__LEVEL", "warn,revolve::security=error".to_owned()),
        ("MAIL__FROM", "accounts@example.org".to_owned()),
        ("MAIL__RATE", "1000".to_owned()),
        ("MAIL__URL", sink.url()),
        ("TOKENS__ALGORITHM", "ES256".to_owned()),
        ("TOKENS__ISSUER", proxy.http_url()),
    ];
    settings.extend(HashCost::LEAST.settings());
    let service = ServiceUnderAttack::start_built(binary, target, &settings, interrupt).await?;
    let attacked = interrupt.guard(attack(args, &service, sink, &proxy)).await;
    let store = service.name;
    service.stop().await?;
    let played = attacked?;
    let mails = played.mailroom.mails();
    Ok(MailFigures {
        store,
        lost_links: played.lost_links,
        foreign_sessions: played.foreign_sessions,
        mails: MailCounts::of(&mails, &played.asked, &played.guesses.proofs),
        robot: played.mailroom.robot,
        guesses: played.guesses,
    })
}

async fn attack(
    args: &Args,
    service: &ServiceUnderAttack,
    sink: SmtpSink,
    proxy: &Proxy,
) -> Result<Played> {
    let optional = [("ACCOUNTS__VERIFICATION", "optional".to_owned())];
    let mut replica = service.start_replica(&optional).await?;
    proxy.lead_to(&service.url().parse()?)?;
    let robot = Robot::new(proxy.http_url().parse()?)?;
    let mailroom = Mailroom::open(sink, robot, |number| Network::Robot.address(number));
    let world = World::new(service.url(), replica.url(), mailroom.letters())?;
    eprintln!("{}: {} rounds", service.name, args.rounds);
    let lost_links = rounds::play(&world, args.rounds, args.clients).await;
    eprintln!("{}: {} guesses", service.name, args.guesses);
    service.import(&guesses::rows(args.guesses)?).await?;
    let guesses = guesses::attack(&world, args.guesses).await?;
    let mailroom = mailroom.dismiss().await?;
    replica.stop().await?;
    Ok(Played {
        lost_links,
        foreign_sessions: world.foreign_sessions.load(Ordering::Relaxed),
        guesses,
        asked: world.asked(),
        mailroom,
    })
}

fn judge(goals: &mut AttackGoals, args: &Args, figures: &MailFigures) {
    let MailFigures {
        store,
        lost_links,
        foreign_sessions,
        robot,
        guesses,
        mails,
    } = figures;
    goals.note(format!("mails, {store}: {} rounds", args.rounds));
    goals.note(format!(
        "  robot        {} links   {} requests   {} clicks",
        robot.links, robot.requests, robot.clicks
    ));
    goals.note(format!(
        "  guesses      {} of {} proofs: {} compared (by chance {:.2} are right), {} of proofs that were used up, {} limited; {} mails refused",
        guesses.tries,
        guesses.proofs.len(),
        guesses.compared,
        guesses.expected_hits(),
        guesses.gone,
        guesses.limited,
        guesses.refused_mails
    ));
    goals.note(format!("  mails        {}", mails.all));
    for (what, findings) in [
        ("lost", lost_links),
        ("handed", &robot.handed),
        ("broken", &robot.broken),
        ("guess", &guesses.others),
    ] {
        if let Some(first) = &findings.first {
            goals.note(format!("  {what:<12} first: {first}"));
        }
    }
    let rows = [
        (
            "links worked by the robot",
            Bound::AtLeast(args.rounds),
            robot.links,
        ),
        (
            "forms clicked by the robot",
            Bound::AtLeast(args.rounds),
            robot.clicks,
        ),
        (
            "links that the robot could not open",
            Bound::Zero,
            robot.broken.count,
        ),
        ("links lost to their readers", Bound::Zero, lost_links.count),
        (
            "cookies and tokens for the robot",
            Bound::Zero,
            robot.handed.count,
        ),
        ("sessions that nobody began", Bound::Zero, *foreign_sessions),
        ("mails lost", Bound::Zero, mails.lost),
        ("mails doubled", Bound::Zero, mails.doubled),
        ("mails that nobody asked for", Bound::Zero, mails.unasked),
        ("codes tried", Bound::AtLeast(args.guesses), guesses.tries),
        // Half of the accounts, five of each proof: if limits refuse them all, nothing is shown.
        (
            "codes compared",
            Bound::AtLeast(args.guesses / 3),
            guesses.compared,
        ),
        (
            "codes compared beyond five of a proof",
            Bound::Zero,
            guesses.beyond,
        ),
        ("codes guessed", Bound::Zero, guesses.hits),
        (
            "other answers to guesses",
            Bound::Zero,
            guesses.others.count,
        ),
    ];
    let kind = store.split(' ').next().unwrap_or_default();
    for (what, bound, figure) in rows {
        let (words, met) = match bound {
            Bound::Zero => ("0".to_owned(), figure == 0),
            Bound::AtLeast(least) => (
                format!("at least {least}"),
                usize::try_from(figure).is_ok_and(|figure| figure >= least),
            ),
        };
        goals.add(format!("{kind}: {what}"), words, figure.to_string(), met);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> MailFigures {
        MailFigures {
            store: "embedded (SQLite)",
            lost_links: Findings::default(),
            foreign_sessions: 0,
            robot: RobotCounts {
                links: 300,
                clicks: 300,
                ..RobotCounts::default()
            },
            guesses: GuessCounts {
                tries: 100_000,
                compared: 50_000,
                ..GuessCounts::default()
            },
            mails: MailCounts::default(),
        }
    }

    fn judged(figures: &MailFigures) -> AttackGoals {
        let args = crate::harness::args::parse(&[]).expect("the defaults");
        let mut goals = AttackGoals::default();
        judge(&mut goals, &args, figures);
        goals
    }

    #[test]
    fn one_lost_link_or_one_doubled_mail_misses_the_goal() {
        assert!(judged(&figures()).are_met());
        let mut lost = figures();
        lost.lost_links.note("round 7".to_owned());
        let goals = judged(&lost);
        assert!(!goals.are_met() && goals.to_string().contains("first: round 7"));
        let mut doubled = figures();
        doubled.mails.doubled = 1;
        assert!(!judged(&doubled).are_met());
    }

    #[test]
    fn a_robot_that_found_nothing_to_click_proves_nothing() {
        let mut idle = figures();
        idle.robot.clicks = 0;
        assert!(!judged(&idle).are_met());
    }

    #[test]
    fn a_guesser_whom_limits_refuse_proves_nothing() {
        let mut refused = figures();
        refused.guesses.compared = 0;
        assert!(!judged(&refused).are_met());
    }
}
