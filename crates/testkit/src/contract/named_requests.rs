//! The contract of [`NamedRequests`](revolve_domain::ports::NamedRequests).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

use super::{
    ApiKeysSubject,
    accounts::at,
    given::{at_once, random},
};
use revolve_domain::{
    model::{ApiKeyId, Fingerprint},
    ports::{Claim, NamedRequest, REQUESTS_KEPT},
};
use std::time::Duration;
use uuid::Uuid;

fn request() -> NamedRequest {
    NamedRequest {
        name: Fingerprint::of_request(ApiKeyId::from_random(random()), "create"),
        content: Fingerprint::of_content(&"the key".into(), &random()),
        id: Uuid::from_bytes(random()),
        at: at(0),
    }
}

async fn claim(subject: &dyn ApiKeysSubject, request: &NamedRequest) -> Claim {
    let requests = subject.named_requests();
    requests.claim(request).await.expect("claim works")
}

/// It keeps the id and the time of the first.
pub async fn a_request_is_new_once(subject: &dyn ApiKeysSubject) {
    let first = request();
    assert_eq!(claim(subject, &first).await, Claim::New);
    let again = NamedRequest {
        id: Uuid::from_bytes(random()),
        at: at(60),
        ..first.clone()
    };
    assert_eq!(claim(subject, &again).await, Claim::Again(first));
}

/// The first one stays.
pub async fn another_request_does_not_take_the_name(subject: &dyn ApiKeysSubject) {
    let first = request();
    claim(subject, &first).await;
    let other = NamedRequest {
        name: first.name,
        ..request()
    };
    assert_eq!(claim(subject, &other).await, Claim::Other);
    assert_eq!(claim(subject, &first).await, Claim::Again(first.clone()));
    assert_eq!(
        claim(subject, &request()).await,
        Claim::New,
        "other names are free"
    );
}

/// For any other request.
pub async fn a_released_name_is_free(subject: &dyn ApiKeysSubject) {
    let first = request();
    claim(subject, &first).await;
    let requests = subject.named_requests();
    requests.release(&first).await.expect("release works");
    let other = NamedRequest {
        name: first.name,
        ..request()
    };
    assert_eq!(claim(subject, &other).await, Claim::New);
}

/// One that has the name by now keeps it.
pub async fn a_release_frees_no_other_request(subject: &dyn ApiKeysSubject) {
    let first = request();
    claim(subject, &first).await;
    let requests = subject.named_requests();
    for other in [
        NamedRequest {
            content: request().content,
            ..first.clone()
        },
        NamedRequest {
            id: request().id,
            ..first.clone()
        },
        NamedRequest {
            name: request().name,
            ..first.clone()
        },
    ] {
        requests.release(&other).await.expect("release works");
        assert_eq!(claim(subject, &first).await, Claim::Again(first.clone()));
    }
}

/// And not before.
pub async fn a_name_is_free_after_a_day(subject: &dyn ApiKeysSubject) {
    // Long before the requests of other cases, which must not be forgotten.
    let begin = at(0).minus(10 * REQUESTS_KEPT);
    let first = NamedRequest {
        at: begin,
        ..request()
    };
    claim(subject, &first).await;
    let other = |after| NamedRequest {
        name: first.name,
        at: begin.plus(after),
        ..request()
    };
    let early = other(REQUESTS_KEPT.saturating_sub(Duration::from_millis(1)));
    assert_eq!(claim(subject, &early).await, Claim::Other);
    assert_eq!(claim(subject, &other(REQUESTS_KEPT)).await, Claim::New);
}

/// Those from before, and no more at once than that.
pub async fn old_requests_are_pruned(subject: &dyn ApiKeysSubject) {
    // Before the requests of other cases.
    let begin = at(0).minus(20 * REQUESTS_KEPT);
    let came = |seconds| NamedRequest {
        at: begin.plus(Duration::from_secs(seconds)),
        ..request()
    };
    let all = [came(0), came(1), came(2)];
    for request in &all {
        assert_eq!(claim(subject, request).await, Claim::New);
    }
    let before = all[2].at;
    for (limit, pruned) in [(1, 1), (10, 1), (10, 0)] {
        let requests = subject.named_requests();
        let done = requests.prune(before, limit).await;
        assert_eq!(done.expect("prune works"), pruned);
    }
    let [first, second, last] = &all;
    for (request, is_there) in [(first, false), (second, false), (last, true)] {
        let other = NamedRequest {
            content: came(0).content,
            ..request.clone()
        };
        let expected = if is_there { Claim::Other } else { Claim::New };
        assert_eq!(claim(subject, &other).await, expected);
    }
}

/// The others learn its id.
pub async fn of_parallel_requests_one_is_new(subject: &dyn ApiKeysSubject) {
    let first = request();
    let calls = (0..8).map(|_| {
        let requests = subject.named_requests();
        let request = NamedRequest {
            id: Uuid::from_bytes(random()),
            ..first.clone()
        };
        async move {
            let claimed = requests.claim(&request).await.expect("claim works");
            (request, claimed)
        }
    });
    let outcomes = at_once(calls).await;
    let new: Vec<_> = outcomes
        .iter()
        .filter(|(_, claim)| *claim == Claim::New)
        .map(|(request, _)| request)
        .collect();
    let [first] = new[..] else {
        panic!("one is new: {outcomes:?}")
    };
    let again = Claim::Again(first.clone());
    let others = outcomes.iter().filter(|(_, claim)| *claim == again);
    assert_eq!(others.count(), outcomes.len() - 1, "{outcomes:?}");
}
