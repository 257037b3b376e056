//! What a command says on standard output: text for people, JSON for programs.

use super::Format;
use anyhow::{Context, Result};
use serde::Serialize;
use std::{
    io::{ErrorKind, Write},
    ops::ControlFlow,
};

/// An answer in both forms.
pub(super) trait CommandOutput: Serialize {
    /// For people, with a line break at the end.
    fn text(&self) -> String;
}

/// Prints an answer in the form that was asked for.
pub(super) fn print(answer: &impl CommandOutput, format: Format) -> Result<()> {
    if format.json {
        text(&(serde_json::to_string_pretty(answer)? + "\n"))
    } else {
        text(&answer.text())
    }
}

/// Prints a text. The reader of a pipe may stop before its end, as `head` does.
pub(super) fn text(text: &str) -> Result<()> {
    part(text).map(drop)
}

/// Prints a part of a long text; `Break` if the reader of the pipe has gone.
pub(super) fn part(text: &str) -> Result<ControlFlow<()>> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error).context("standard output can't be written to"),
    }
}
