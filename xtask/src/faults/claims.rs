//! What an acknowledgement promises, and whether a later answer keeps it. Pure functions.

use std::time::Instant;

use crate::harness::profile::Answer;

/// What the service has acknowledged to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// A session that began between these moments and was never ended lives.
    Lives { asked: Instant, answered: Instant },
    /// A sign-out is final.
    Ended,
    /// The password of a sign-up or of a change opens the account.
    Password,
    /// A replaced password is refused.
    Replaced,
}

/// What the store of live tokens may lose by a fault: the sessions that began in this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Losses {
    #[default]
    None,
    /// Sessions that began after the first instant and not after the second.
    Between(Option<Instant>, Option<Instant>),
}

impl Losses {
    /// Whether a session that began between these moments may be lost.
    fn cover(self, asked: Instant, answered: Instant) -> bool {
        match self {
            Self::None => false,
            Self::Between(from, to) => {
                from.is_none_or(|from| answered >= from) && to.is_none_or(|to| asked <= to)
            }
        }
    }

    /// The losses end now: sessions that begin later must live.
    pub(super) fn until(self, now: Instant) -> Self {
        match self {
            Self::Between(from, None) => Self::Between(from, Some(now)),
            other => other,
        }
    }
}

/// What an answer means for a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    Kept,
    /// The session was lost as expected, and the answer says so with the right code.
    Excused,
    Broken(String),
    /// No answer: the client has to ask again.
    Later,
}

pub(super) fn judge(claim: Claim, answer: &Answer, losses: Losses) -> Judgement {
    let good = matches!(claim, Claim::Lives { .. } | Claim::Password);
    match (claim, answer) {
        (_, Answer::Unavailable | Answer::Silence(_)) => Judgement::Later,
        (_, Answer::Odd(what)) => Judgement::Broken(format!("{}: {what}", words(claim))),
        (_, Answer::Granted(_) | Answer::Done) if good => Judgement::Kept,
        (_, Answer::Refused(_)) if !good => Judgement::Kept,
        (Claim::Lives { asked, answered }, Answer::Refused(code))
            if code == "session_unknown" && losses.cover(asked, answered) =>
        {
            Judgement::Excused
        }
        (_, Answer::Refused(code)) => {
            Judgement::Broken(format!("{}: refused ({code})", words(claim)))
        }
        (_, Answer::Granted(_) | Answer::Done) => {
            Judgement::Broken(format!("{}: it worked", words(claim)))
        }
    }
}

fn words(claim: Claim) -> &'static str {
    match claim {
        Claim::Lives { .. } => "an honest client's session",
        Claim::Ended => "a session whose sign-out was answered",
        Claim::Password => "a password whose sign-up or change was answered",
        Claim::Replaced => "a password that was replaced",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::harness::profile::Grant;

    fn granted() -> Answer {
        Answer::Granted(Grant {
            refresh: "r".to_owned(),
            access: None,
            credential: None,
        })
    }

    fn lives(begun: Instant) -> Claim {
        Claim::Lives {
            asked: begun,
            answered: begun,
        }
    }

    fn refused(code: &str) -> Answer {
        Answer::Refused(code.to_owned())
    }

    fn is_broken(claim: Claim, answer: &Answer, losses: Losses) -> bool {
        matches!(judge(claim, answer, losses), Judgement::Broken(_))
    }

    #[test]
    fn an_acknowledgement_is_kept_or_broken() {
        let lives = lives(Instant::now());
        for (claim, good) in [
            (lives, true),
            (Claim::Password, true),
            (Claim::Ended, false),
            (Claim::Replaced, false),
        ] {
            assert_eq!(
                judge(claim, &granted(), Losses::None) == Judgement::Kept,
                good,
                "{claim:?}"
            );
            assert_eq!(
                is_broken(claim, &granted(), Losses::None),
                !good,
                "{claim:?}"
            );
            assert_eq!(
                judge(claim, &refused("session_revoked"), Losses::None) == Judgement::Kept,
                !good,
                "{claim:?}"
            );
            assert_eq!(
                is_broken(claim, &refused("session_revoked"), Losses::None),
                good,
                "{claim:?}"
            );
        }
    }

    #[test]
    fn no_answer_decides_nothing_and_an_odd_one_breaks_everything() {
        for claim in [
            lives(Instant::now()),
            Claim::Ended,
            Claim::Password,
            Claim::Replaced,
        ] {
            assert_eq!(
                judge(claim, &Answer::Unavailable, Losses::None),
                Judgement::Later
            );
            assert_eq!(
                judge(claim, &Answer::Silence("reset".to_owned()), Losses::None),
                Judgement::Later
            );
            assert!(is_broken(
                claim,
                &Answer::Odd("status 500".to_owned()),
                Losses::Between(None, None)
            ));
        }
    }

    #[test]
    fn only_a_lost_session_is_excused_and_only_with_the_right_code() {
        let begun = Instant::now();
        let (before, after) = (
            begun.checked_sub(Duration::from_millis(1)).unwrap(),
            begun + Duration::from_millis(1),
        );
        let lives = lives(begun);
        for (losses, excused) in [
            (Losses::None, false),
            (Losses::Between(None, None), true),
            (Losses::Between(Some(before), None), true),
            (Losses::Between(Some(after), None), false),
            (Losses::Between(Some(before), None).until(after), true),
            (Losses::Between(None, None).until(before), false),
        ] {
            assert_eq!(
                judge(lives, &refused("session_unknown"), losses) == Judgement::Excused,
                excused,
                "{losses:?}"
            );
            assert!(
                is_broken(lives, &refused("token_reused"), losses),
                "{losses:?}"
            );
        }
        // In flight when the losses happened, and answered afterwards.
        let astride = Claim::Lives {
            asked: before,
            answered: after,
        };
        assert_eq!(
            judge(
                astride,
                &refused("session_unknown"),
                Losses::Between(Some(begun), Some(begun))
            ),
            Judgement::Excused
        );
        // Lost sessions are no excuse for a lost password.
        assert!(is_broken(
            Claim::Password,
            &refused("session_unknown"),
            Losses::Between(None, None)
        ));
    }
}
