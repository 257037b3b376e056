//! What a committed event promises, and whether the requests that an endpoint got keep it. Pure functions.

/// A request as an endpoint got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    /// Its `webhook-id`.
    pub(super) id: String,
    /// The id and the name of the event in its body.
    pub(super) event: String,
    pub(super) name: String,
    pub(super) body: String,
    /// Whether one of its signatures is of the endpoint's secret.
    pub(super) signed: bool,
    /// Whether it was answered that the event is taken.
    pub(super) taken: bool,
}

/// What became of an event that is as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was taken once.
    Taken,
    /// More than once, since the service could not know of the first.
    TakenAgain,
}

/// Judges the requests with the id of one event, in the order of their arrival. `name` is that of the event if it was committed; the service
/// is `sure` of the answers that it got unless it was killed.
pub(super) fn judge(
    name: Option<&str>,
    arrivals: &[&Arrival],
    sure: bool,
) -> Result<Fate, &'static str> {
    let Some(name) = name else {
        return Err("it was not committed, and was sent");
    };
    let taken = arrivals.iter().filter(|arrival| arrival.taken).count();
    let Some(first) = arrivals.first().filter(|_| taken > 0) else {
        return Err("it was committed, and did not arrive");
    };
    if arrivals.iter().any(|arrival| !arrival.signed) {
        return Err("its signature is wrong");
    }
    if arrivals.iter().any(|arrival| arrival.event != arrival.id) {
        return Err("it was sent under another id");
    }
    if arrivals.iter().any(|arrival| arrival.name != name) {
        return Err("it was sent as another event");
    }
    if arrivals.iter().any(|arrival| arrival.body != first.body) {
        return Err("it was sent with several bodies");
    }
    // The last one may have been taken, and only that.
    let again = arrivals[..arrivals.len() - 1].iter().any(|one| one.taken);
    match (again, sure) {
        (true, true) => Err("it was sent again though the answer had arrived"),
        _ if taken > 1 => Ok(Fate::TakenAgain),
        _ => Ok(Fate::Taken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(taken: bool) -> Arrival {
        Arrival {
            id: "1".to_owned(),
            event: "1".to_owned(),
            name: "session.begun".to_owned(),
            body: "{}".to_owned(),
            signed: true,
            taken,
        }
    }

    fn judged(arrivals: &[&Arrival], sure: bool) -> Option<Fate> {
        judge(Some("session.begun"), arrivals, sure).ok()
    }

    #[test]
    fn what_was_committed_arrives_and_nothing_else_does() {
        let (taken, refused) = (arrival(true), arrival(false));
        assert_eq!(judged(&[&taken], true), Some(Fate::Taken));
        assert_eq!(
            judged(&[&refused, &refused, &taken], true),
            Some(Fate::Taken)
        );
        assert_eq!(judged(&[], true), None);
        assert_eq!(judged(&[&refused], false), None);
        assert!(judge(None, &[&taken], false).is_err());
    }

    #[test]
    fn an_event_is_taken_again_only_if_the_service_cannot_know_that_it_was() {
        let (taken, refused) = (arrival(true), arrival(false));
        for (arrivals, sure, unsure) in [
            (&[&taken, &taken][..], None, Some(Fate::TakenAgain)),
            (&[&taken, &refused], None, Some(Fate::Taken)),
            (&[&refused, &taken], Some(Fate::Taken), Some(Fate::Taken)),
        ] {
            assert_eq!(
                (judged(arrivals, true), judged(arrivals, false)),
                (sure, unsure),
                "{arrivals:?}"
            );
        }
    }

    #[test]
    fn each_request_is_signed_and_the_same_event_under_the_same_id() {
        let first = arrival(false);
        for wrong in [
            Arrival {
                signed: false,
                ..arrival(true)
            },
            Arrival {
                event: "2".to_owned(),
                ..arrival(true)
            },
            Arrival {
                name: "session.ended".to_owned(),
                ..arrival(true)
            },
            Arrival {
                body: "{ }".to_owned(),
                ..arrival(true)
            },
        ] {
            assert_eq!(judged(&[&first, &wrong], false), None, "{wrong:?}");
        }
    }
}
