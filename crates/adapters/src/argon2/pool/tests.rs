use super::*;
use argon2::Params;
use revolve_domain::model::EmailAddress;
use std::sync::mpsc;

fn wiped(blocks: &[Block]) -> bool {
    blocks
        .iter()
        .all(|block| block.as_ref().iter().all(|&word| word == 0))
}

#[tokio::test]
async fn memory_is_wiped_unless_the_next_in_line_writes_over_all_of_it() {
    let cost = HashCost {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };
    let config = PoolConfig {
        threads: NonZeroUsize::new(1),
        budget: 1 << 20,
        ..PoolConfig::default()
    };
    let pool = HashingPool::start(&config, cost).unwrap();
    let (standard, small) = (
        HashDemand::of(&cost.params().unwrap()),
        HashDemand::of(&Params::new(32, 1, 1, None).unwrap()),
    );
    let flow = HashFlow {
        account: EmailAddress::parse("ann@example.org").unwrap(),
        address: None,
        known: false,
    };
    for (next, handed_on) in [(standard, true), (small, false)] {
        let (release, held) = mpsc::channel::<()>();
        let first = pool.run(&flow, "write", standard, move |blocks| {
            let _ = held.recv();
            for block in blocks {
                block.as_mut().fill(1);
            }
            Ok(())
        });
        let next = pool.run(&flow, "look", next, |blocks| Ok(wiped(blocks)));
        let release_first = async {
            while pool.stats().waiting == 0 {
                tokio::task::yield_now().await;
            }
            drop(release);
        };
        let (first, next, ()) = tokio::join!(first, next, release_first);
        first.unwrap();
        assert_eq!(next.unwrap(), !handed_on);
        // Once the queue is empty, the memory is wiped.
        while pool.stats().busy > 0 {
            tokio::task::yield_now().await;
        }
        assert!(
            pool.run(&flow, "look", standard, |blocks| Ok(wiped(blocks)))
                .await
                .unwrap()
        );
    }
}
