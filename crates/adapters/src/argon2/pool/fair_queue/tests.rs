use super::*;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv6Addr};

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
            let (job, place) = queue.begin(ticket)?;
            queue.end(place);
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
    let mut places = Vec::new();
    let mut served = Vec::new();
    // A client that always has one job running and one waiting.
    for _ in 0..10 {
        push(&mut queue, &flow("eager", at(2)), "eager", 1);
        let (ticket, _) = queue.first().unwrap();
        let (job, place) = queue.begin(ticket).unwrap();
        served.push(job);
        places.push(place);
        if places.len() > 1 {
            queue.end(places.remove(0));
        }
    }
    let eager = count(&served, "eager");
    assert!((4..=6).contains(&eager), "{served:?}");
}

#[test]
fn who_leaves_costs_its_account_nothing() {
    let mut queue = queue();
    let left: Vec<_> = (0..50)
        .map(|_| queue.push(&flow("ann", at(1)), "gone".to_owned()))
        .collect();
    push(&mut queue, &flow("bob", at(2)), "bob", 3);
    for ticket in left {
        assert!(queue.remove(ticket) && !queue.remove(ticket));
    }
    assert_eq!(queue.len(), 3);
    push(&mut queue, &flow("ann", at(1)), "ann", 1);
    assert_eq!(queue.ahead(&flow("eve", at(3))), 2);
    assert!(serve(&mut queue, 2).contains(&"ann".to_owned()));
}

#[test]
fn a_full_lane_has_a_place_for_who_takes_up_less_of_it() {
    let mut queue = FairQueue::new(1, 10);
    push(&mut queue, &flow("flood", at(1)), "flood", 8);
    let newest = queue.push(&flow("flood", at(2)), "newest".to_owned());
    push(&mut queue, &flow("ann", at(3)), "ann", 1);
    assert!(!queue.has_place(&flow("flood", at(4))));
    assert!(
        !queue.has_place(&flow("other", at(1))),
        "nor has the flood's address another account's place"
    );
    assert!(
        queue.has_place(&known(flow("flood", at(1)))),
        "the lanes are not in each other's way"
    );
    assert!(queue.has_place(&flow("bob", at(4))));
    push(&mut queue, &flow("bob", at(4)), "bob", 1);
    assert_eq!(queue.len(), 10, "memory is bounded");
    assert!(!queue.remove(newest), "the newest of the flood has gone");
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
    Push(u8, u8, bool),
    Leave(usize),
    Begin,
    End(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..4_u8, 0..4_u8, any::<bool>()).prop_map(|(account, address, known)| Step::Push(account, address, known)),
        1 => any::<usize>().prop_map(Step::Leave),
        3 => Just(Step::Begin),
        3 => any::<usize>().prop_map(Step::End),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn there_is_a_next_job_as_long_as_any_waits_and_nothing_is_kept_of_what_has_gone(steps in steps()) {
        let mut queue = FairQueue::new(2, 16);
        let (mut waiting, mut running) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Push(account, address, is_known) => {
                    let flow = HashFlow { known: is_known, ..flow(&account.to_string(), at(address)) };
                    if queue.has_place(&flow) {
                        waiting.push(queue.push(&flow, String::new()));
                    }
                }
                Step::Leave(any) if !waiting.is_empty() => {
                    let ticket = waiting.swap_remove(any % waiting.len());
                    queue.remove(ticket);
                }
                Step::End(any) if !running.is_empty() => {
                    let place = running.swap_remove(any % running.len());
                    queue.end(place);
                }
                Step::Begin => {
                    prop_assert_eq!(queue.first().is_some(), !queue.is_empty());
                    if let Some((ticket, _)) = queue.first() {
                        let (_, place) = queue.begin(ticket).unwrap();
                        waiting.retain(|other| *other != ticket);
                        running.push(place);
                    }
                }
                Step::Leave(_) | Step::End(_) => {}
            }
            prop_assert!(queue.lanes.iter().all(|lane| lane.waiting.len() <= 16));
        }
        queue.clear();
        for place in running {
            queue.end(place);
        }
        prop_assert!(queue.is_empty());
        for lane in &queue.lanes {
            prop_assert!(lane.accounts.ids.is_empty() && lane.accounts.parties.is_empty());
            prop_assert!(lane.addresses.ids.is_empty() && lane.addresses.parties.is_empty());
        }
    }
}
