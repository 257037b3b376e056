//! Who sends the requests: people with an address, a password and their newest tokens, each with one of the connections.

use std::{sync::Mutex, thread, time::Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use hdrhistogram::Histogram;

use super::{LoadReport, LoadRequest, Order, connection::LoadConnection, pace::Pace};

const PASSWORD: &str = "correct horse battery";
/// About as long as a request to refresh.
const ECHO: usize = 420;

/// A user who is signed in.
struct Person {
    email: String,
    refresh: String,
    id: String,
}

/// All of them.
#[derive(Default)]
pub(super) struct People {
    known: Vec<Person>,
    signed_up: usize,
}

/// What a connection has seen.
pub(super) struct LoadSamples {
    times: Histogram<u64>,
    failed: u64,
    first_failure: Option<String>,
}

impl LoadSamples {
    pub(super) fn new() -> Result<Self> {
        // Nanoseconds up to five minutes.
        Ok(Self {
            times: Histogram::new_with_bounds(1, 300_000_000_000, 3)?,
            failed: 0,
            first_failure: None,
        })
    }

    pub(super) fn take(&mut self, since: Instant, outcome: Result<()>) {
        match outcome {
            Ok(()) => self
                .times
                .saturating_record(u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)),
            Err(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert(format!("{error:#}"));
            }
        }
    }
}

