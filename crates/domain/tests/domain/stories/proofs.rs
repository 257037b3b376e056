//! What all proofs of mailboxes share.

use super::{
    changes_of_address::change,
    notices::mails,
    proved_sign_ups::sign_up,
    verification::{code, confirm_in, shown, verify, world},
};
use revolve_domain::{
    deliveries::DeliveryQuery,
    journal::{Actor, MailKind},
    limits::LimitName,
    model::{ClientInfo, DetailsChange, EmailAddress, Fingerprint, Proof, ProofId, ProofPurpose},
    policy::Verification,
    ports::{Clock, Deliveries, Journal, JournalQuery, OpenProof, ProofSecrets, Proofs},
    use_cases::{
        ConfirmEmailError, ConfirmEmailRequest, ConfirmSignUpError, ConfirmSignUpRequest,
        DisownEmailError, Evidence, ProofRefused, RecoverError, RecoverRequest, RecoveryRequest,
        RequestedProof, ShownAsker, ShownProof, SignInRequest, SignUpError, SignedUp,
        UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, untold, world::TestClient};

/// Shows a proof that nobody asked for; answers why it was refused.
async fn invent(world: &World, operation: &str, client: ClientInfo) -> Option<ProofRefused> {
    let proof = ShownProof {
        id: ProofId::from_random([7; 16]),
        evidence: Evidence::Code("123456".into()),
        asker: ShownAsker::default(),
    };
    let recover = async |purpose, proof, client| {
        let request = RecoverRequest {
            proof,
            password: World::password("a password of its own"),
            device_name: None,
            client,
        };
        match world.recover.execute(purpose, request).await {
            Err(RecoverError::Proof(refused)) => Some(refused),
            _ => None,
        }
    };
    match operation {
        "/email/confirm" => {
            let request = ConfirmEmailRequest {
                proof,
                caller: None,
                password: None,
                client,
            };
            match world.confirm_email.execute(&request).await {
                Err(ConfirmEmailError::Proof(refused)) => Some(refused),
                _ => None,
            }
        }
        "/email/disown" => match world.disown_email.execute(&proof, &client).await {
            Err(DisownEmailError::Proof(refused)) => Some(refused),
            _ => None,
        },
        "/signup/confirm" => {
            let request = ConfirmSignUpRequest {
                proof,
                password: None,
                device_name: None,
                client,
            };
            match world.confirm_sign_up.execute(request).await {
                Err(ConfirmSignUpError::Proof(refused)) => Some(refused),
                _ => None,
            }
        }
        "/recovery/confirm" => recover(ProofPurpose::ResetPassword, proof, client).await,
        _ => recover(ProofPurpose::UndoEmail, proof, client).await,
    }
}

#[tokio::test]
async fn unknown_proofs_are_limited() {
    let world = world(Verification::Optional);
    for (number, operation) in [
        "/email/confirm",
        "/email/disown",
        "/signup/confirm",
        "/recovery/confirm",
        "/email/undo/confirm",
    ]
    .into_iter()
    .enumerate()
    {
        let client = ClientInfo {
            address: Some([203, 0, 113, u8::try_from(number).expect("five")].into()),
            ..ClientInfo::default()
        };
        for _ in 0..60 {
            let refused = invent(&world, operation, client.clone()).await;
            assert_eq!(refused, Some(ProofRefused::Gone), "{operation}");
        }
        let refused = invent(&world, operation, client).await;
        let Some(ProofRefused::Limited(limited)) = refused else {
            panic!("sixty from one address, {operation}: {refused:?}");
        };
        assert_eq!(limited.limit, LimitName::ConfirmationsPerAddress);
    }
}

#[tokio::test]
async fn what_needs_a_session_is_asked_for_by_the_user() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    change(&world, &ann, "ann@example.net").await;
    let forgotten = RecoveryRequest {
        email: EmailAddress::parse("ann@example.org").expect("an address"),
        locale: None,
        asker: ShownAsker::default(),
        client: ClientInfo::default(),
    };
    let asked = world.request_recovery.execute(forgotten).await;
    asked.expect("anybody may ask");
    let query = JournalQuery {
        user: Some(ann.user),
        limit: 100,
        ..JournalQuery::default()
    };
    let entries = world.accounts.inner().read(&query).await;
    let entries = entries.expect("the journal is in memory");
    let actor = |event: &str| {
        let mut entries = entries.iter();
        let found = entries.find(|entry| entry.event == event);
        found.expect("it is told").actor
    };
    let user = Actor::User(ann.user);
    for (event, expected) in [
        ("verification.requested", user),
        ("email.change_requested", user),
        ("recovery.requested", Actor::Stranger),
    ] {
        assert_eq!(actor(event), expected, "{event}");
    }
}

