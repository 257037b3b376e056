//! Asks for confirmation.

use crate::cli::refusal::Usage;
use anyhow::{Context, Result, bail};
use std::io::{self, BufRead, IsTerminal, Write};

/// Asks for confirmation on the terminal. Without a terminal `--yes` is required.
pub(super) fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Usage("there is no terminal to ask for confirmation: add --yes").into());
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush().context("the terminal")?;
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("the terminal")?;
    if !is_yes(&answer) {
        bail!("nothing was done");
    }
    Ok(())
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Y", "yes\n", " YES "].into_iter().all(is_yes));
        assert!(
            ["", "\n", "n\n", "yo", "yes please"]
                .into_iter()
                .all(|answer| !is_yes(answer))
        );
    }
}
