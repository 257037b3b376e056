//! The embedded store is restored from an old copy of its file.

use std::{fs, path::Path};

use anyhow::Result;

use crate::faults::{
    environment::Environment,
    rollback_probe::{EndMethod, RETRY_FREE, RollbackProbe, RowsAfterRollback},
    rounds::Rounds,
    stack::EmbeddedStack,
};

/// Bindings hold; honest newer tokens heal; a superseded token is detected at the next honest refresh. The one file has rows and live tokens, so
/// it forgets which sessions have ended.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let name = "embedded-restored";
    let data = env.folder(name).join("data");
    let settings = [("SESSIONS__RETRY_FREE", RETRY_FREE)];
    let mut stack = EmbeddedStack::start(env, name, data, &settings).await?;
    let (scenario, service, data) = (&stack.scenario, &mut stack.service, &stack.data);
    while let Some(round) = rounds.next() {
        let base = service.url();
        let mut probe = RollbackProbe::start(scenario, base, EndMethod::Itself, &round).await?;
        let copy = tempfile::tempdir()?;
        service.stop().await?;
        copy_store(data, copy.path())?;
        service.restart().await?;
        probe.change(scenario, service.url()).await?;
        service.stop().await?;
        copy_store(copy.path(), data)?;
        service.restart().await?;
        let base = service.url();
        probe
            .verify(scenario, base, RowsAfterRollback::SetBack, &round)
            .await?;
        round.record(|findings| findings.check("old files"));
        rounds.finish(round);
    }
    Ok(())
}

/// The database and its log, in place of those that are there.
fn copy_store(from: &Path, to: &Path) -> Result<()> {
    let is_store = |name: &std::ffi::OsStr| name.to_string_lossy().contains(".sqlite3");
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if is_store(&entry.file_name()) {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if is_store(&entry.file_name()) {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