/// A stranger signs up; answers the language of the mail that says that there is an account.
async fn told_in(world: &World, name: &str) -> Option<String> {
    let request = SignInRequest {
        password: World::password("stranger's password"),
        locale: Some("fr".parse().expect("a language tag")),
        ..World::request(name)
    };
    let asked = world.sign_up.execute(request).await;
    assert!(matches!(asked, Ok(SignedUp::Asked(_))), "{asked:?}");
    let query = DeliveryQuery {
        state: None,
        limit: 100,
    };
    let waiting = Deliveries::list(world.accounts.inner(), query).await;
    let to = format!("{name}@example.org");
    let mail = waiting
        .expect("the store is up")
        .into_iter()
        .map(|delivery| delivery.mail)
        .find(|mail| mail.kind == MailKind::AccountExists && mail.to.as_str() == to);
    let locale = mail.expect("the owner is told").locale;
    locale.map(|locale| locale.as_str().to_owned())
}

#[tokio::test]
async fn the_owner_of_a_taken_address_is_told_in_the_owners_language() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    let request = ConfirmSignUpRequest {
        proof: shown(&proof, code(&world, &proof, 1)),
        password: None,
        device_name: None,
        client: ClientInfo::default(),
    };
    let begun = world.confirm_sign_up.execute(request).await;
    begun.expect("the code is right");
    assert_eq!(told_in(&world, "ann").await.as_deref(), Some("de"));
}

/// Ann's address is the thief's by now, and she can take it back; answers the proof of that.
pub(super) async fn taken_over(world: &World, thief: &TestClient<'_>) -> ProofId {
    verify(world, thief).await;
    let proof = change(world, thief, "thief@example.net").await;
    confirm_in(world, thief, shown(&proof, code(world, &proof, 1)))
        .await
        .expect("the thief reads that mailbox");
    let told = mails(world, "ann@example.org").await;
    let undo = told
        .iter()
        .find_map(|(kind, proof)| proof.filter(|_| *kind == MailKind::EmailChanged));
    undo.expect("the old address is told")
}

fn undoing(world: &World, undo: ProofId) -> RecoverRequest {
    RecoverRequest {
        proof: ShownProof {
            id: undo,
            evidence: Evidence::Code(world.proof_secrets.code(undo, 1)),
            asker: ShownAsker::default(),
        },
        password: World::password("a password of its own"),
        device_name: None,
        client: ClientInfo::default(),
    }
}

#[tokio::test]
async fn nobody_takes_an_address_that_its_owner_can_take_back() {
    let world = world(Verification::Off);
    let thief = world.signed_up("ann").await;
    let undo = taken_over(&world, &thief).await;
    assert!(matches!(
        world.try_sign_up("ann").await,
        Err(SignUpError::EmailTaken)
    ));
    let second = world.signed_up("second").await;
    let to = EmailAddress::parse("ann@example.org").expect("an address");
    let update = UpdateDetailsRequest {
        change: DetailsChange {
            email: Some(to),
            ..DetailsChange::default()
        },
        current_password: Some(World::password("second's password")),
        ..UpdateDetailsRequest::default()
    };
    let updated = world.update_details.execute(&second.caller(), update).await;
    let proof = updated.expect("nobody is told before the address is proved");
    let proof = proof.proof.expect("it has to be proved");
    let shown = shown(&proof, code(&world, &proof, 1));
    assert!(matches!(
        confirm_in(&world, &second, shown).await,
        Err(ConfirmEmailError::EmailTaken)
    ));
    let undone = world
        .recover
        .execute(ProofPurpose::UndoEmail, undoing(&world, undo));
    let owner = world.client(undone.await.expect("the address is free"));
    let user = world.me.execute(&owner.id_token).await.expect("it is hers");
    assert_eq!(user.email.as_str(), "ann@example.org");
}

