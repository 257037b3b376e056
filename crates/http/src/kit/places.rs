//! Places that clients hold for a while, shared over addresses (max-min fairness): while there is room, anybody takes as many as
//! they want, so that services behind one address are not shut out. When all are held, the address that holds most gives way to
//! each that holds fewer.

use revolve_domain::limits::AddressRange;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;

/// Whom a place is counted for. Those whose address is not known are counted together.
type Address = Option<AddressRange>;

/// A number of places.
pub(crate) struct Places {
    total: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: usize,
    /// The places that each address holds, by number: the first was taken first.
    held: HashMap<Address, BTreeMap<u64, CancellationToken>>,
    last_number: u64,
    queue: VecDeque<Waiter>,
}

struct Waiter {
    address: Address,
    granted: oneshot::Sender<Place>,
}

/// All places are held, and no address holds more than this one would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPlace;

/// A place that is held until this is dropped, or until it must give way.
pub(crate) struct Place {
    places: Arc<Places>,
    address: Address,
    number: u64,
    lost: CancellationToken,
}

impl Place {
    /// Whether, or when, it had to give way to another address.
    pub(crate) fn lost(&self) -> &CancellationToken {
        &self.lost
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.address, self.number);
    }
}

impl State {
    fn count(&self, address: Address) -> usize {
        self.held.get(&address).map_or(0, BTreeMap::len)
    }

    /// Takes a free place.
    fn take(&mut self, address: Address) -> (u64, CancellationToken) {
        self.free -= 1;
        self.last_number += 1;
        let lost = CancellationToken::new();
        let held = self.held.entry(address).or_default();
        held.insert(self.last_number, lost.clone());
        (self.last_number, lost)
    }

    /// Frees a place; not again if it was freed before.
    fn put_back(&mut self, address: Address, number: u64) {
        let Some(held) = self.held.get_mut(&address) else {
            return;
        };
        let lost = held.remove(&number);
        if held.is_empty() {
            self.held.remove(&address);
        }
        if let Some(lost) = lost {
            self.free += 1;
            lost.cancel();
        }
    }

    /// Frees the oldest place of the address that holds most, if that is more than `address` will hold then.
    fn make_room_for(&mut self, address: Address) {
        let most = self.held.iter().max_by_key(|(_, held)| held.len());
        let Some((&heaviest, held)) = most else {
            return;
        };
        if held.len() > self.count(address) + 1
            && let Some(&oldest) = held.keys().next()
        {
            self.put_back(heaviest, oldest);
        }
    }

    /// Whoever waits longest of those whose address holds fewest.
    fn next_waiter(&mut self) -> Option<Waiter> {
        self.queue.retain(|waiter| !waiter.granted.is_closed());
        let counts = self.queue.iter().map(|waiter| self.count(waiter.address));
        let (at, _) = counts.enumerate().min_by_key(|(_, count)| *count)?;
        self.queue.remove(at)
    }
}

