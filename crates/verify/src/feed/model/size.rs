//! How long statements get, and that the index gives its memory back.

use super::*;

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
        max_ended: 100,
        whole,
        revocations: Revocations {
            snapshot,
            ends,
            raised: Vec::new(),
            living: BTreeMap::new(),
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
    let whole = tokens().sign_packed(&log.whole()).expect("it can sign");
    assert!(whole.len() <= 24_000_000, "{} bytes", whole.len());
    let delta = tokens()
        .sign_packed(&log.delta(&known, log.version()).expect("it leads on"))
        .expect("it can sign");
    assert!(delta.len() <= 64 * 1024, "{} bytes", delta.len());
    let answer = |text| Answer {
        text,
        whole: true,
        since: None,
        ended: HashSet::new(),
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
