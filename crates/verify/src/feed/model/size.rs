//! How long statements get, and that the index gives its memory back.

use super::*;
use revolve_domain::{
    policy::SessionPolicy,
    revocations::{CommitSnapshot, PackedStatement, Revocations, SessionEnd},
};
use std::collections::BTreeMap;
use uuid::Uuid;

fn whole_of(log: &RevocationLog) -> PackedStatement {
    log.whole(document::LONGEST_STATEMENT).expect("it is short")
}

fn delta_of(log: &RevocationLog, known: &FeedVersion) -> PackedStatement {
    let delta = log.delta(known, log.version(), usize::MAX);
    delta.expect("it leads on")
}

/// The longest window, as many commits under way as a version tells apart, and ends in every minute.
#[test]
fn the_signed_part_of_the_longest_window_is_taken() {
    let window = window(SessionPolicy::LONGEST_ID_LIFETIME);
    let snapshot = |from: u64| {
        let unseen = (0..512).map(|number| from + 11_719 * number);
        CommitSnapshot::new(1_764_457_320_123_456, from, from + 100_000_000, unseen)
    };
    // Counts have as many digits as there can be in the longest statement.
    let ends = (0..seconds(window) * 17).map(|number| SessionEnd {
        session: SessionId::from_uuid(Uuid::from_u64_pair(1, number.cast_unsigned())),
        user: UserId::from_uuid(Uuid::from_u64_pair(2, number.cast_unsigned())),
        at: Timestamp::from_seconds(START - number / 17),
        commit: 5_000_000_000_000 + number.cast_unsigned(),
    });
    let read = RevocationRead {
        as_of: Timestamp::from_seconds(START),
        window,
        whole: true,
        revocations: Revocations {
            snapshot: snapshot(6_000_000_000_000),
            ends: ends.collect(),
            raised: Vec::new(),
            living: BTreeMap::new(),
            outdated: Vec::new(),
        },
    };
    let log = RevocationLog::new(read);
    let known = FeedVersion {
        as_of: Timestamp::from_seconds(START - 100),
        snapshot: snapshot(4_000_000_000_000),
    };
    for statement in [whole_of(&log), delta_of(&log, &known)] {
        assert!(statement.ends.len() > 1440);
        let text = tokens().sign_packed(&statement).expect("it can sign");
        let (signed, ids) = packed::split(&text).expect("it is packed");
        println!("{} bytes of {}", signed.len(), packed::LONGEST_SIGNED);
        assert!(ids.len() > 30_000_000 && text.len() <= document::LONGEST_STATEMENT);
        packed::parse(signed).expect("it is short enough");
    }
}

/// A thousand ends a second for sixteen minutes.
#[test]
fn a_million_ends_fit_and_a_second_of_them_is_short() {
    const ENDS: u64 = 960_000;
    let snapshot = CommitSnapshot::serial(1, ENDS);
    let ends = |from: u64| {
        (from..=ENDS).map(|number| SessionEnd {
            session: SessionId::from_uuid(Uuid::from_u64_pair(
                number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
                number,
            )),
            user: UserId::from_uuid(Uuid::from_u64_pair(number, 1)),
            at: Timestamp::from_seconds(START - 960 + i64::try_from(number / 1000).expect("few")),
            commit: number,
        })
    };
    let read = |whole, as_of, ends: Vec<SessionEnd>, snapshot| RevocationRead {
        as_of: Timestamp::from_seconds(as_of),
        window: WINDOW,
        whole,
        revocations: Revocations {
            snapshot,
            ends,
            raised: Vec::new(),
            living: BTreeMap::new(),
            outdated: Vec::new(),
        },
    };
    let before = CommitSnapshot::serial(1, ENDS - 1000);
    let mut log = RevocationLog::new(read(
        true,
        START - 1,
        ends(1).filter(|end| end.commit <= ENDS - 1000).collect(),
        before,
    ));
    let known = log.version().clone();
    log.apply(read(false, START, ends(ENDS - 999).collect(), snapshot));
    assert_eq!(log.len(), 960_000);
    let whole = tokens().sign_packed(&whole_of(&log)).expect("it can sign");
    assert!(whole.len() <= 24_000_000, "{} bytes", whole.len());
    let delta = tokens()
        .sign_packed(&delta_of(&log, &known))
        .expect("it can sign");
    assert!(delta.len() <= 64 * 1024, "{} bytes", delta.len());
    let answer = |text| Answer {
        text,
        whole: true,
        since: None,
        ended: HashSet::new(),
        outdated: Vec::new(),
    };
    let mut service = RelyingService::default();
    take(&mut service, &answer(whole), START).expect("it is taken");
    assert_eq!(service.index.read(RevocationIndex::len), 960_000);
    take(&mut service, &answer(delta), START).expect("it is taken");
    assert_eq!(
        service.index.read(RevocationIndex::len),
        960_000,
        "its ends were in the whole"
    );
    // An end leaves with the last token that it concerns, and memory with it.
    let later = u64::try_from(START + 960 + 60 + 600).expect("after 1970");
    service.index.expire(later);
    assert_eq!(service.index.read(RevocationIndex::len), 0);
}
