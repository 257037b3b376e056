use super::*;
use crate::argon2::hash::demand::{Effort, HashParameters};
use revolve_domain::{limits::AddressRange, model::EmailAddress};

const PATIENCE: Duration = Duration::from_millis(100);

/// Two threads and a budget of four usual hashes.
fn queue() -> Queue {
    Queue::new(2, PATIENCE, MemoryBudget::new(64 * 1024, 16))
}

fn argon2(memory_kib: u32, passes: u32) -> Effort {
    Effort::of(HashParameters::Argon2 { memory_kib, passes })
}

/// 10 ms by rule of thumb, one block of the usual size.
fn standard() -> HashDemand {
    HashDemand {
        memory: MemoryDemand::Blocks(16),
        effort: argon2(20_000, 1),
    }
}

fn flow(name: &str) -> HashFlow {
    HashFlow {
        account: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
        address: None,
        known: false,
    }
}

fn enter_as(
    queue: &mut Queue,
    flow: &HashFlow,
    demand: HashDemand,
    now: Instant,
) -> Result<Ticket, Duration> {
    queue.enter(flow, demand, Box::new(|_| Box::new(|| {})), now)
}

fn enter(queue: &mut Queue, demand: HashDemand, now: Instant) -> Result<Ticket, Duration> {
    enter_as(queue, &flow("ann"), demand, now)
}

fn begin(queue: &mut Queue, now: Instant) -> Option<(Ticket, WorkMemory)> {
    queue
        .begin(now)
        .map(|(ticket, _, reserved)| (ticket, WorkMemory::allocate(reserved).unwrap()))
}

