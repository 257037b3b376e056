//! What an acknowledgement claims, and whether a later answer keeps it. Nothing here speaks to anybody.

use std::time::Instant;

use crate::harness::profile::Answer;

/// What a client was told, and may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// A session that was begun between these moments, and was never ended, lives.
    Lives { asked: Instant, answered: Instant },
    /// A sign-out is final.
    Ended,
    /// Who signed up, or changed the password, can sign in.
    Password,
    /// A password that was replaced is worth nothing.
    Replaced,
}

/// What the white list has lost, by the fault that the round is about: the sessions that began in this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Losses {
    /// Nothing.
    #[default]
    None,
    /// Those that began after the first instant, and not after the second.
    Between(Option<Instant>, Option<Instant>),
}

impl Losses {
    /// Whether a session that was begun between these moments may be among them.
    fn cover(self, asked: Instant, answered: Instant) -> bool {
        match self {
            Self::None => false,
            Self::Between(from, to) => {
                from.is_none_or(|from| answered >= from) && to.is_none_or(|to| asked <= to)
            }
        }
    }

    /// They end here: what begins from now on must live.
    pub(super) fn until(self, now: Instant) -> Self {
        match self {
            Self::Between(from, None) => Self::Between(from, Some(now)),
            other => other,
        }
    }
}

/// What an answer says of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is kept.
    Kept,
    /// It is not kept, and need not be: the white list has lost this session, and says so with the code for that.
    Excused,
    /// It is broken.
    Broken(String),
    /// Ask again.
    Later,
}

/// Judges an answer.
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
    fn what_was_acknowledged_is_kept_or_broken() {
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
    fn only_a_session_that_the_white_list_lost_is_excused_and_only_with_the_right_code() {
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
        // In flight when it happened, and answered after it was over.
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
        // A lost white list is no excuse for a password.
        assert!(is_broken(
            Claim::Password,
            &refused("session_unknown"),
            Losses::Between(None, None)
        ));
    }
}
