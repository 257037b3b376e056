//! The steps of a round, printed if it fails. Tokens appear by number and generation, never as they are.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// Clones write to the same journal.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Arc<Mutex<JournalEntries>>);

#[derive(Debug)]
struct JournalEntries {
    begun: Instant,
    lines: Vec<String>,
    names: HashMap<String, usize>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(JournalEntries {
            begun: Instant::now(),
            lines: Vec::new(),
            names: HashMap::new(),
        })))
    }

    /// Adds a line with the time since the round began.
    pub(crate) fn note(&self, line: &str) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = notes.begun.elapsed().as_millis();
        notes.lines.push(format!("+{at} ms {line}"));
    }

    /// The name of a token: `#2 (session 5f0c…, gen 3)`.
    pub(crate) fn name(&self, token: &str) -> String {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = notes.names.len() + 1;
        let number = *notes.names.entry(token.to_owned()).or_insert(next);
        drop(notes);
        let claims = claims(token).unwrap_or_default();
        match (
            claims["gen"].as_u64(),
            claims["sid"].as_str().and_then(|sid| sid.get(..8)),
        ) {
            (Some(generation), Some(sid)) => {
                format!("#{number} (session {sid}…, gen {generation})")
            }
            _ => format!("#{number}"),
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lines
            .clone()
    }
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_named_and_never_shown() {
        let journal = Journal::new();
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sid":"0123456789","gen":7}"#);
        let token = format!("head.{payload}.signature");
        assert_eq!(journal.name("opaque"), "#1");
        assert_eq!(journal.name(&token), "#2 (session 01234567…, gen 7)");
        assert_eq!(journal.name("opaque"), "#1");
        journal.note(&journal.name(&token));
        let lines = journal.lines().concat();
        assert!(
            !lines.contains(&payload) && !lines.contains("signature"),
            "{lines}"
        );
    }
}