#[tokio::test]
async fn an_address_is_free_when_the_time_to_take_it_back_is_over() {
    let world = world(Verification::Off);
    let thief = world.signed_up("ann").await;
    taken_over(&world, &thief).await;
    world.advance(ProofPurpose::UndoEmail.lifetime());
    world.signed_up("ann").await;
}

/// The answer is that of any sign-up, and its code, which nobody is sent, makes no account. A mail to the present address is another one.
#[tokio::test]
async fn a_sign_up_with_an_address_that_can_be_taken_back_tells_its_owner() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    let request = |proof: &RequestedProof| ConfirmSignUpRequest {
        proof: shown(proof, code(&world, proof, 1)),
        password: None,
        device_name: None,
        client: ClientInfo::default(),
    };
    let begun = world.confirm_sign_up.execute(request(&proof)).await;
    let thief = world.client(begun.expect("the code is right"));
    let change = change(&world, &thief, "thief@example.net").await;
    confirm_in(&world, &thief, shown(&change, code(&world, &change, 1)))
        .await
        .expect("the thief reads that mailbox");
    let present = SignInRequest {
        email: EmailAddress::parse("thief@example.net").expect("an address"),
        ..World::request("stranger")
    };
    let asked = world.sign_up.execute(present).await;
    assert!(matches!(asked, Ok(SignedUp::Asked(_))), "{asked:?}");

    let taken = sign_up(&world, "ann", "stranger's password").await;
    let free = sign_up(&world, "bob", "bob's password").await;
    assert_eq!(taken.expires_in, free.expires_in);
    assert_eq!(taken.cookie.is_some(), free.cookie.is_some());
    for address in ["thief@example.net", "ann@example.org"] {
        let told = mails(&world, address).await;
        assert!(told.contains(&(MailKind::AccountExists, None)), "{told:?}");
    }
    let told = mails(&world, "ann@example.org").await;
    assert!(
        !told.contains(&(MailKind::SignUp, Some(taken.id))),
        "{told:?}"
    );
    assert!(matches!(
        world.confirm_sign_up.execute(request(&taken)).await,
        Err(ConfirmSignUpError::EmailTaken)
    ));
}

/// An earlier release has let another account take the address.
#[tokio::test]
async fn an_undo_that_finds_the_address_taken_uses_up_no_attempt() {
    let world = world(Verification::Off);
    let thief = world.signed_up("thief").await;
    let taken = world.signed_up("ann").await;
    let (undo, now) = (ProofId::from_random([9; 16]), world.clock.now());
    let proof = Proof {
        id: undo,
        purpose: ProofPurpose::UndoEmail,
        address: EmailAddress::parse("ann@example.org").expect("an address"),
        user: Some(thief.user),
        binding: None,
        asker: Fingerprint::of_browser(""),
        intent: None,
        locale: None,
        created_at: now,
        expires_at: now.plus(ProofPurpose::UndoEmail.lifetime()),
        attempts_left: Proof::ATTEMPTS,
        serial: 1,
    };
    let open = OpenProof {
        proof,
        withheld: true,
    };
    let opened = Proofs::open(world.accounts.inner(), &open, &untold()).await;
    opened.expect("the store is up");
    for _ in 0..7 {
        let refused = world
            .recover
            .execute(ProofPurpose::UndoEmail, undoing(&world, undo));
        assert!(matches!(refused.await, Err(RecoverError::EmailTaken)));
    }
    // The owner reads the mailbox of that account, too.
    world
        .manage_accounts
        .delete(taken.user, Actor::Operator)
        .await
        .expect("the stores are up");
    let undone = world
        .recover
        .execute(ProofPurpose::UndoEmail, undoing(&world, undo));
    undone.await.expect("the address is free again");
}
