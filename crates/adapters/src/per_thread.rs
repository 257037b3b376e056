//! Which of a few shared connections a thread uses. A connection is driven by the thread that opened it: with as many connections as
//! threads, no request has to wake another thread, and what several requests send in one turn goes out in one write (ADR 27).

use std::sync::atomic::{AtomicUsize, Ordering};

/// The calling thread's index into a list of this length. Threads are numbered in the order of their first call.
pub(crate) fn index(length: usize) -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| number % length.max(1))
}

#[cfg(test)]
mod tests {
    use super::index;
    use std::{collections::HashSet, thread};

    #[test]
    fn a_thread_keeps_its_index_and_later_threads_have_others() {
        let in_thread = || {
            let first = index(1000);
            assert_eq!(first, index(1000));
            first
        };
        let indices: HashSet<_> = (0..20)
            .map(|_| thread::spawn(in_thread).join().unwrap())
            .collect();
        assert_eq!(indices.len(), 20);
        assert_eq!(index(1), 0);
        assert_eq!(index(0), 0);
    }
}