#[test]
fn who_would_wait_too_long_is_refused_at_once_and_told_how_long() {
    let (mut queue, now) = (queue(), Instant::now());
    let mut refused = None;
    let mut entered = 0;
    while refused.is_none() {
        match enter(&mut queue, standard(), now) {
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
        queue.wait(&flow("ann"), standard().memory, later),
        Duration::from_millis(100),
        "what runs has less and less before it"
    );
    assert!(
        enter(&mut queue, standard(), later).is_ok(),
        "and makes room"
    );
}

#[test]
fn what_was_measured_is_what_the_estimate_goes_by() {
    let (mut queue, now) = (queue(), Instant::now());
    enter(&mut queue, standard(), now).unwrap();
    let (ticket, memory) = begin(&mut queue, now).unwrap();
    queue.computed(ticket, Duration::from_millis(50));
    queue.end(ticket, memory);
    for _ in 0..5 {
        enter(&mut queue, standard(), now).unwrap();
    }
    assert_eq!(
        enter(&mut queue, standard(), now),
        Err(Duration::from_millis(125)),
        "five times 50 ms over two threads"
    );
}

#[test]
fn an_idle_thread_is_worth_no_wait_and_nobody_overtakes() {
    let (mut queue, now) = (queue(), Instant::now());
    let first = enter(
        &mut queue,
        HashDemand {
            effort: argon2(u32::MAX, u32::MAX),
            ..standard()
        },
        now,
    )
    .unwrap();
    assert_eq!(begin(&mut queue, now).unwrap().0, first);
    let second = enter(&mut queue, standard(), now)
        .expect("the second thread has nothing to do, whatever the first one does");
    assert!(
        enter(&mut queue, standard(), now).is_err(),
        "who comes after waits for a thread, and that may take ages"
    );
    assert_eq!(begin(&mut queue, now).unwrap().0, second);
}

#[test]
fn a_large_hash_waits_for_memory_and_is_not_overtaken() {
    let (mut queue, now) = (queue(), Instant::now());
    let (small, all) = (
        standard(),
        HashDemand {
            memory: MemoryDemand::Bytes(64 * 1024),
            ..standard()
        },
    );
    for demand in [small, all, small] {
        enter(&mut queue, demand, now).unwrap();
    }
    assert_eq!(
        queue.wait(&flow("ann"), standard().memory, now),
        Duration::from_millis(20),
        "the large one keeps both threads to itself: 5 + 10 + 5 ms"
    );
    let (first, memory) = begin(&mut queue, now).unwrap();
    assert!(
        begin(&mut queue, now).is_none(),
        "there is a thread, but no memory, for either"
    );
    queue.end(first, memory);
    let (large, memory) = begin(&mut queue, now).unwrap();
    assert!(begin(&mut queue, now).is_none());
    queue.end(large, memory);
    assert!(begin(&mut queue, now).is_some());
    assert!(queue.budget().peak() <= 64 * 1024);
}

#[test]
fn who_leaves_makes_room_and_what_has_begun_stays() {
    let (mut queue, now) = (queue(), Instant::now());
    let tickets: Vec<_> = (0..3)
        .map(|_| enter(&mut queue, standard(), now).unwrap())
        .collect();
    let (begun, _memory) = begin(&mut queue, now).unwrap();
    assert!(!queue.leave(begun), "it is being computed");
    assert!(queue.leave(tickets[1]) && !queue.leave(tickets[1]));
    assert_eq!(queue.counts().waiting, 1);
    queue.close();
    assert!(queue.is_closed() && enter(&mut queue, standard(), now).is_err());
}

/// The least time of 100 refusals while the queue is full and so many wait in it.
fn refusals(waiting: usize) -> Duration {
    let patience = Duration::from_mins(10);
    let (mut queue, now) = (
        Queue::new(2, patience, MemoryBudget::new(64 * 1024, 16)),
        Instant::now(),
    );
    // Accounts of one address.
    let flow = |number: usize| HashFlow {
        address: Some(AddressRange::of([192, 0, 2, 1].into(), 64)),
        ..flow(&format!("flood{}", number % 200))
    };
    for number in 0..waiting {
        enter_as(&mut queue, &flow(number), standard(), now).unwrap();
    }
    queue.patience = Duration::ZERO;
    let flow = flow(0);
    let rounds = (0..50).map(|_| {
        let begun = Instant::now();
        for _ in 0..100 {
            assert!(queue.admit(&flow, standard(), now).is_err());
        }
        begun.elapsed()
    });
    rounds.min().unwrap()
}

#[test]
fn a_refusal_costs_the_same_however_many_wait() {
    let (few, many) = (refusals(4), refusals(MAX_WAITING));
    assert!(many < few * 20, "{few:?} {many:?}");
}

#[test]
fn what_is_not_urgent_enters_an_idle_pool_only() {
    let (mut queue, now) = (queue(), Instant::now());
    let enter_idle = |queue: &mut Queue, demand| {
        queue.enter_idle(&flow("ann"), demand, Box::new(|_| Box::new(|| {})))
    };
    enter_idle(&mut queue, standard()).expect("nothing goes on");
    assert_eq!(enter_idle(&mut queue, standard()), None, "one waits");
    let (first, first_memory) = begin(&mut queue, now).unwrap();
    let large = HashDemand {
        memory: MemoryDemand::Bytes(48 * 1024 + 1),
        ..standard()
    };
    assert_eq!(enter_idle(&mut queue, large), None, "no memory for it");
    enter_idle(&mut queue, standard()).expect("the second thread is idle");
    begin(&mut queue, now).unwrap();
    assert_eq!(enter_idle(&mut queue, standard()), None, "both are busy");
    queue.computed(first, Duration::from_millis(10));
    enter_idle(&mut queue, standard()).expect("the first has done its work");
    queue.end(first, first_memory);
    assert!(begin(&mut queue, now).is_some());
    queue.close();
    assert_eq!(queue.counts().refused, 0, "nobody was refused");
}

#[test]
fn the_estimate_forgets_what_left_was_displaced_or_began() {
    let (mut queue, now) = (queue(), Instant::now());
    queue.patience = Duration::from_mins(10);
    let tickets: Vec<_> = (0..MAX_WAITING)
        .map(|_| enter(&mut queue, standard(), now).unwrap())
        .collect();
    enter_as(&mut queue, &flow("bob"), standard(), now).expect("one of ann's gives way");
    assert_eq!(queue.counts().waiting, MAX_WAITING);
    for ticket in &tickets[10..] {
        queue.leave(*ticket);
    }
    let (ticket, memory) = begin(&mut queue, now).unwrap();
    queue.end(ticket, memory);
    assert_eq!(
        queue.wait(&flow("ann"), standard().memory, now),
        Duration::from_millis(50),
        "ten of 5 ms"
    );
    queue.close();
    assert_eq!(queue.waiting_times.sum(), Duration::ZERO);
}

#[test]
fn who_fills_the_queue_is_refused_and_others_wait_for_their_turn_only() {
    let (mut queue, now) = (queue(), Instant::now());
    while enter(&mut queue, standard(), now).is_ok() {}
    assert_eq!(
        queue.wait(&flow("ann"), standard().memory, now),
        Duration::from_millis(105)
    );
    let known = HashFlow {
        known: true,
        ..flow("ann")
    };
    for other in [flow("bob"), known] {
        assert_eq!(
            queue.wait(&other, standard().memory, now),
            Duration::from_millis(5),
            "one of the others goes before it"
        );
        enter_as(&mut queue, &other, standard(), now).unwrap();
    }
    let served: Vec<_> = std::iter::from_fn(|| {
        let (ticket, memory) = begin(&mut queue, now)?;
        queue.end(ticket, memory);
        Some(ticket)
    })
    .collect();
    assert_eq!(served.len(), 23, "threads have work as long as any waits");
    assert_eq!(
        served[..4].iter().filter(|ticket| **ticket > 21).count(),
        2,
        "{served:?}"
    );
}
