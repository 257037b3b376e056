use super::*;
use proptest::prelude::*;
use revolve_domain::{limits::AddressRange, model::EmailAddress};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

/// Jobs are their own names.
type Jobs = FairQueue<String>;

fn flow(account: &str, address: IpAddr) -> HashFlow {
    HashFlow {
        account: EmailAddress::parse(&format!("{account}@example.org")).unwrap(),
        address: Some(AddressRange::of(address, 64)),
        known: false,
    }
}

fn known(flow: HashFlow) -> HashFlow {
    HashFlow {
        known: true,
        ..flow
    }
}

/// An address of its own range.
fn at(number: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, number])
}

/// An address within one /64.
fn within(number: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number).into()
}

fn queue() -> Jobs {
    FairQueue::new(1, 4096)
}

/// Serves one job after the other, and says which.
fn serve(queue: &mut Jobs, jobs: usize) -> Vec<String> {
    (0..jobs)
        .map_while(|_| {
            let (ticket, _) = queue.first()?;
            let (job, share) = queue.begin(ticket)?;
            queue.end(share);
            Some(job)
        })
        .collect()
}

fn push(queue: &mut Jobs, flow: &HashFlow, name: &str, jobs: usize) {
    for _ in 0..jobs {
        queue.push(flow, name.to_owned());
    }
}

fn count(served: &[String], name: &str) -> usize {
    served.iter().filter(|served| *served == name).count()
}

#[test]
fn accounts_at_different_addresses_take_turns() {
    let mut queue = queue();
    for (number, name) in (1..).zip(["ann", "bob", "eve"]) {
        push(&mut queue, &flow(name, at(number)), name, 3);
    }
    assert_eq!(
        serve(&mut queue, 9),
        [
            "ann", "bob", "eve", "ann", "bob", "eve", "ann", "bob", "eve"
        ]
    );
}

/// Beside four users who want as much.
fn assert_gets_a_fifth(mut queue: Jobs) {
    for number in 1..=4 {
        let name = format!("user{number}");
        push(&mut queue, &flow(&name, at(number)), &name, 20);
    }
    let served = serve(&mut queue, 100);
    assert_eq!(count(&served, "flood"), 20, "a fifth: {served:?}");
}

#[test]
fn one_account_from_a_thousand_addresses_gets_one_accounts_share() {
    let mut queue = queue();
    for number in 0..1000_u16 {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, number, 0, 0, 0, 1);
        push(&mut queue, &flow("flood", address.into()), "flood", 1);
    }
    assert_gets_a_fifth(queue);
}

#[test]
fn a_hundred_accounts_of_one_address_get_one_addresss_share() {
    let mut queue = queue();
    for number in 0..100_u16 {
        // Different addresses of one /64 are one customer's.
        let flow = flow(&format!("flood{number}"), within(number));
        push(&mut queue, &flow, "flood", 3);
    }
    assert_gets_a_fifth(queue);
}

#[test]
fn the_accounts_of_one_address_take_turns_within_its_share() {
    let mut queue = queue();
    push(&mut queue, &flow("flood", at(1)), "flood", 50);
    push(&mut queue, &flow("neighbour", at(1)), "neighbour", 2);
    push(&mut queue, &flow("stranger", at(2)), "stranger", 50);
    let served = serve(&mut queue, 8);
    assert_eq!(
        (count(&served, "neighbour"), count(&served, "stranger")),
        (2, 4),
        "{served:?}"
    );
}

#[test]
fn half_of_the_service_is_kept_for_known_clients_and_given_to_others_while_none_waits() {
    let mut queue = queue();
    for number in 1..=100 {
        let flow = flow(&format!("stranger{number}"), at(number));
        push(&mut queue, &flow, "stranger", 2);
    }
    assert_eq!(count(&serve(&mut queue, 10), "stranger"), 10);
    push(&mut queue, &known(flow("ann", at(1))), "ann", 3);
    push(&mut queue, &known(flow("bob", at(1))), "bob", 3);
    assert_eq!(
        serve(&mut queue, 6),
        ["ann", "stranger", "bob", "stranger", "ann", "stranger"],
        "who is known is not in the strangers' line, whatever comes from the same address"
    );
    assert_eq!(serve(&mut queue, 4), ["bob", "stranger", "ann", "stranger"]);
}

