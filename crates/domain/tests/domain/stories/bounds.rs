//! The data of a user is bounded under any sequence of requests: at most [`SessionPolicy::white_list_ceiling`] entries, `max_per_user` live rows
//! and, after each sign-in, [`SessionPolicy::max_ended`] rows of sessions that ended more than [`KEPT`] ago.

use super::{DAY, secs};
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use revolve_domain::{
    policy::SessionPolicy,
    ports::{Clock, SessionRepository},
    revocations::KEPT,
    use_cases::SignOutScope,
};
use revolve_testkit::{World, memory::Fault, world::TestClient};

#[derive(Clone, Copy, Debug)]
enum UserAction {
    SignIn,
    SignInAgain(usize),
    /// The row does not commit and the entry can't be taken back.
    FailToSignIn,
    Refresh(usize),
    SignOut(usize, SignOutScope),
    Clear,
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<UserAction>> {
    let scope = prop_oneof![4 => Just(SignOutScope::This), 1 => Just(SignOutScope::Others), 1 => Just(SignOutScope::Everywhere)];
    let act = prop_oneof![
        6 => Just(UserAction::SignIn),
        3 => any::<usize>().prop_map(UserAction::SignInAgain),
        6 => Just(UserAction::FailToSignIn),
        3 => any::<usize>().prop_map(UserAction::Refresh),
        1 => (any::<usize>(), scope).prop_map(|(client, scope)| UserAction::SignOut(client, scope)),
        1 => Just(UserAction::Clear),
        1 => prop_oneof![Just(60), Just(DAY.as_secs()), Just(4 * DAY.as_secs())].prop_map(UserAction::Pass),
    ];
    vec(act, 1..120)
}

async fn apply<'w>(world: &'w World, clients: &mut Vec<TestClient<'w>>, act: UserAction) -> bool {
    let of = |client: usize, clients: &[TestClient<'_>]| client % clients.len();
    match act {
        UserAction::SignIn => clients.push(world.signed_in("ann").await),
        UserAction::SignInAgain(client) => {
            let again = clients[of(client, clients)]
                .sign_in_again("ann")
                .await
                .expect("the stores are up");
            clients.push(again);
        }
        UserAction::FailToSignIn => {
            world.accounts.fail_on("begin_session", Fault::Before);
            world.tokens.fail_on("end_entries", Fault::Before);
            assert!(world.try_sign_in("ann").await.is_err(), "the commit fails");
            world.accounts.recover();
            world.tokens.recover();
        }
        UserAction::Refresh(client) => {
            let client = of(client, clients);
            let _refused_or_not = clients[client].refresh().await;
        }
        UserAction::SignOut(client, scope) => {
            let client = of(client, clients);
            let _refused_or_not = world
                .sign_out
                .execute(&clients[client].caller(), scope)
                .await;
        }
        UserAction::Clear => drop(world.clearings.run(&world.clear).await),
        UserAction::Pass(seconds) => world.advance(secs(seconds)),
    }
    matches!(act, UserAction::SignIn | UserAction::SignInAgain(_))
}

async fn nothing_grows(acts: Vec<UserAction>) -> Result<(), TestCaseError> {
    let policy = SessionPolicy {
        max_per_user: 2,
        ..SessionPolicy::default()
    };
    let world = World::with_policy(policy);
    let mut clients = vec![world.signed_up("ann").await];
    let user = clients[0].user;
    for act in acts {
        let signed_in = apply(&world, &mut clients, act).await;
        let entries = world.tokens.inner().size(user);
        prop_assert!(
            entries <= policy.white_list_ceiling(),
            "{} entries after {:?}",
            entries,
            act
        );
        let live = world
            .accounts
            .inner()
            .live(user, world.clock.now())
            .await
            .expect("the store itself never fails")
            .len();
        prop_assert!(
            live <= policy.max_per_user,
            "{} live rows after {:?}",
            live,
            act
        );
        // Those that are younger are as many as the service has hashed passwords for since.
        let settled = world.clock.now().minus(KEPT);
        let ended = world
            .accounts
            .inner()
            .rows(user)
            .iter()
            .filter(|row| row.ending.is_some_and(|ending| ending.at < settled))
            .count();
        prop_assert!(
            !signed_in || ended <= policy.max_ended(),
            "{} rows of ended sessions after {:?}",
            ended,
            act
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_grows_under_any_sequence_of_sign_ins(acts in acts()) {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built").block_on(nothing_grows(acts))?;
    }
}

#[tokio::test]
async fn sign_ins_that_fail_leave_no_more_than_the_ceiling() {
    let policy = SessionPolicy {
        max_per_user: 2,
        ..SessionPolicy::default()
    };
    let world = World::with_policy(policy);
    let mut ann = world.signed_up("ann").await;
    for _ in 0..100 {
        apply(&world, &mut vec![], UserAction::FailToSignIn).await;
        world.advance(secs(1));
        ann.refresh()
            .await
            .expect("the session that is refreshed stays");
    }
    assert_eq!(
        world.tokens.inner().size(ann.user),
        policy.white_list_ceiling(),
        "the ceiling, reached and held"
    );
    world.clearings.run(&world.clear).await;
    assert_eq!(
        world.tokens.inner().size(ann.user),
        1,
        "cleared, only what lives is left"
    );
}
