use super::*;
use crate::argon2::{
    pace::{Effort, Kind},
    stored::Space,
};

const PATIENCE: Duration = Duration::from_millis(100);

/// Two threads and a budget of four usual hashes.
fn queue() -> Queue {
    Queue::new(2, PATIENCE, Budget::new(64 * 1024, 16))
}

/// 10 ms by rule of thumb, one block of the usual size.
fn usual() -> Demand {
    Demand {
        space: Space::Blocks(16),
        effort: Effort::new(Kind::Argon2, 20_000),
    }
}

fn enter(queue: &mut Queue, demand: Demand, now: Instant) -> Result<Ticket, Duration> {
    queue.enter(demand, Box::new(|_| {}), now)
}

fn begin(queue: &mut Queue, now: Instant) -> Option<(Ticket, Memory)> {
    queue
        .begin(now)
        .map(|(job, reserved)| (job.ticket, Memory::allocate(reserved).unwrap()))
}

#[test]
fn who_would_wait_too_long_is_refused_at_once_and_told_how_long() {
    let (mut queue, now) = (queue(), Instant::now());
    let mut refused = None;
    let mut entered = 0;
    while refused.is_none() {
        match enter(&mut queue, usual(), now) {
            Ok(_) => entered += 1,
            Err(wait) => refused = Some(wait),
        }
    }
    // 21 times 10 ms over two threads are 105 ms.
    assert_eq!((entered, refused), (21, Some(Duration::from_millis(105))));
    assert_eq!(queue.counts().refused, 1);
    assert!(begin(&mut queue, now).is_some());
    let later = now + Duration::from_millis(10);
    assert_eq!(
        queue.wait(usual().space, later),
        Duration::from_millis(100),
        "what runs has less and less before it"
    );
    assert!(enter(&mut queue, usual(), later).is_ok(), "and makes room");
}

#[test]
fn what_was_measured_is_what_the_estimate_goes_by() {
    let (mut queue, now) = (queue(), Instant::now());
    enter(&mut queue, usual(), now).unwrap();
    let (ticket, memory) = begin(&mut queue, now).unwrap();
    queue.end(ticket, memory, Some(Duration::from_millis(50)));
    for _ in 0..5 {
        enter(&mut queue, usual(), now).unwrap();
    }
    assert_eq!(
        enter(&mut queue, usual(), now),
        Err(Duration::from_millis(125)),
        "five times 50 ms over two threads"
    );
}

#[test]
fn an_idle_thread_is_worth_no_wait_and_nobody_overtakes() {
    let (mut queue, now) = (queue(), Instant::now());
    let first = enter(
        &mut queue,
        Demand {
            effort: Effort::new(Kind::Argon2, u64::MAX),
            ..usual()
        },
        now,
    )
    .unwrap();
    assert_eq!(begin(&mut queue, now).unwrap().0, first);
    let second = enter(&mut queue, usual(), now)
        .expect("the second thread has nothing to do, whatever the first one does");
    assert!(
        enter(&mut queue, usual(), now).is_err(),
        "who comes after waits for a thread, and that may take ages"
    );
    assert_eq!(begin(&mut queue, now).unwrap().0, second);
}

#[test]
fn a_large_hash_waits_for_memory_and_is_not_overtaken() {
    let (mut queue, now) = (queue(), Instant::now());
    let (small, all) = (
        usual(),
        Demand {
            space: Space::Own(64 * 1024),
            ..usual()
        },
    );
    for demand in [small, all, small] {
        enter(&mut queue, demand, now).unwrap();
    }
    assert_eq!(
        queue.wait(usual().space, now),
        Duration::from_millis(20),
        "the large one keeps both threads to itself: 5 + 10 + 5 ms"
    );
    let (first, memory) = begin(&mut queue, now).unwrap();
    assert!(
        begin(&mut queue, now).is_none(),
        "there is a thread, but no memory, for either"
    );
    queue.end(first, memory, None);
    let (large, memory) = begin(&mut queue, now).unwrap();
    assert!(begin(&mut queue, now).is_none());
    queue.end(large, memory, None);
    assert!(begin(&mut queue, now).is_some());
    assert!(queue.budget().peak() <= 64 * 1024);
}

#[test]
fn who_leaves_makes_room_and_what_has_begun_stays() {
    let (mut queue, now) = (queue(), Instant::now());
    let tickets: Vec<_> = (0..3)
        .map(|_| enter(&mut queue, usual(), now).unwrap())
        .collect();
    let (begun, _memory) = begin(&mut queue, now).unwrap();
    assert!(!queue.leave(begun), "it is being computed");
    assert!(queue.leave(tickets[1]) && !queue.leave(tickets[1]));
    assert_eq!(queue.counts().waiting, 1);
    queue.close();
    assert!(queue.is_closed() && enter(&mut queue, usual(), now).is_err());
}