#[test]
fn strangers_who_type_an_accounts_address_are_not_in_the_way_of_its_own_devices() {
    let mut queue = queue();
    for number in 0..200 {
        push(&mut queue, &flow("ann", at(number)), "stranger", 1);
    }
    push(&mut queue, &known(flow("ann", at(201))), "ann", 1);
    assert!(queue.ahead(&known(flow("ann", at(201)))) <= 3);
    assert!(serve(&mut queue, 2).contains(&"ann".to_owned()));
}

#[test]
fn a_newcomer_goes_before_the_flood_however_long_that_waits() {
    let mut queue = queue();
    push(&mut queue, &flow("flood", at(1)), "flood", 300);
    for round in 0..20 {
        assert_eq!(serve(&mut queue, 1), ["flood"]);
        let name = format!("newcomer{round}");
        push(&mut queue, &flow(&name, at(2)), &name, 1);
        assert_eq!(serve(&mut queue, 1), [name]);
    }
}

#[test]
fn a_stream_of_newcomers_keeps_nobody_out() {
    let mut queue = FairQueue::new(4, 4096);
    for name in ["ann", "bob"] {
        push(&mut queue, &flow(name, at(1)), name, 2);
    }
    let mut served = Vec::new();
    for number in 0..200_u16 {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, number, 0, 0, 0, 1).into();
        let flow = flow(&format!("newcomer{number}"), address);
        push(&mut queue, &flow, "newcomer", 2);
        served.extend(serve(&mut queue, 1));
    }
    assert_eq!(
        (count(&served, "ann"), count(&served, "bob")),
        (2, 2),
        "{served:?}"
    );
}

#[test]
fn what_runs_counts_so_that_one_connection_after_the_other_gains_nothing() {
    let mut queue = FairQueue::new(2, 4096);
    push(&mut queue, &flow("ann", at(1)), "ann", 10);
    let mut shares = Vec::new();
    let mut served = Vec::new();
    // A client that always has one job running and one waiting.
    for _ in 0..10 {
        push(&mut queue, &flow("eager", at(2)), "eager", 1);
        let (ticket, _) = queue.first().unwrap();
        let (job, share) = queue.begin(ticket).unwrap();
        served.push(job);
        shares.push(share);
        if shares.len() > 1 {
            queue.end(shares.remove(0));
        }
    }
    let eager = count(&served, "eager");
    assert!((4..=6).contains(&eager), "{served:?}");
}

#[test]
fn who_leaves_costs_its_account_nothing() {
    let mut queue = queue();
    let left: Vec<_> = (0..50)
        .map(|_| queue.push(&flow("ann", at(1)), "gone".to_owned()).0)
        .collect();
    push(&mut queue, &flow("bob", at(2)), "bob", 3);
    for ticket in left {
        assert!(queue.remove(ticket).is_some() && queue.remove(ticket).is_none());
    }
    assert_eq!(queue.len(), 3);
    push(&mut queue, &flow("ann", at(1)), "ann", 1);
    assert_eq!(queue.ahead(&flow("eve", at(3))), 2);
    assert!(serve(&mut queue, 2).contains(&"ann".to_owned()));
}

