//! Everything that is stored about an account, for its user.

use super::assert_unavailable;
use revolve_domain::{
    limits::LimitName,
    model::{EventId, ProofPurpose, UserId},
    policy::AccountPolicy,
    ports::{Journal, JournalRecord},
    use_cases::{
        AccountExport, Caller, ExportAccount, ExportAccountError, Refusal, Refused, ShownAsker,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};

async fn export(world: &World, caller: &Caller) -> Result<AccountExport, ExportAccountError> {
    world.export_account.execute(caller).await
}

/// The whole journal of an account, page by page, and how many pages there were.
async fn pages(world: &World, user: UserId) -> (Vec<JournalRecord>, usize) {
    let (mut entries, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = world.export_account.journal(user, after).await;
        let page = page.expect("the journal is in memory");
        pages += 1;
        let is_full = page.len() == ExportAccount::PAGE as usize;
        after = page.last().map(|entry| entry.id);
        entries.extend(page);
        if !is_full {
            return (entries, pages);
        }
    }
}

async fn names(world: &World, ann: &TestClient<'_>) -> Vec<String> {
    let (entries, _) = pages(world, ann.user).await;
    entries.into_iter().map(|entry| entry.event).collect()
}

#[tokio::test]
async fn an_export_has_the_account_its_sessions_and_what_is_open() {
    let world = World::with_mail(AccountPolicy::default());
    let (ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world.signed_up("bob").await;
    let asked = world
        .request_verification
        .execute(&ann.caller(), &ShownAsker::default(), None)
        .await;
    asked.expect("the address is not verified");
    let export = export(&world, &ann.reauthenticated("ann").await).await;
    let export = export.expect("she has shown her password");
    let data = &export.data;
    assert_eq!((data.user.id, export.session), (ann.user, ann.session));
    let mut sessions: Vec<_> = data.sessions.iter().map(|row| row.id).collect();
    let mut live: Vec<_> = export.live.iter().map(|live| live.session).collect();
    let mut expected = vec![ann.session, other.session];
    for ids in [&mut sessions, &mut live, &mut expected] {
        ids.sort();
    }
    assert_eq!((&sessions, &live), (&expected, &expected));
    assert_eq!(data.devices.len(), 2);
    let purposes: Vec<_> = data.proofs.iter().map(|proof| proof.purpose).collect();
    assert!(
        purposes.contains(&ProofPurpose::VerifyEmail),
        "{purposes:?}"
    );
    assert!(!data.mails.is_empty(), "nothing has sent them");
}

#[tokio::test]
async fn an_export_is_written_down_before_it_is_answered() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.reauthenticated("ann").await;
    export(&world, &caller)
        .await
        .expect("she has shown her password");
    assert_eq!(
        names(&world, &ann).await,
        ["account.exported", "account.created"]
    );
    world
        .noted
        .flush(&*world.accounts)
        .await
        .expect("nothing is down");
    let exported = names(&world, &ann).await;
    let exported = exported.iter().filter(|name| *name == "account.exported");
    assert_eq!(exported.count(), 1, "once");

    world.accounts.fail_on("note_events", Fault::Before);
    let failed = export(&world, &caller).await;
    let Err(ExportAccountError::Refused(refused)) = failed else {
        panic!("what can't be written down is not answered: {failed:?}")
    };
    assert_unavailable::<()>(Err(refused));
}

#[tokio::test]
async fn a_long_journal_comes_in_pages() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let (first, _) = pages(&world, ann.user).await;
    let noted: Vec<_> = (0..250)
        .map(|number: u8| JournalRecord {
            id: EventId::from_random([number; 16]),
            ..first[0].clone()
        })
        .collect();
    world.accounts.note(&noted).await.expect("it is in memory");
    let (entries, pages) = pages(&world, ann.user).await;
    assert_eq!((entries.len(), pages), (251, 3));
}

#[tokio::test]
async fn an_export_needs_the_password_and_the_device() {
    let world = World::new();
    let (mut ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let required = |result: Result<AccountExport, ExportAccountError>| {
        matches!(result, Err(ExportAccountError::ReauthenticationRequired))
    };
    assert!(required(export(&world, &ann.caller()).await), "none");
    let foreign = Caller {
        reauthentication: other.reauthenticated("ann").await.reauthentication,
        ..ann.caller()
    };
    assert!(
        required(export(&world, &foreign).await),
        "another session's"
    );
    ann.shows_credential = true;
    ann.refresh().await.expect("the session lives");
    let own = ann.reauthenticated("ann").await;
    let thief = Caller {
        device_credentials: Vec::new(),
        ..own.clone()
    };
    let refused = export(&world, &thief).await;
    assert!(
        matches!(
            refused,
            Err(ExportAccountError::Refused(Refused::Token(
                Refusal::DeviceMismatch
            )))
        ),
        "{refused:?}"
    );
    let told = names(&world, &ann).await;
    assert!(
        !told.iter().any(|name| name == "account.exported"),
        "{told:?}"
    );
    export(&world, &own).await.expect("it is hers");
}

#[tokio::test]
async fn exports_are_limited_for_each_account_and_failed_ones_do_not_count() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.reauthenticated("ann").await;
    world.tokens.fail_on("list_entries", Fault::Before);
    for _ in 0..20 {
        export(&world, &caller).await.expect_err("a store is down");
    }
    world.tokens.recover();
    for _ in 0..10 {
        export(&world, &caller).await.expect("ten an hour");
    }
    let refused = export(&world, &caller).await;
    let Err(ExportAccountError::Refused(Refused::Limited(limited))) = refused else {
        panic!("the eleventh is too many: {refused:?}")
    };
    assert_eq!(limited.limit, LimitName::ExportsPerAccount);
    let bob = world.signed_up("bob").await;
    export(&world, &bob.reauthenticated("bob").await)
        .await
        .expect("others have their own");
}
