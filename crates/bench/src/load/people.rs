//! Who sends the requests: people with an address, a password and their newest tokens, each with one of the connections.

use std::{collections::BTreeMap, sync::Mutex, thread, time::Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use hdrhistogram::Histogram;

use super::{
    LoadReport, LoadRequest, Order, PASSWORD,
    browsers::{self, Browser},
    connection::LoadConnection,
    pace::Pace,
};

/// About as long as a request to refresh.
const ECHO: usize = 420;

/// A user who is signed in.
struct Person {
    email: String,
    refresh: String,
    id: String,
    /// What verifies the address, with the code of the mail that the sign-up ordered.
    proof: Option<String>,
}

/// All of them, and all browsers.
#[derive(Default)]
pub(super) struct People {
    known: Vec<Person>,
    signed_up: usize,
    browsers: Vec<Browser>,
    browsers_signed_up: usize,
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
    pub(super) fn carry_out(&mut self, address: &str, order: &Order) -> Result<LoadReport> {
        let connections = order.connections.max(1);
        let (new, new_browsers) = (Mutex::default(), Mutex::default());
        let nobody = match order.request {
            LoadRequest::Echo | LoadRequest::SignUp | LoadRequest::CookieSignUp => false,
            LoadRequest::CookieRefresh => self.browsers.is_empty(),
            _ => self.known.is_empty(),
        };
        ensure!(!nobody, "nobody has signed up");
        let (first, first_browser) = (self.signed_up, self.browsers_signed_up);
        let groups = shares(&mut self.known, connections)
            .into_iter()
            .zip(shares(&mut self.browsers, connections));
        // Everybody is connected before the first request.
        let ready: Vec<LoadConnection<'_>> = (0..connections)
            .map(|_| {
                let mut connection = LoadConnection::new(address);
                connection.open().map(|()| connection)
            })
            .collect::<Result<_>>()?;
        let pace = Pace::begin(order);
        let all = thread::scope(|scope| {
            let (pace, new, new_browsers) = (&pace, &new, &new_browsers);
            let clients =
                ready
                    .into_iter()
                    .zip(groups)
                    .map(|(mut connection, (people, browsers))| {
                        scope.spawn(move || {
                            let connection = &mut connection;
                            match order.request {
                                LoadRequest::Echo => echo(connection, pace),
                                LoadRequest::SignUp => each_new(pace, new, |number| {
                                    sign_up(connection, first + number)
                                }),
                                LoadRequest::CookieSignUp => {
                                    each_new(pace, new_browsers, |number| {
                                        browsers::sign_up(connection, first_browser + number)
                                    })
                                }
                                LoadRequest::SignOut => {
                                    each_once(people, |person| sign_out(connection, person))
                                }
                                LoadRequest::Confirm => each_once(people, |person| {
                                    confirm(connection, person, &order.codes)
                                }),
                                LoadRequest::CookieRefresh => {
                                    each_in_turn(pace, browsers, |browser| {
                                        browsers::refresh(connection, browser)
                                    })
                                }
                                request => each_in_turn(pace, people, |person| {
                                    by_person(connection, person, request)
                                }),
                            }
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
                self.signed_up += pace.taken();
                self.known.append(&mut inner(new)?);
            }
            LoadRequest::CookieSignUp => {
                self.browsers_signed_up += pace.taken();
                self.browsers.append(&mut inner(new_browsers)?);
            }
            LoadRequest::SignOut | LoadRequest::Confirm => self.known.clear(),
            _ => {}
        }
        report(all, pace.left(), seconds)
    }
}

/// A part of them for each connection; some are empty if there are few.
fn shares<T>(all: &mut [T], connections: usize) -> Vec<&mut [T]> {
    let share = all.len().div_ceil(connections).max(1);
    let mut shares: Vec<&mut [T]> = all.chunks_mut(share).collect();
    shares.resize_with(connections, Default::default);
    shares
}

fn inner<T>(new: Mutex<Vec<T>>) -> Result<Vec<T>> {
    new.into_inner().map_err(|_| anyhow!("a client panicked"))
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

/// The next ones in a row, who are known once they have signed up.
fn each_new<T>(
    pace: &Pace,
    new: &Mutex<Vec<T>>,
    mut sign_up: impl FnMut(usize) -> Result<T>,
) -> Result<LoadSamples> {
    let mut seen = LoadSamples::new()?;
    while let Some(turn) = pace.turn() {
        let outcome = sign_up(turn.number).and_then(|person| {
            let mut new = new.lock().map_err(|_| anyhow!("a client panicked"))?;
            new.push(person);
            Ok(())
        });
        seen.take(turn.due, outcome);
    }
    Ok(seen)
}

fn each_once<T>(
    all: &mut [T],
    mut request: impl FnMut(&mut T) -> Result<()>,
) -> Result<LoadSamples> {
    let mut seen = LoadSamples::new()?;
    for one in all {
        let begun = Instant::now();
        seen.take(begun, request(one));
    }
    Ok(seen)
}

fn each_in_turn<T>(
    pace: &Pace,
    all: &mut [T],
    mut request: impl FnMut(&mut T) -> Result<()>,
) -> Result<LoadSamples> {
    let mut seen = LoadSamples::new()?;
    let (mut at, count) = (0, all.len());
    while !all.is_empty()
        && let Some(turn) = pace.turn()
    {
        let outcome = request(&mut all[at]);
        at = (at + 1) % count;
        seen.take(turn.due, outcome);
    }
    Ok(seen)
}

fn by_person(
    connection: &mut LoadConnection<'_>,
    person: &mut Person,
    request: LoadRequest,
) -> Result<()> {
    match request {
        LoadRequest::Refresh => refresh(connection, person),
        LoadRequest::OauthRefresh => oauth_refresh(connection, person),
        LoadRequest::Me => me(connection, person),
        LoadRequest::SignIn => {
            let answer = password(connection, "signin", &person.email, 200)?;
            (person.refresh, person.id) = tokens(answer)?;
            Ok(())
        }
        _ => bail!("not by a person in turn"),
    }
}

fn sign_up(connection: &mut LoadConnection<'_>, number: usize) -> Result<Person> {
    let email = format!("person-{number}@example.org");
    let answer = password(connection, "signup", &email, 201)?;
    let (refresh, id) = tokens(answer)?;
    let proof = text(answer, "\"proof\":{\"id\":\"");
    Ok(Person {
        email,
        refresh,
        id,
        proof,
    })
}

fn sign_out(connection: &mut LoadConnection<'_>, person: &Person) -> Result<()> {
    let body = "{\"scope\":\"everywhere\"}";
    let answer = connection.post("/api/account/signout", Some(&person.id), body)?;
    answer.check("a sign-out", 204)
}

/// Shows the code of the mail in the session that began with the sign-up.
fn confirm(
    connection: &mut LoadConnection<'_>,
    person: &Person,
    codes: &BTreeMap<String, String>,
) -> Result<()> {
    let code = codes.get(&person.email).context("no code has come")?;
    let proof = person.proof.as_ref().context("nothing is to be proved")?;
    let body = format!("{{\"proof\":\"{proof}\",\"code\":\"{code}\"}}");
    let answer = connection.post("/api/account/email/confirm", Some(&person.id), &body)?;
    answer.check("a confirmation", 204)
}

fn refresh(connection: &mut LoadConnection<'_>, person: &mut Person) -> Result<()> {
    let body = format!("{{\"refreshToken\":\"{}\"}}", person.refresh);
    let answer = connection.post("/api/account/tokens", None, &body)?;
    answer.check("a refresh", 200)?;
    (person.refresh, person.id) = tokens(answer.body)?;
    Ok(())
}

/// By a form, as OAuth clients do it. Nothing in a token is to be escaped there.
fn oauth_refresh(connection: &mut LoadConnection<'_>, person: &mut Person) -> Result<()> {
    let body = format!("grant_type=refresh_token&refresh_token={}", person.refresh);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = connection.post_with("/oauth/token", &form, &body)?;
    answer.check("a refresh by OAuth", 200)?;
    let text = |name| text(answer.body, name);
    person.refresh = text("\"refresh_token\":\"").context("no refresh token")?;
    person.id = text("\"id_token\":\"").context("no ID token")?;
    Ok(())
}

fn me(connection: &mut LoadConnection<'_>, person: &Person) -> Result<()> {
    let answer = connection.get("/api/account/me", &person.id)?;
    answer.check("`/me`", 200)
}

fn password<'c>(
    connection: &'c mut LoadConnection<'_>,
    path: &str,
    email: &str,
    good: u16,
) -> Result<&'c str> {
    let body = format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}");
    let answer = connection.post(&format!("/api/account/{path}"), None, &body)?;
    answer.check(path, good)?;
    Ok(answer.body)
}

/// The refresh token and the ID token.
fn tokens(body: &str) -> Result<(String, String)> {
    let refresh = text(body, "\"refreshToken\":\"").context("no refresh token")?;
    let id = text(body, "\"idToken\":\"").context("no ID token")?;
    Ok((refresh, id))
}

/// What stands after that, up to the next quote. Tokens are base64url with dots, and ids have dashes: nothing in them is escaped.
fn text(body: &str, before: &str) -> Option<String> {
    let (_, rest) = body.split_once(before)?;
    rest.split_once('"').map(|(text, _)| text.to_owned())
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