#[test]
fn a_full_line_has_a_place_for_who_takes_up_less_of_it() {
    let mut queue = FairQueue::new(1, 10);
    push(&mut queue, &flow("flood", at(1)), "flood", 8);
    queue.push(&flow("flood", at(2)), "newest".to_owned());
    push(&mut queue, &flow("ann", at(3)), "ann", 1);
    assert!(!queue.has_place(&flow("flood", at(4))));
    assert!(
        !queue.has_place(&flow("other", at(1))),
        "nor has the flood's address another account's place"
    );
    assert!(
        queue.has_place(&known(flow("flood", at(1)))),
        "the lines are not in each other's way"
    );
    assert!(queue.has_place(&flow("bob", at(4))));
    let (_, displaced) = queue.push(&flow("bob", at(4)), "bob".to_owned());
    assert_eq!(queue.len(), 10, "memory is bounded");
    assert_eq!(displaced.as_deref(), Some("newest"), "of the flood");
    for name in ["c", "d", "e", "f", "g", "h", "i"] {
        push(&mut queue, &flow(name, at(name.as_bytes()[0])), name, 1);
    }
    assert!(
        !queue.has_place(&flow("j", at(9))),
        "everybody has about as much: who comes now is refused"
    );
}

#[test]
fn what_is_ahead_is_counted_as_it_will_be_served() {
    let mut queue = queue();
    assert_eq!(queue.ahead(&flow("ann", at(1))), 0);
    push(&mut queue, &flow("flood", at(1)), "flood", 300);
    assert_eq!(queue.ahead(&flow("flood", at(1))), 300, "all of its own");
    assert!(
        queue.ahead(&flow("flood", at(2))) <= 2,
        "the addresses of an account take turns"
    );
    assert!(queue.ahead(&flow("ann", at(2))) <= 1, "one of the flood's");
    assert!(
        queue.ahead(&flow("ann", at(1))) <= 2,
        "also at the same address"
    );
    assert!(queue.ahead(&known(flow("ann", at(1)))) <= 1);
    for number in 0..50 {
        let flow = flow(&format!("user{number}"), at(100 + number));
        push(&mut queue, &flow, "user", 1);
    }
    assert_eq!(
        queue.ahead(&flow("ann", at(2))),
        51,
        "each of the others once"
    );
    assert_eq!(queue.ahead(&flow("flood", at(1))), 350, "all of the others");
    let mut unknown = flow("ann", at(2));
    unknown.address = None;
    assert_eq!(
        queue.ahead(&unknown),
        51,
        "an account counts by itself where no address is known"
    );
}

