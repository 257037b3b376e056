//! Rows of sessions that are long over are deleted.

use crate::{
    contract::{
        AccountsSubject,
        accounts::Accounts,
        given::{secs, session, user},
    },
    untold,
};
use revolve_domain::{
    model::{EndReason, Session, Timestamp},
    ports::CreateOutcome,
};

/// Rows are deleted that ended, or reached their absolute end, before the given time, up to the limit.
///
/// The rows of this case are from 1990, older than those of any other, because pruning is not limited to a user.
pub async fn pruning_takes_the_long_over_in_batches(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let start = Timestamp::from_seconds(631_152_000);
    let user = user();
    let row = |after| Session {
        began_at: start.plus(secs(after)),
        ends_at: start.plus(secs(after + 10_000)),
        ..session(&user, 0)
    };
    let first = row(0);
    assert_eq!(
        accounts.create(&user, &first).await,
        CreateOutcome::Created,
        "a fresh address is free"
    );
    let mut rows = vec![first];
    for after in 1..=6 {
        let row = row(after);
        accounts.begin(&row).await;
        rows.push(row);
    }
    let (over, left) = rows.split_at(5);
    for row in &over[..3] {
        accounts
            .sessions
            .end(
                user.id,
                row.id,
                EndReason::SignedOut,
                start.plus(secs(1000)),
                &untold(),
            )
            .await
            .expect("end works");
    }
    accounts
        .sessions
        .end(
            user.id,
            left[0].id,
            EndReason::SignedOut,
            start.plus(secs(9000)),
            &untold(),
        )
        .await
        .expect("end works");

    // Three ended at 1000; none has reached its absolute end.
    let there = async |rows: &[Session]| {
        let mut there = 0;
        for row in rows {
            there += u64::from(accounts.find(user.id, row.id).await.is_some());
        }
        there
    };
    let prune = async |after: u64, limit| {
        accounts
            .sessions
            .prune(start.plus(secs(after)), limit)
            .await
            .expect("prune works")
    };
    assert_eq!(there(&rows).await, 7, "all rows are there");
    let first_batch = prune(5000, 2).await;
    assert!(
        first_batch <= 2,
        "a batch keeps to its limit, got {first_batch}"
    );
    assert!(
        there(&rows).await >= 5,
        "no more rows went than the limit allows"
    );
    while prune(5000, 2).await > 0 {}
    assert_eq!(
        (there(&over[..3]).await, there(&rows[3..]).await),
        (0, 4),
        "those that ended before are gone, and only those"
    );

    // The rows of `over` that never ended are past their absolute end at 10 004; the last one reaches it at 10 006.
    while prune(10_005, 100).await > 0 {}
    assert_eq!(
        (
            there(over).await,
            there(&left[..1]).await,
            there(&left[1..]).await
        ),
        (0, 0, 1),
        "past their absolute end, too"
    );
    accounts
        .users
        .delete(user.id, None, start, &untold())
        .await
        .expect("delete works");
}
