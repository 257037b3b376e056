//! Which credential a device keeps, which one is replaced, and which device a session is bound to.

use super::{LATE, refusal};
use revolve_domain::{
    model::{ClientInfo, DeviceId, WebOrigin},
    ports::{RefreshClaims, TokenCodec},
    use_cases::{
        Begun, ChangePasswordRequest, RefreshRequest, Refusal, SignInError, SignInRequest,
        SignOutScope,
    },
};
use revolve_testkit::{
    World,
    memory::{Fault, TestCodec},
    world::TestClient,
};
use secrecy::{ExposeSecret, SecretString};

/// The device of the client's session, as its row has it.
fn device(world: &World, client: &TestClient<'_>) -> DeviceId {
    let rows = world.accounts.inner().rows(client.user);
    let row = rows.into_iter().find(|row| row.id == client.session);
    row.expect("the row is there").device
}

/// Whether the client's session is bound, as its row and its entry have it.
fn is_bound(world: &World, client: &TestClient<'_>) -> bool {
    let rows = world.accounts.inner().rows(client.user);
    let row = rows.into_iter().find(|row| row.id == client.session);
    let in_row = row.expect("the row is there").bound_at.is_some();
    let entry = client.entry().expect("the entry is there");
    assert_eq!(entry.token.device.is_some(), in_row);
    in_row
}

/// Presents the client's token with these credentials and keeps the answer.
async fn refresh_showing(
    world: &World,
    client: &mut TestClient<'_>,
    credentials: &[&SecretString],
) -> Result<(), Refusal> {
    let request = RefreshRequest {
        device_credentials: credentials.iter().copied().cloned().collect(),
        ..client.request(&client.refresh_token)
    };
    match world.refresh.execute(request).await {
        Ok(refreshed) => {
            client.keep(&refreshed.tokens);
            Ok(())
        }
        refused => Err(refusal(refused)),
    }
}

/// Signs in with these credentials.
async fn sign_in_showing<'w>(
    world: &'w World,
    name: &str,
    credentials: &[&SecretString],
    origin: Option<&str>,
) -> TestClient<'w> {
    let request = World::request(name);
    let request = SignInRequest {
        device_credentials: credentials.iter().copied().cloned().collect(),
        client: ClientInfo {
            origin: origin.and_then(WebOrigin::parse),
            ..request.client
        },
        ..request
    };
    let begun = world.sign_in.execute(request).await;
    world.client(begun.expect("the password is right"))
}

/// Asserts that the next sign-in on the client's device gets another credential, and that the old one is worth nothing then.
async fn assert_replaced(world: &World, ann: TestClient<'_>) {
    let copy = ann.credential.clone();
    let mut again = ann
        .sign_in_again("ann")
        .await
        .expect("the password is right");
    assert_ne!(again.credential.expose_secret(), copy.expose_secret());
    let old = world.accounts.inner().rows(ann.user);
    let old = old.iter().find(|row| row.id == ann.session);
    assert!(
        old.is_some_and(|old| old.ending.is_some()),
        "the session that the device had is over"
    );
    let shown = refresh_showing(world, &mut again, &[&copy]).await;
    assert_eq!(shown, Ok(()), "the session is not bound yet");
    assert!(!is_bound(world, &again), "and the copy binds nothing");
    again.refresh().await.expect("the new credential does");
    let shown = refresh_showing(world, &mut again, &[&copy]).await;
    assert_eq!(shown, Err(Refusal::DeviceMismatch));
    let thief = sign_in_showing(world, "ann", &[&copy], None).await;
    assert_ne!(device(world, &thief), device(world, &ann), "a stranger's");
    again
        .refresh()
        .await
        .expect("nor does it replace a session");
    let kept = again
        .sign_in_again("ann")
        .await
        .expect("the password is right");
    assert_eq!(
        kept.credential.expose_secret(),
        again.credential.expose_secret()
    );
}

#[tokio::test]
async fn whatever_raises_the_epoch_replaces_the_credentials() {
    for scope in [SignOutScope::Others, SignOutScope::Everywhere] {
        let world = World::new();
        let ann = world.signed_up("ann").await;
        let signed_out = world.sign_out.execute(&ann.caller(), scope).await;
        signed_out.expect("the session lives");
        assert_replaced(&world, ann).await;
    }
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let change = ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("ann's other password"),
    };
    let back = ChangePasswordRequest {
        current: Some(change.new.clone()),
        new: World::password("ann's password"),
    };
    for change in [change, back] {
        let changed = world.change_password.execute(&ann.caller(), change).await;
        changed.expect("the password is right");
    }
    assert_replaced(&world, ann).await;
}

#[tokio::test]
async fn reuse_replaces_the_credential_of_its_device_and_of_no_other() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let laptop = world.signed_in("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    assert_eq!(refusal(ann.present(&stolen).await), Refusal::TokenReused);
    let again = laptop
        .sign_in_again("ann")
        .await
        .expect("the password is right");
    assert_eq!(
        again.credential.expose_secret(),
        laptop.credential.expose_secret(),
        "the other device is left alone"
    );
    assert_replaced(&world, ann).await;
}

