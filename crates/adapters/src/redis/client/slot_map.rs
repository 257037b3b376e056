//! Which master of a cluster serves which hash slot, from `CLUSTER SLOTS`.

use deadpool_redis::redis::Value;
use std::{collections::BTreeSet, fmt};

const SLOT_COUNT: u16 = 16_384;

/// Of a node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl NodeAddress {
    /// Parses the `host:port` of a redirection. Without a host it is that of the node that responded.
    pub(crate) fn parse(text: &str, responder: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self {
            host: host_or(host, responder).to_owned(),
            port: port.parse().ok()?,
        })
    }
}

/// A node that does not know its own host name leaves it out or writes a question mark.
fn host_or<'a>(host: &'a str, responder: &'a str) -> &'a str {
    if host.is_empty() || host == "?" {
        responder
    } else {
        host
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SlotMap {
    /// First slot, last slot, master; by first slot.
    ranges: Vec<(u16, u16, NodeAddress)>,
}

/// The hash slot of a key (Redis Cluster specification, "Key distribution model").
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let length = key[open + 1..].iter().position(|&byte| byte == b'}')?;
        (length > 0).then(|| &key[open + 1..open + 1 + length])
    });
    CRC.checksum(tag.unwrap_or(key)) % SLOT_COUNT
}

impl SlotMap {
    /// Parses the answer of `CLUSTER SLOTS`. `None` if it names no master.
    pub(crate) fn parse(answer: &Value, responder: &str) -> Option<Self> {
        let Value::Array(entries) = answer else {
            return None;
        };
        let mut ranges: Vec<_> = entries
            .iter()
            .filter_map(|entry| range(entry, responder))
            .collect();
        ranges.sort_unstable();
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    pub(crate) fn master(&self, slot: u16) -> Option<&NodeAddress> {
        let after = self.ranges.partition_point(|(first, ..)| *first <= slot);
        let (_, last, address) = self.ranges[..after].last()?;
        (slot <= *last).then_some(address)
    }

    /// Each master once.
    pub(crate) fn masters(&self) -> BTreeSet<&NodeAddress> {
        self.ranges.iter().map(|(_, _, address)| address).collect()
    }

    /// The ranges of hash slots that no master serves while these do not answer, such as `0-5460, 10923`.
    pub(crate) fn uncovered(&self, unreachable: &BTreeSet<NodeAddress>) -> String {
        let mut gaps: Vec<(u16, u16)> = Vec::new();
        let mut add = |first: u16, last: u16| match gaps.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => gaps.push((first, last)),
        };
        let mut next = 0;
        for (first, last, address) in &self.ranges {
            if next < *first {
                add(next, first - 1);
            }
            if unreachable.contains(address) {
                add(*first, *last);
            }
            next = last + 1;
        }
        if next < SLOT_COUNT {
            add(next, SLOT_COUNT - 1);
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
fn range(entry: &Value, responder: &str) -> Option<(u16, u16, NodeAddress)> {
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
    let address = NodeAddress {
        host: host_or(host, responder).to_owned(),
        port: u16::try_from(*port).ok()?,
    };
    let last = u16::try_from(*last)
        .ok()
        .filter(|last| *last < SLOT_COUNT)?;
    Some((u16::try_from(*first).ok()?, last, address))
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

    fn address(host: &str, port: u16) -> NodeAddress {
        NodeAddress {
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
    fn each_slot_has_the_master_of_the_answer() {
        let answer = Value::Array(vec![
            entry(5461, 10_922, "two", 2),
            entry(0, 5460, "", 1),
            entry(10_924, 16_383, "?", 3),
        ]);
        let map = SlotMap::parse(&answer, "responder").expect("a map");
        assert_eq!(map.master(0), Some(&address("responder", 1)));
        assert_eq!(map.master(5461), Some(&address("two", 2)));
        assert_eq!(map.master(10_923), None);
        assert_eq!(map.master(16_383), Some(&address("responder", 3)));
        assert_eq!(map.masters().len(), 3);
        assert_eq!(map.uncovered(&BTreeSet::new()), "10923");
        assert_eq!(map.uncovered(&[address("two", 2)].into()), "5461-10923");
        assert_eq!(
            map.uncovered(&[address("responder", 1), address("responder", 3)].into()),
            "0-5460, 10923-16383"
        );
    }

    #[test]
    fn nonsense_is_no_slot_map() {
        assert_eq!(SlotMap::parse(&Value::Array(vec![]), "x"), None);
        assert_eq!(SlotMap::parse(&Value::Nil, "x"), None);
        assert_eq!(
            SlotMap::parse(&Value::Array(vec![entry(0, 20_000, "x", 1)]), "x"),
            None
        );
    }

    #[test]
    fn a_redirection_may_leave_the_host_out() {
        assert_eq!(
            NodeAddress::parse("10.0.0.1:7000", "x"),
            Some(address("10.0.0.1", 7000))
        );
        assert_eq!(NodeAddress::parse(":7000", "x"), Some(address("x", 7000)));
        assert_eq!(
            NodeAddress::parse("::1:7000", "x"),
            Some(address("::1", 7000))
        );
        assert_eq!(NodeAddress::parse("nonsense", "x"), None);
    }
}
