//! Where a first password comes from. Never from an argument: those are in the shell's history and in the list of processes.

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use console::Term;
use revolve_adapters::system::SystemEntropy;
use revolve_domain::ports::Entropy;
use secrecy::{ExposeSecret, SecretString};
use std::io::{self, BufRead, IsTerminal};

/// No password is longer in bytes, by far.
const LONGEST: u64 = 64 * 1024;

/// Who chooses it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The operator, on the terminal or as the first line of standard input.
    Operator,
    /// The system's randomness.
    Generated,
}

/// The password. Blocks until it is typed or piped.
pub(super) fn obtain(source: Source) -> Result<SecretString> {
    match source {
        Source::Generated => Ok(generate(&SystemEntropy)),
        Source::Operator if io::stdin().is_terminal() => ask(),
        Source::Operator => first_line(io::stdin().lock()),
    }
}

/// A password that somebody has, typed once and not shown, or the first line of standard input. Blocks until it is there.
pub(super) fn present(prompt: &str) -> Result<SecretString> {
    if !io::stdin().is_terminal() {
        return first_line(io::stdin().lock());
    }
    prompted(&Term::stderr(), prompt).context("the password")
}

fn prompted(terminal: &Term, prompt: &str) -> io::Result<SecretString> {
    terminal.write_str(prompt)?;
    terminal.read_secure_line().map(SecretString::from)
}

/// 128 random bits that can be copied with a double click.
fn generate(entropy: &dyn Entropy) -> SecretString {
    URL_SAFE_NO_PAD
        .encode(entropy.bytes())
        .replace(['-', '_'], "x")
        .into()
}

fn ask() -> Result<SecretString> {
    let terminal = Term::stderr();
    let (first, again) = (
        prompted(&terminal, "password: ").context("the password")?,
        prompted(&terminal, "once more: ").context("the password")?,
    );
    if first.expose_secret() != again.expose_secret() {
        bail!("the two passwords are not the same");
    }
    Ok(first)
}

/// Without the line's end; spaces belong to it.
fn first_line(input: impl BufRead) -> Result<SecretString> {
    let mut line = Vec::new();
    input
        .take(LONGEST)
        .read_until(b'\n', &mut line)
        .context("standard input can't be read")?;
    let line = String::from_utf8(line)
        .ok()
        .context("the password on standard input is not UTF-8")?;
    let line = line.strip_suffix('\n').map_or(line.as_str(), |line| {
        line.strip_suffix('\r').unwrap_or(line)
    });
    if line.is_empty() {
        bail!("there is no password on standard input; write it there, or use --generate");
    }
    Ok(line.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        for (input, expected) in [
            ("correct horse", "correct horse"),
            (" a b \r\nnext\n", " a b "),
            ("pässword\n\n", "pässword"),
        ] {
            assert_eq!(
                first_line(input.as_bytes()).unwrap().expose_secret(),
                expected
            );
        }
        for input in [&b""[..], b"\n", b"\xff\xfe\n"] {
            assert!(first_line(input).is_err(), "{input:?}");
        }
    }

    #[test]
    fn made_passwords_differ_and_are_long() {
        let (one, two) = (generate(&SystemEntropy), generate(&SystemEntropy));
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert_eq!(one.expose_secret().len(), 22);
        assert!(one.expose_secret().chars().all(char::is_alphanumeric));
    }
}