impl Places {
    pub(crate) fn new(total: usize) -> Arc<Self> {
        let state = State {
            free: total,
            ..State::default()
        };
        Arc::new(Self {
            total,
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_free(self: &Arc<Self>, state: &mut State, address: Address) -> Option<Place> {
        if state.free == 0 {
            state.make_room_for(address);
        }
        (state.free > 0).then(|| {
            let (number, lost) = state.take(address);
            Place {
                places: Arc::clone(self),
                address,
                number,
                lost,
            }
        })
    }

    /// A place, if there is one for the address now.
    pub(crate) fn try_take(self: &Arc<Self>, address: Address) -> Result<Place, NoPlace> {
        self.take_free(&mut self.state(), address).ok_or(NoPlace)
    }

    /// A place, as soon as there is one for the address, within `patience`.
    pub(crate) async fn take(
        self: &Arc<Self>,
        address: Address,
        patience: Duration,
    ) -> Result<Place, NoPlace> {
        let place = {
            let mut state = self.state();
            if let Some(place) = self.take_free(&mut state, address) {
                return Ok(place);
            }
            let (granted, place) = oneshot::channel();
            state.queue.retain(|waiter| !waiter.granted.is_closed());
            state.queue.push_back(Waiter { address, granted });
            place
        };
        let place = timeout(patience, place).await;
        place.ok().and_then(Result::ok).ok_or(NoPlace)
    }

    fn give_back(self: &Arc<Self>, address: Address, number: u64) {
        let mut served = Vec::new();
        {
            let mut state = self.state();
            state.put_back(address, number);
            while state.free > 0
                && let Some(waiter) = state.next_waiter()
            {
                let place = self.take_free(&mut state, waiter.address);
                served.push((waiter.granted, place));
            }
        }
        for (granted, place) in served {
            // Who has left meanwhile gives it back by dropping it.
            drop(place.map(|place| granted.send(place)));
        }
    }

    /// How many are held.
    pub(crate) fn held(&self) -> usize {
        self.total - self.state().free
    }

    /// How many wait for one.
    pub(crate) fn waiting(&self) -> usize {
        let state = self.state();
        let waiting = state
            .queue
            .iter()
            .filter(|waiter| !waiter.granted.is_closed());
        waiting.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, poll};
    use std::{iter, pin::pin};

    const LONG: Duration = Duration::from_hours(1);

    fn address(text: &str) -> AddressRange {
        AddressRange::of(text.parse().unwrap(), 64)
    }

    /// As many as the address gets.
    fn all(places: &Arc<Places>, address: impl Into<Address>) -> Vec<Place> {
        let address = address.into();
        iter::from_fn(|| places.try_take(address).ok()).collect()
    }

    fn kept(places: &[Place]) -> usize {
        places
            .iter()
            .filter(|place| !place.lost().is_cancelled())
            .count()
    }

    #[test]
    fn an_address_that_is_alone_may_hold_all_and_gives_way_to_others() {
        let places = Places::new(100);
        let one = all(&places, address("192.0.2.1"));
        assert_eq!(one.len(), 100);
        let two = all(&places, address("192.0.2.2"));
        assert_eq!((kept(&one), kept(&two)), (50, 50));
        assert!(one[0].lost().is_cancelled() && !one[99].lost().is_cancelled());
        let three = all(&places, address("192.0.2.3"));
        assert!(kept(&one) >= 33 && kept(&two) >= 33 && kept(&three) >= 33);
        assert_eq!(places.held(), 100);
        drop(one);
        assert_eq!(places.held(), kept(&two) + kept(&three), "counted once");
        drop((two, three));
        assert_eq!((places.held(), places.state().held.len()), (0, 0));
    }

    #[test]
    fn however_many_addresses_are_greedy_a_newcomer_finds_a_place() {
        let places = Places::new(100);
        let mut taken = Vec::new();
        for host in 0..99 {
            taken.extend(all(&places, address(&format!("192.0.2.{host}"))));
            let newcomer = places.try_take(Some(address("198.51.100.1")));
            assert!(newcomer.is_ok(), "{host}");
            assert!(kept(&taken) <= 100);
        }
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let places = Places::new(100);
        let host = |host| address(&format!("2001:db8::{host:x}"));
        let network: Vec<_> = (0..1000)
            .flat_map(|at| places.try_take(Some(host(at))))
            .collect();
        assert_eq!(kept(&network), 100);
        let other = all(&places, address("192.0.2.1"));
        assert_eq!((kept(&network), kept(&other)), (50, 50));
        let unknown = all(&places, None::<AddressRange>);
        assert!(kept(&unknown) >= 33);
    }

    #[tokio::test]
    async fn who_waits_is_served_in_turn_those_first_whose_address_holds_fewest() {
        let places = Places::new(4);
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        let mut of_one = all(&places, one);
        let mut of_other = all(&places, other);
        of_one.drain(..2);
        assert_eq!((kept(&of_one), kept(&of_other)), (2, 2));
        let (mut first, mut second, mut third) = (
            pin!(places.take(Some(one), LONG)),
            pin!(places.take(Some(one), LONG)),
            pin!(places.take(Some(other), LONG)),
        );
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());
        assert!(poll!(&mut third).is_pending());
        assert_eq!(places.waiting(), 3);
        drop(of_other.pop());
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        let third = third.now_or_never().expect("a place").expect("in time");
        drop(of_one.pop());
        assert!(poll!(&mut second).is_pending(), "it came later");
        let first = first.now_or_never().expect("a place").expect("in time");
        drop(of_one);
        let second = second.now_or_never().expect("a place").expect("in time");
        assert_eq!((places.held(), places.waiting()), (4, 0));
        drop((first, second, third, of_other));
        assert_eq!(places.held(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_lost_on_nobody_who_has_left() {
        let places = Places::new(1);
        let held = places.try_take(None).ok();
        {
            let mut leaves = pin!(places.take(None, LONG));
            assert!(poll!(&mut leaves).is_pending());
        }
        assert_eq!(places.waiting(), 0);
        let late = places.take(None, Duration::from_secs(1)).await;
        assert_eq!(late.err(), Some(NoPlace), "it waits no longer");
        let mut stays = pin!(places.take(None, LONG));
        assert!(poll!(&mut stays).is_pending());
        drop(held);
        assert_eq!(places.held(), 1, "it is there for who stays");
        // Granted, and nobody takes it.
        let mut granted = Box::pin(places.take(None, LONG));
        assert!(poll!(&mut granted).is_pending());
        drop(stays.now_or_never().expect("a place"));
        assert_eq!(places.held(), 1);
        drop(granted);
        assert_eq!(places.held(), 0);
    }
}