#[tokio::test]
async fn a_credential_that_is_about_to_be_replaced_still_tells_the_owner_from_strangers() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let everywhere = SignOutScope::Everywhere;
    world
        .sign_out
        .execute(&ann.caller(), everywhere)
        .await
        .expect("the session lives");
    while world.try_sign_in("ann").await.is_ok() {
        let wrong = SignInRequest {
            password: World::password("a guess"),
            ..World::request("ann")
        };
        let _refused = world.sign_in.execute(wrong).await;
    }
    let again = ann
        .sign_in_again("ann")
        .await
        .expect("an attack on her account is not in her way");
    assert!(
        ann.sign_in_again("ann").await.is_err(),
        "the copy is a stranger's once it is replaced"
    );
    again
        .sign_in_again("ann")
        .await
        .expect("the new one is not");
}

#[tokio::test]
async fn a_credential_of_somebody_else_is_never_kept() {
    let world = World::new();
    let (mallory, _) = (
        world.signed_up("mallory").await,
        world.signed_up("ann").await,
    );
    let planted = mallory.credential.clone();
    let request = SignInRequest {
        device_credentials: vec![planted.clone()],
        ..World::request("bob")
    };
    let begun = world.sign_up.execute(request).await;
    let bob = world.client(begun.expect("the address is free"));
    for mut victim in [sign_in_showing(&world, "ann", &[&planted], None).await, bob] {
        assert_ne!(device(&world, &victim), device(&world, &mallory));
        let own = victim.credential.clone();
        let shown = refresh_showing(&world, &mut victim, &[&planted]).await;
        assert_eq!(shown, Ok(()), "it signs nobody out");
        assert!(!is_bound(&world, &victim), "nor is it bound to");
        let shown = refresh_showing(&world, &mut victim, &[&planted, &own]).await;
        assert_eq!(shown, Ok(()), "a browser shows those of all its accounts");
        let shown = refresh_showing(&world, &mut victim, &[&planted]).await;
        assert_eq!(shown, Err(Refusal::DeviceMismatch));
    }
}

#[tokio::test]
async fn each_front_end_has_a_session_of_its_own_on_a_device() {
    let (shop, blog) = (
        Some("https://shop.example.org"),
        Some("https://blog.example.org"),
    );
    let world = World::new();
    let app = world.signed_up("ann").await;
    let credential = [&app.credential];
    let mut in_shop = sign_in_showing(&world, "ann", &credential, shop).await;
    let mut in_blog = sign_in_showing(&world, "ann", &credential, blog).await;
    let mut again = sign_in_showing(&world, "ann", &credential, shop).await;
    assert_eq!(
        refresh_showing(&world, &mut in_shop, &credential).await,
        Err(Refusal::SessionReplaced)
    );
    let mut other = app
        .sign_in_again("ann")
        .await
        .expect("the password is right");
    other.refresh().await.expect("a client without an origin");
    for kept in [&mut again, &mut in_blog] {
        assert_eq!(refresh_showing(&world, kept, &credential).await, Ok(()));
    }
}

#[tokio::test]
async fn two_sign_ins_at_once_are_no_theft() {
    let world = World::new();
    let mut one = world.signed_up("ann").await;
    let two = world.signed_in("ann").await;
    let (ones, twos) = (one.credential.clone(), two.credential.clone());
    let owner = device(&world, &two);
    world.events.take();
    assert_eq!(refresh_showing(&world, &mut one, &[&twos]).await, Ok(()));
    assert_eq!(world.events.take_names(), ["session.bound"]);
    assert_eq!(device(&world, &one), owner, "it has moved");
    assert_eq!(
        TestCodec::read(&one.refresh_token)["did"],
        owner.to_string(),
        "its tokens say so"
    );
    let late = refresh_showing(&world, &mut one, &[&ones]).await;
    assert_eq!(late, Err(Refusal::DeviceMismatch), "bound once");
    let none = refresh_showing(&world, &mut one, &[]).await;
    assert_eq!(none, Err(Refusal::DeviceMismatch), "bound for good");
    assert_eq!(refresh_showing(&world, &mut one, &[&twos]).await, Ok(()));
}

#[tokio::test]
async fn two_users_who_sign_in_at_once_in_a_browser_are_no_theft() {
    let world = World::new();
    let (mut ann, mut bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    // The browser keeps the cookie of the second answer, which knows nothing of the first.
    let cookie = bob.credential.clone();
    world.events.take();
    for _ in 0..2 {
        assert_eq!(refresh_showing(&world, &mut ann, &[&cookie]).await, Ok(()));
        assert_eq!(refresh_showing(&world, &mut bob, &[&cookie]).await, Ok(()));
    }
    assert_eq!(world.events.take_names(), ["session.bound"], "bob's");
    assert!(is_bound(&world, &bob) && !is_bound(&world, &ann));
    let cookie = [&ann.credential.clone(), &cookie];
    assert_eq!(refresh_showing(&world, &mut ann, &cookie).await, Ok(()));
    assert!(is_bound(&world, &ann), "once her own is shown");
}

#[tokio::test]
async fn a_sign_in_still_hashing_does_not_keep_a_device_on_which_reuse_is_found() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    ann.shows_credential = true;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("this binds the session");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    let held = world.hasher.hold();
    let (late, ()) = tokio::join!(ann.sign_in_again("ann"), async {
        held.wait_for(1).await;
        assert_eq!(refusal(ann.present(&stolen).await), Refusal::TokenReused);
        held.release();
    });
    assert!(
        matches!(late, Err(SignInError::Superseded)),
        "there may be a copy of the credential"
    );
    assert_eq!(
        world.tokens.inner().size(ann.user),
        0,
        "the white list is empty"
    );
    assert_replaced(&world, ann).await;
}

