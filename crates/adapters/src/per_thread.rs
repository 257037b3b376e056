//! Which of a few shared connections a thread uses. A connection is driven by the thread that dialled it: as long as there are as many
//! as threads that serve, no request has to wake another thread, and what several ask in one turn goes out in one write.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The lane of the calling thread, of so many: threads are numbered in the order in which they first ask.
pub(crate) fn of_this_thread(lanes: usize) -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| number % lanes.max(1))
}

#[cfg(test)]
mod tests {
    use super::of_this_thread;
    use std::{collections::HashSet, thread};

    #[test]
    fn a_thread_keeps_its_lane_and_threads_that_follow_have_others() {
        let lane = || {
            let first = of_this_thread(1000);
            assert_eq!(first, of_this_thread(1000));
            first
        };
        let lanes: HashSet<_> = (0..20)
            .map(|_| thread::spawn(lane).join().unwrap())
            .collect();
        assert_eq!(lanes.len(), 20);
        assert_eq!(of_this_thread(1), 0);
        assert_eq!(of_this_thread(0), 0);
    }
}
