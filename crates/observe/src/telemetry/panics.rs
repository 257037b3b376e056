//! Panics as log lines that say where, not with what: a message that was put together at run time may hold anything.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    sync::atomic::{AtomicU64, Ordering},
};

static PANICS: AtomicU64 = AtomicU64::new(0);

/// How many there were since the process began.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// From now on, panics are log lines.
pub(super) fn report() {
    panic::set_hook(Box::new(line));
}

fn line(info: &PanicHookInfo<'_>) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    let (location, thread) = (
        info.location().map(tracing::field::display),
        std::thread::current(),
    );
    // RUST_BACKTRACE decides; it names functions and lines only.
    let backtrace = Some(Backtrace::capture())
        .filter(|backtrace| backtrace.status() == BacktraceStatus::Captured);
    let backtrace = backtrace.as_ref().map(tracing::field::display);
    let (said, thread) = (literal(info), thread.name());
    tracing::error!(target: "revolve::panic", location, thread, said, backtrace, "panicked");
}

/// The message, if it stands in the source as it is.
fn literal(info: &PanicHookInfo<'_>) -> &'static str {
    info.payload()
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("(left out: it was put together at run time)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_message_of_the_source_is_told_and_no_other() {
        let (tell, told) = mpsc::channel();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| tell.send(literal(info)).unwrap()));
        let secret = "geheim";
        drop(panic::catch_unwind(|| panic!("one that stands here")));
        drop(panic::catch_unwind(|| panic!("with {secret}")));
        drop(panic::catch_unwind(|| {
            secret.parse::<u8>().map_err(|_| secret).unwrap()
        }));
        panic::set_hook(before);
        // Tests beside this one may panic on purpose, too.
        let told: Vec<_> = told.iter().collect();
        assert!(told.contains(&"one that stands here"));
        assert!(
            told.iter()
                .filter(|message| message.starts_with("(left out"))
                .count()
                >= 2,
            "{told:?}"
        );
        assert!(!told.concat().contains(secret));
    }
}
