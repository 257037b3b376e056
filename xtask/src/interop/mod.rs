//! `cargo xtask interop`: tokens of the service, verified by independent libraries, and tokens of theirs, verified by `revolve-verify`; each
//! also in variants that must be refused; its webhooks, verified by the libraries of Standard Webhooks; OAuth clients at its endpoints; and passkeys, which libraries of WebAuthn and the
//! service judge alike. The scripts in `xtask/interop` drive the libraries.

mod cases;
mod factors;
mod issuer;
mod oauth;
mod report;
mod token;
mod tools;
mod webhooks;

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use self::{
    cases::{Incoming, Outgoing},
    issuer::{AUDIENCE, Issuer},
    report::{Direction, InteropReport, TokenOutcome},
    token::Token,
    tools::{LIBRARIES, LibraryOutput, Tasks},
};
use crate::harness::{folders, interrupt::Interrupt, process, service::Binary};
pub(crate) use tools::Tools;

const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

/// Installs the libraries, which is an error if it fails, and tries everything.
pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    let tools = Tools::prepare(interrupt).await?;
    with(&tools, interrupt).await
}

/// Tries everything with libraries that are installed.
pub(crate) async fn with(tools: &Tools, interrupt: &Interrupt) -> Result<()> {
    eprintln!("building the service and revolve-verify's example");
    let binary = Binary::build(false, interrupt).await?;
    let judge = Binary::build_example("judge", interrupt).await?;
    let folder = folders::temporary("interop")?;
    let report = interrupt
        .guard(both_directions(tools, &binary, &judge, folder.path()))
        .await?;
    let home = folder.path().join("webhooks");
    let hooks = webhooks::run(tools, &binary, &home);
    let hooks = interrupt.guard(hooks).await.context("webhooks")?;
    let home = folder.path().join("oauth");
    let clients = oauth::run(tools, &binary, &home);
    let clients = interrupt.guard(clients).await.context("OAuth clients")?;
    let home = folder.path().join("factors");
    let passkeys = factors::run(tools, &binary, &home);
    let passkeys = interrupt.guard(passkeys).await.context("factors")?;
    let lines = [hooks, clients, passkeys].concat();
    println!("{}{}", report.table(), lines.join("\n"));
    if !report.faults().is_empty() {
        bail!(
            "{} tokens had another outcome than expected",
            report.faults().len()
        );
    }
    Ok(())
}

async fn both_directions(
    tools: &Tools,
    binary: &Binary,
    judge: &Binary,
    folder: &Path,
) -> Result<InteropReport> {
    let mut issuers = Vec::new();
    for algorithm in ALGORITHMS {
        issuers.push(
            Issuer::start(binary, algorithm, &folder.join(algorithm))
                .await
                .with_context(|| format!("the service with {algorithm}"))?,
        );
    }
    let (keys, strangers) = (tools.keys().await?, tools.keys().await?);
    let key_set = folder.join("keys.json");
    fs::write(&key_set, cases::key_set(&keys).to_string())?;
    let mut report = InteropReport::default();
    for library in LIBRARIES {
        let (mut outgoing, mut incoming) = (Vec::new(), Vec::new());
        for issuer in &issuers {
            outgoing.extend(cases::outgoing(issuer)?);
            incoming.extend(cases::incoming(issuer.algorithm, &keys, &strangers)?);
        }
        let (mut tasks, mut expected_out, mut expected_in) =
            (Tasks::default(), Vec::new(), Vec::new());
        for Outgoing {
            algorithm,
            expected,
            task,
        } in outgoing
        {
            tasks.verify.push(task);
            expected_out.push((algorithm, expected));
        }
        for Incoming {
            algorithm,
            expected,
            task,
            spoil,
        } in incoming
        {
            tasks.issue.push(task);
            expected_in.push((algorithm, expected, spoil));
        }
        let answer = tools
            .run(library, &tasks)
            .await
            .with_context(|| format!("{library:?}"))?;
        judge_outgoing(&answer, &tasks, &expected_out, &mut report)?;
        if !answer.issued.is_empty() {
            let verifier = (judge, key_set.as_path());
            judge_incoming(&answer, &tasks, &expected_in, verifier, &mut report).await?;
        }
    }
    for issuer in issuers {
        issuer.stop().await?;
    }
    Ok(report)
}

/// Judges how a library verified the service's tokens.
fn judge_outgoing(
    answer: &LibraryOutput,
    tasks: &Tasks,
    expected: &[(&'static str, cases::Expected)],
    report: &mut InteropReport,
) -> Result<()> {
    let verdicts: HashMap<_, _> = answer
        .verdicts
        .iter()
        .map(|verdict| (verdict.id.as_str(), verdict))
        .collect();
    for (task, (algorithm, expected)) in tasks.verify.iter().zip(expected) {
        let verdict = verdicts
            .get(task.id.as_str())
            .with_context(|| format!("{} says nothing about {}", answer.library, task.id))?;
        let outcome = outcome(expected, &task.id, expected.fault(verdict));
        report.note(
            (&answer.library, &answer.version),
            algorithm,
            Direction::Outgoing,
            outcome,
        );
    }
    Ok(())
}

type Spoiled = (&'static str, cases::Expected, fn(Token) -> Result<Token>);

/// Judges how `revolve-verify` verifies a library's tokens.
async fn judge_incoming(
    answer: &LibraryOutput,
    tasks: &Tasks,
    expected: &[Spoiled],
    (judge, key_set): (&Binary, &Path),
    report: &mut InteropReport,
) -> Result<()> {
    let issued: HashMap<_, _> = answer
        .issued
        .iter()
        .map(|issued| (issued.id.as_str(), issued.token.as_str()))
        .collect();
    let mut tokens = Vec::new();
    for (task, (.., spoil)) in tasks.issue.iter().zip(expected) {
        let token = issued
            .get(task.id.as_str())
            .with_context(|| format!("{} has not issued {}", answer.library, task.id))?;
        tokens.push(spoil(Token::parse(token)?)?.text());
    }
    let verdicts = revolve_verify(judge, key_set, &tokens).await?;
    for ((task, (algorithm, expected, _)), said) in tasks.issue.iter().zip(expected).zip(&verdicts)
    {
        let outcome = outcome(
            expected,
            &format!("its {}", task.id),
            expected.fault_in(said),
        );
        report.note(
            (&answer.library, &answer.version),
            algorithm,
            Direction::Incoming,
            outcome,
        );
    }
    Ok(())
}

fn outcome(expected: &cases::Expected, id: &str, fault: Option<String>) -> TokenOutcome {
    match fault {
        Some(fault) => TokenOutcome::Fault(format!("{id}: {fault}")),
        None if expected.is_acceptance() => TokenOutcome::Accepted,
        None => TokenOutcome::Refused,
    }
}

/// A line for each token, by the example `judge`.
async fn revolve_verify(judge: &Binary, key_set: &Path, tokens: &[String]) -> Result<Vec<String>> {
    let mut command = Command::new(judge.path());
    command.args([cases::ISSUER, AUDIENCE]).arg(key_set);
    let output = process::pipe(&mut command, tokens.join("\n").as_bytes()).await?;
    let said: Vec<String> = String::from_utf8(output)?
        .lines()
        .map(str::to_owned)
        .collect();
    ensure!(
        said.len() == tokens.len(),
        "revolve-verify's example says {} lines about {} tokens",
        said.len(),
        tokens.len()
    );
    Ok(said)
}
