//! Which master serves which hash slot, as `CLUSTER SLOTS` tells it.

use deadpool_redis::redis::Value;
use std::{collections::BTreeSet, fmt};

/// How many hash slots a Redis Cluster has.
const SLOTS: u16 = 16_384;

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Place {
    /// Reads `host:port`, as a redirection has it. A host that is left out is the one that answered.
    pub(crate) fn read(text: &str, answered: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self {
            host: known(host, answered).to_owned(),
            port: port.parse().ok()?,
        })
    }
}

/// A node that does not know its own name leaves it out, or writes a question mark.
fn known<'a>(host: &'a str, answered: &'a str) -> &'a str {
    if host.is_empty() || host == "?" {
        answered
    } else {
        host
    }
}

/// Which master serves which hash slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    /// First slot, last slot, master; by first slot.
    ranges: Vec<(u16, u16, Place)>,
}

/// In which hash slot a key is (Redis Cluster specification, "Key distribution model").
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let length = key[open + 1..].iter().position(|&byte| byte == b'}')?;
        (length > 0).then(|| &key[open + 1..open + 1 + length])
    });
    CRC.checksum(tag.unwrap_or(key)) % SLOTS
}

impl Map {
    /// Reads what `CLUSTER SLOTS` answers; nothing if it names no master at all.
    pub(crate) fn read(answer: &Value, answered: &str) -> Option<Self> {
        let Value::Array(entries) = answer else {
            return None;
        };
        let mut ranges: Vec<_> = entries
            .iter()
            .filter_map(|entry| range(entry, answered))
            .collect();
        ranges.sort_unstable();
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    pub(crate) fn master(&self, slot: u16) -> Option<&Place> {
        let after = self.ranges.partition_point(|(first, ..)| *first <= slot);
        let (_, last, place) = self.ranges[..after].last()?;
        (slot <= *last).then_some(place)
    }

    /// Every master once.
    pub(crate) fn masters(&self) -> BTreeSet<&Place> {
        self.ranges.iter().map(|(_, _, place)| place).collect()
    }

    /// The hash slots that no master serves, or only one of those that do not answer; as people write them.
    pub(crate) fn without(&self, silent: &BTreeSet<Place>) -> String {
        let mut gaps: Vec<(u16, u16)> = Vec::new();
        let mut add = |first: u16, last: u16| match gaps.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => gaps.push((first, last)),
        };
        let mut next = 0;
        for (first, last, place) in &self.ranges {
            if next < *first {
                add(next, first - 1);
            }
            if silent.contains(place) {
                add(*first, *last);
            }
            next = last + 1;
        }
        if next < SLOTS {
            add(next, SLOTS - 1);
        }
        let gaps: Vec<_> = gaps
            .iter()
            .map(|(first, last)| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            })
            .collect();
        gaps.join(", ")
    }
}

/// `[first, last, [host, port, id, …], replicas…]`
fn range(entry: &Value, answered: &str) -> Option<(u16, u16, Place)> {
    let Value::Array(parts) = entry else {
        return None;
    };
    let [
        Value::Int(first),
        Value::Int(last),
        Value::Array(master),
        ..,
    ] = &parts[..]
    else {
        return None;
    };
    let [host, Value::Int(port), ..] = &master[..] else {
        return None;
    };
    let host = match host {
        Value::BulkString(host) => str::from_utf8(host).ok()?,
        Value::SimpleString(host) => host,
        _ => "",
    };
    let place = Place {
        host: known(host, answered).to_owned(),
        port: u16::try_from(*port).ok()?,
    };
    let last = u16::try_from(*last).ok().filter(|last| *last < SLOTS)?;
    Some((u16::try_from(*first).ok()?, last, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn entry(first: i64, last: i64, host: &str, port: i64) -> Value {
        let node = |port| Value::Array(vec![text(host), Value::Int(port), text("id")]);
        Value::Array(vec![
            Value::Int(first),
            Value::Int(last),
            node(port),
            node(port + 100),
        ])
    }

    fn place(host: &str, port: u16) -> Place {
        Place {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn keys_are_hashed_as_the_specification_says() {
        assert_eq!(slot_of(b"123456789"), 0x31C3, "its own example");
        assert_eq!(
            slot_of(b"{user1000}.following"),
            slot_of(b"{user1000}.followers")
        );
        assert_eq!(slot_of(b"foo{}{bar}"), slot_of("foo{}{bar}".as_bytes()));
        assert_ne!(
            slot_of(b"foo{}{bar}"),
            slot_of(b"bar"),
            "an empty tag is none"
        );
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
        assert_eq!(slot_of(b"foo{bar}{zap}"), slot_of(b"bar"));
    }

    #[test]
    fn each_slot_has_the_master_that_was_told() {
        let answer = Value::Array(vec![
            entry(5461, 10_922, "two", 2),
            entry(0, 5460, "", 1),
            entry(10_924, 16_383, "?", 3),
        ]);
        let map = Map::read(&answer, "asked").expect("a map");
        assert_eq!(map.master(0), Some(&place("asked", 1)));
        assert_eq!(map.master(5461), Some(&place("two", 2)));
        assert_eq!(map.master(10_923), None);
        assert_eq!(map.master(16_383), Some(&place("asked", 3)));
        assert_eq!(map.masters().len(), 3);
        assert_eq!(map.without(&BTreeSet::new()), "10923");
        assert_eq!(map.without(&[place("two", 2)].into()), "5461-10923");
        assert_eq!(
            map.without(&[place("asked", 1), place("asked", 3)].into()),
            "0-5460, 10923-16383"
        );
    }

    #[test]
    fn nonsense_is_no_map() {
        assert_eq!(Map::read(&Value::Array(vec![]), "x"), None);
        assert_eq!(Map::read(&Value::Nil, "x"), None);
        assert_eq!(
            Map::read(&Value::Array(vec![entry(0, 20_000, "x", 1)]), "x"),
            None
        );
    }

    #[test]
    fn a_redirection_may_leave_the_host_out() {
        assert_eq!(
            Place::read("10.0.0.1:7000", "x"),
            Some(place("10.0.0.1", 7000))
        );
        assert_eq!(Place::read(":7000", "x"), Some(place("x", 7000)));
        assert_eq!(Place::read("::1:7000", "x"), Some(place("::1", 7000)));
        assert_eq!(Place::read("nonsense", "x"), None);
    }
}