impl People {
    pub(super) fn carry_out(&mut self, address: &str, order: Order) -> Result<LoadReport> {
        let connections = order.connections.max(1);
        let new = Mutex::new(Vec::new());
        let share = self.known.len().div_ceil(connections).max(1);
        let nobody = matches!(
            order.request,
            LoadRequest::Refresh | LoadRequest::Me | LoadRequest::SignIn | LoadRequest::SignOut
        ) && self.known.is_empty();
        ensure!(!nobody, "nobody has signed up");
        let first = self.signed_up;
        let mut groups: Vec<&mut [Person]> = self.known.chunks_mut(share).collect();
        groups.resize_with(connections, Default::default);
        // Everybody is connected before the first request.
        let ready: Vec<LoadConnection<'_>> = (0..connections)
            .map(|_| {
                let mut connection = LoadConnection::new(address);
                connection.open().map(|()| connection)
            })
            .collect::<Result<_>>()?;
        let pace = Pace::begin(&order);
        let all = thread::scope(|scope| {
            let (pace, new) = (&pace, &new);
            let clients = ready
                .into_iter()
                .zip(groups)
                .map(|(mut connection, people)| {
                    scope.spawn(move || match order.request {
                        LoadRequest::SignUp => sign_up(&mut connection, pace, first, new),
                        LoadRequest::Echo => echo(&mut connection, pace),
                        LoadRequest::SignOut => sign_out(&mut connection, people),
                        request => each_in_turn(&mut connection, pace, people, request),
                    })
                });
            let clients: Vec<_> = clients.collect();
            clients
                .into_iter()
                .map(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
                .collect::<Result<Vec<LoadSamples>>>()
        })?;
        let seconds = pace.elapsed().as_secs_f64();
        match order.request {
            LoadRequest::SignUp => {
                let mut new = new.into_inner().map_err(|_| anyhow!("a client panicked"))?;
                self.signed_up += pace.taken();
                self.known.append(&mut new);
            }
            LoadRequest::SignOut => self.known.clear(),
            _ => {}
        }
        report(all, pace.left(), seconds)
    }
}

pub(super) fn report(all: Vec<LoadSamples>, unsent: usize, seconds: f64) -> Result<LoadReport> {
    let mut sum = LoadSamples::new()?;
    for seen in all {
        sum.times.add(seen.times)?;
        sum.failed += seen.failed;
        sum.first_failure = sum.first_failure.take().or(seen.first_failure);
    }
    if unsent > 0 {
        sum.first_failure
            .get_or_insert(format!("{unsent} requests could not be sent in time"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a latency of less than an hour")]
    let at = |part: f64| sum.times.value_at_quantile(part) as f64 / 1000.0;
    Ok(LoadReport {
        answered: sum.times.len(),
        failed: sum.failed + unsent as u64,
        first_failure: sum.first_failure,
        seconds,
        p50: at(0.5),
        p99: at(0.99),
        p999: at(0.999),
        max: at(1.0),
    })
}

fn echo(connection: &mut LoadConnection<'_>, pace: &Pace) -> Result<LoadSamples> {
    let body = format!("{{\"refreshToken\":\"{}\"}}", "x".repeat(ECHO));
    let mut seen = LoadSamples::new()?;
    while let Some(turn) = pace.turn() {
        let outcome = connection.post("/echo", None, &body).and_then(|answer| {
            ensure!(
                answer.status == 200 && answer.body.len() == body.len(),
                "no echo"
            );
            Ok(())
        });
        seen.take(turn.due, outcome);
    }
    Ok(seen)
}

fn sign_up(
    connection: &mut LoadConnection<'_>,
    pace: &Pace,
    first: usize,
    new: &Mutex<Vec<Person>>,
) -> Result<LoadSamples> {
    let mut seen = LoadSamples::new()?;
    while let Some(turn) = pace.turn() {
        let email = format!("person-{}@example.org", first + turn.number);
        let outcome = password(connection, "signup", &email, 201);
        let outcome = outcome.map(|(refresh, id)| {
            new.lock()
                .map(|mut new| new.push(Person { email, refresh, id }))
        });
        seen.take(
            turn.due,
            outcome.and_then(|kept| kept.map_err(|_| anyhow!("a client panicked"))),
        );
    }
    Ok(seen)
}

/// Each signs out once.
fn sign_out(connection: &mut LoadConnection<'_>, people: &mut [Person]) -> Result<LoadSamples> {
    let mut seen = LoadSamples::new()?;
    for person in people {
        let begun = Instant::now();
        let outcome = connection.post(
            "/api/account/signout",
            Some(&person.id),
            "{\"scope\":\"everywhere\"}",
        );
        let outcome = outcome.and_then(|answer| {
            ensure!(
                answer.status == 204,
                "a sign-out was answered {}: {}",
                answer.status,
                answer.body
            );
            Ok(())
        });
        seen.take(begun, outcome);
    }
    Ok(seen)
}

fn each_in_turn(
    connection: &mut LoadConnection<'_>,
    pace: &Pace,
    people: &mut [Person],
    request: LoadRequest,
) -> Result<LoadSamples> {
    let mut seen = LoadSamples::new()?;
    let (mut at, count) = (0, people.len());
    while !people.is_empty()
        && let Some(turn) = pace.turn()
    {
        let person = &mut people[at];
        at = (at + 1) % count;
        let outcome = match request {
            LoadRequest::Refresh => refresh(connection, person),
            LoadRequest::Me => me(connection, person),
            LoadRequest::SignIn => {
                password(connection, "signin", &person.email, 200).map(|(refresh, id)| {
                    (person.refresh, person.id) = (refresh, id);
                })
            }
            _ => bail!("not in turn"),
        };
        seen.take(turn.due, outcome);
    }
    Ok(seen)
}

fn refresh(connection: &mut LoadConnection<'_>, person: &mut Person) -> Result<()> {
    let body = format!("{{\"refreshToken\":\"{}\"}}", person.refresh);
    let answer = connection.post("/api/account/tokens", None, &body)?;
    ensure!(
        answer.status == 200,
        "a refresh was answered {}: {}",
        answer.status,
        answer.body
    );
    (person.refresh, person.id) = tokens(answer.body)?;
    Ok(())
}

fn me(connection: &mut LoadConnection<'_>, person: &Person) -> Result<()> {
    let answer = connection.get("/api/account/me", &person.id)?;
    ensure!(
        answer.status == 200,
        "`/me` was answered {}: {}",
        answer.status,
        answer.body
    );
    Ok(())
}

fn password(
    connection: &mut LoadConnection<'_>,
    path: &str,
    email: &str,
    good: u16,
) -> Result<(String, String)> {
    let body = format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}");
    let answer = connection.post(&format!("/api/account/{path}"), None, &body)?;
    ensure!(
        answer.status == good,
        "{path} was answered {}: {}",
        answer.status,
        answer.body
    );
    tokens(answer.body)
}

/// The refresh token and the ID token. They are base64url with dots: nothing in them is escaped.
fn tokens(body: &str) -> Result<(String, String)> {
    let text = |name: &str| {
        let (_, rest) = body.split_once(name)?;
        rest.split_once('"').map(|(token, _)| token.to_owned())
    };
    let refresh = text("\"refreshToken\":\"").context("no refresh token")?;
    Ok((refresh, text("\"idToken\":\"").context("no ID token")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_in_either_order() {
        let body = r#"{"tokens":{"idToken":"a.b-_.c","refreshToken":"d.e.f"},"session":{}}"#;
        assert_eq!(
            tokens(body).unwrap(),
            ("d.e.f".to_owned(), "a.b-_.c".to_owned())
        );
        assert!(tokens("{}").is_err());
    }

    #[test]
    fn a_report_adds_up_and_counts_what_was_not_sent() {
        let mut seen = [LoadSamples::new().unwrap(), LoadSamples::new().unwrap()];
        for micros in 1..=100 {
            seen[micros % 2].times.record(micros as u64 * 1000).unwrap();
        }
        seen[0].take(Instant::now(), Err(anyhow!("refused")));
        let report = report(seen.into(), 2, 1.0).unwrap();
        assert_eq!(
            (
                report.answered,
                report.failed,
                report.first_failure.as_deref()
            ),
            (100, 3, Some("refused"))
        );
        assert!(
            (report.p50 - 50.0).abs() < 0.1
                && (report.p99 - 99.0).abs() < 0.1
                && (report.max - 100.0).abs() < 0.2
        );
    }
}