#[tokio::test]
async fn a_row_from_an_old_backup_is_bound_to_the_device_that_the_token_names() {
    let world = World::new();
    let one = world.signed_up("ann").await;
    let two = world.signed_in("ann").await;
    let named = world.codec.verify_refresh(&one.refresh_token);
    let claims = RefreshClaims {
        device: Some(device(&world, &two)),
        ..named.expect("it was signed here")
    };
    let token = world.codec.sign_refresh(&claims).expect("signing works");
    let request = |credential: &SecretString| RefreshRequest {
        device_credentials: vec![credential.clone()],
        ..one.request(&token)
    };
    let three = world.signed_in("ann").await;
    for other in [&three.credential, &world.signed_up("bob").await.credential] {
        let refused = world.refresh.execute(request(other)).await;
        assert_eq!(refusal(refused), Refusal::DeviceMismatch);
    }
    let refreshed = world.refresh.execute(request(&two.credential)).await;
    refreshed.expect("the device of the token");
}

#[tokio::test]
async fn a_browser_keeps_the_credentials_that_it_goes_on_to_need() {
    let world = World::new();
    let (mut ann, bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    let shop = Some("https://shop.example.org");
    let sign_in = async |credentials: Vec<SecretString>, origin: Option<&str>| {
        let request = SignInRequest {
            device_credentials: credentials,
            client: ClientInfo {
                origin: origin.and_then(WebOrigin::parse),
                ..ClientInfo::default()
            },
            ..World::request("ann")
        };
        world
            .sign_in
            .execute(request)
            .await
            .expect("the password is right")
    };
    let texts = |credentials: &[&SecretString]| -> Vec<String> {
        let texts = credentials.iter().map(|text| text.expose_secret());
        texts.map(str::to_owned).collect()
    };
    let others = |begun: &Begun| texts(&begun.device.others.iter().collect::<Vec<_>>());

    let (anns, bobs) = (ann.credential.clone(), bob.credential.clone());
    let shown = vec!["forged".into(), bobs.clone(), anns.clone()];
    let begun = sign_in(shown.clone(), shop).await;
    assert_eq!(
        begun.device.credential.expose_secret(),
        anns.expose_secret()
    );
    assert_eq!(others(&begun), texts(&[&bobs]), "another account's");

    ann.shows_credential = true;
    ann.refresh().await.expect("this binds the session");
    let caller = ann.caller();
    let signed_out = world.sign_out.execute(&caller, SignOutScope::Others);
    signed_out.await.expect("the session lives");
    let begun = sign_in(shown.clone(), shop).await;
    assert_eq!(
        others(&begun),
        texts(&[&bobs, &anns]),
        "the session that went on is bound to it"
    );
    ann.refresh().await.expect("it is shown, as before");

    let caller = ann.caller();
    let ended = world.sign_out.execute(&caller, SignOutScope::Everywhere);
    ended.await.expect("the session lives");
    let next = vec![begun.device.credential.clone(), bobs.clone()];
    let begun = sign_in(next, shop).await;
    assert_eq!(
        others(&begun),
        texts(&[&bobs]),
        "nothing is bound to the old one"
    );
    let request = SignInRequest {
        device_credentials: shown,
        ..World::request("eve")
    };
    let begun = world
        .sign_up
        .execute(request)
        .await
        .expect("the address is free");
    assert_eq!(
        others(&begun),
        texts(&[&bobs, &anns]),
        "a sign-up ends nothing"
    );
}

#[tokio::test]
async fn only_the_first_refresh_that_shows_a_credential_asks_more_of_the_user_database() {
    let world = World::new();
    let (mut ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let shown = [other.credential.clone(), ann.credential.clone()];
    let shown = [&shown[0], &shown[1]];
    world.accounts.fail_on("bind_session", Fault::Before);
    ann.refresh().await.expect("without a credential");
    world.accounts.recover();
    let first = refresh_showing(&world, &mut ann, &shown).await;
    assert_eq!(first, Ok(()), "this binds the session");
    for operation in [
        "bind_session",
        "credentials_by_email",
        "credentials",
        "live_sessions",
    ] {
        world.accounts.fail_on(operation, Fault::Before);
        let next = refresh_showing(&world, &mut ann, &shown).await;
        assert_eq!(next, Ok(()), "{operation} is not called");
    }
}