#[derive(Clone, Debug)]
enum Step {
    /// Account, address and whether the client is known.
    Push(u8, Option<u8>, bool),
    Leave(usize),
    Begin,
    End(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let address = prop::option::weighted(0.9, 0..4_u8);
    let step = prop_oneof![
        4 => (0..4_u8, address, any::<bool>()).prop_map(|(account, address, known)| Step::Push(account, address, known)),
        1 => any::<usize>().prop_map(Step::Leave),
        3 => Just(Step::Begin),
        3 => any::<usize>().prop_map(Step::End),
    ];
    prop::collection::vec(step, 0..200)
}

fn any_flow(account: u8, address: Option<u8>, known: bool) -> HashFlow {
    HashFlow {
        address: address.map(|number| AddressRange::of(at(number), 64)),
        known,
        ..flow(&account.to_string(), at(0))
    }
}

/// How many of these jobs, given by whose they are, are served in so many turns of each.
fn in_turns<K: PartialEq>(jobs: &[K], turns: usize) -> usize {
    let turn = |at: usize| {
        jobs[..at]
            .iter()
            .filter(|other| **other == jobs[at])
            .count()
    };
    (0..jobs.len()).filter(|at| turn(*at) < turns).count()
}

/// What is ahead of one that comes, by looking at each job of a line.
fn ahead_of(flow: &HashFlow, line: &[&HashFlow]) -> usize {
    let of = |same: &dyn Fn(&HashFlow) -> bool| -> Vec<HashFlow> {
        line.iter()
            .filter(|job| same(job))
            .map(|job| (*job).clone())
            .collect()
    };
    let of_account = of(&|job| job.account == flow.account);
    let of_address = of(&|job| flow.address.is_some() && job.address == flow.address);
    let accounts = |jobs: &[HashFlow]| {
        jobs.iter()
            .map(|job| job.account.clone())
            .collect::<Vec<_>>()
    };
    let addresses = |jobs: &[HashFlow]| jobs.iter().map(|job| job.address).collect::<Vec<_>>();
    let in_address = in_turns(&accounts(&of_address), of_account.len() + 1);
    let in_account = match flow.address {
        Some(_) => in_turns(&addresses(&of_account), of_address.len() + 1),
        None => of_account.len(),
    };
    let before = in_address.max(in_account);
    let by_account = in_turns(&accounts(&of(&|_| true)), before + 1);
    let addressed = addresses(&of(&|job| job.address.is_some()));
    let by_address = in_turns(&addressed, before + 1) + line.len() - addressed.len();
    by_account.min(by_address).max(before)
}

/// The most jobs of one account or address in a line.
fn most_of(line: &[&HashFlow]) -> usize {
    let of = |same: &dyn Fn(&HashFlow) -> bool| line.iter().filter(|job| same(job)).count();
    let most = line.iter().map(|one| {
        let account = of(&|job| job.account == one.account);
        account.max(of(&|job| {
            one.address.is_some() && job.address == one.address
        }))
    });
    most.max().unwrap_or(0)
}

proptest! {
    #[test]
    fn what_is_counted_is_what_waits_and_nothing_is_kept_of_what_has_gone(steps in steps()) {
        let mut queue = FairQueue::new(2, 16);
        let (mut waiting, mut running) = (BTreeMap::new(), Vec::new());
        for step in steps {
            match step {
                Step::Push(account, address, known) => {
                    let flow = any_flow(account, address, known);
                    if queue.has_place(&flow) {
                        let (ticket, displaced) = queue.push(&flow, flow.clone());
                        if let Some(displaced) = displaced {
                            let newest = waiting.iter().rfind(|(_, job)| **job == displaced);
                            let newest = *newest.unwrap().0;
                            waiting.remove(&newest);
                        }
                        waiting.insert(ticket, flow);
                    }
                }
                Step::Leave(any) if !waiting.is_empty() => {
                    let ticket = *waiting.keys().nth(any % waiting.len()).unwrap();
                    prop_assert_eq!(queue.remove(ticket), waiting.remove(&ticket));
                }
                Step::End(any) if !running.is_empty() => {
                    let share = running.swap_remove(any % running.len());
                    queue.end(share);
                }
                Step::Begin => {
                    prop_assert_eq!(queue.first().is_some(), !queue.is_empty());
                    if let Some((ticket, _)) = queue.first() {
                        let (job, share) = queue.begin(ticket).unwrap();
                        prop_assert_eq!(Some(job), waiting.remove(&ticket));
                        running.push(share);
                    }
                }
                Step::Leave(_) | Step::End(_) => {}
            }
            prop_assert!(queue.lines.iter().all(|line| line.len() <= 16));
        }
        for (number, line) in queue.lines.iter().enumerate() {
            let jobs: Vec<&HashFlow> = waiting.values().filter(|job| line_of(job) == number).collect();
            prop_assert_eq!(line.len(), jobs.len());
            prop_assert_eq!(line.most_jobs(), most_of(&jobs));
            for (account, address) in (0..5).flat_map(|account| [(account, None), (account, Some(1)), (account, Some(9))]) {
                let flow = any_flow(account, address, number == 1);
                prop_assert_eq!(line.ahead(&flow), ahead_of(&flow, &jobs), "{:?} {:?}", flow, jobs);
            }
        }
        queue.clear();
        for share in running {
            queue.end(share);
        }
        prop_assert!(queue.is_empty() && queue.lines.iter().all(line::Line::is_blank));
    }
}
