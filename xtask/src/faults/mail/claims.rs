//! What a request promises of its mail, and whether the mails that a server has taken keep it. Pure functions.

/// What a mail is for, of those that are ordered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::faults) enum MailKind {
    /// A sign-up orders it.
    VerifyEmail,
    /// A forgotten password orders it.
    ResetPassword,
}

impl MailKind {
    /// The name in the outbox.
    pub(in crate::faults) fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

/// What is known of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::faults) enum Promise {
    /// It was acknowledged.
    Sent,
    /// It was not answered: it was carried out, or was not.
    Perhaps,
    /// It orders nothing: there is no such account.
    Never,
}

/// What may keep a mail from arriving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::faults) enum Obstacle {
    Nothing,
    /// The server refuses the recipient for good.
    Refused,
    /// The code expired before the server took mails again.
    Expired,
}

/// A mail as a server has taken it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// Its `Message-ID`.
    pub(super) id: String,
    pub(super) text: String,
    /// The proof in its link, and its code.
    pub(super) proof: String,
    pub(super) code: String,
    /// Whether the service knows for certain that it was taken.
    pub(super) known: bool,
}

/// What became of an order that is as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Arrived,
    /// More than once, since the service could not know that it had arrived.
    ArrivedAgain,
    /// Nothing was promised, and nothing was sent.
    Absent,
    /// The service gave it up.
    GivenUp,
    /// The service dropped it.
    Expired,
}

/// Judges the mails of one order, in the sequence in which they were taken.
pub(super) fn judge(
    promise: Promise,
    obstacle: Obstacle,
    mails: &[&Taken],
) -> Result<Fate, &'static str> {
    let [first, repeated @ ..] = mails else {
        return match (promise, obstacle) {
            (Promise::Never | Promise::Perhaps, _) => Ok(Fate::Absent),
            (Promise::Sent, Obstacle::Refused) => Ok(Fate::GivenUp),
            (Promise::Sent, Obstacle::Expired) => Ok(Fate::Expired),
            (Promise::Sent, Obstacle::Nothing) => {
                Err("its request was acknowledged, and it did not arrive")
            }
        };
    };
    if promise == Promise::Never {
        return Err("it was sent for an account that does not exist");
    }
    if obstacle == Obstacle::Refused {
        return Err("it was sent again after it was refused for good");
    }
    if repeated.iter().any(|mail| mail.id != first.id) {
        return Err("it was sent under several Message-IDs");
    }
    if repeated.iter().any(|mail| mail.text != first.text) {
        return Err("it was sent with several texts");
    }
    // The last one may be known, and only that.
    if mails[..mails.len() - 1].iter().any(|mail| mail.known) {
        return Err("it was sent again though the server's answer had arrived");
    }
    Ok(if repeated.is_empty() {
        Fate::Arrived
    } else {
        Fate::ArrivedAgain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(id: &str, text: &str, known: bool) -> Taken {
        Taken {
            id: id.to_owned(),
            text: text.to_owned(),
            proof: String::new(),
            code: String::new(),
            known,
        }
    }

    #[test]
    fn an_acknowledged_mail_arrives_unless_something_keeps_it_away() {
        let mail = taken("1", "code", true);
        for (promise, obstacle, absent, present) in [
            (Promise::Sent, Obstacle::Nothing, None, Some(Fate::Arrived)),
            (Promise::Sent, Obstacle::Refused, Some(Fate::GivenUp), None),
            (
                Promise::Sent,
                Obstacle::Expired,
                Some(Fate::Expired),
                Some(Fate::Arrived),
            ),
            (
                Promise::Perhaps,
                Obstacle::Nothing,
                Some(Fate::Absent),
                Some(Fate::Arrived),
            ),
            (
                Promise::Perhaps,
                Obstacle::Refused,
                Some(Fate::Absent),
                None,
            ),
            (Promise::Never, Obstacle::Nothing, Some(Fate::Absent), None),
        ] {
            assert_eq!(
                (
                    judge(promise, obstacle, &[]).ok(),
                    judge(promise, obstacle, &[&mail]).ok()
                ),
                (absent, present),
                "{promise:?} {obstacle:?}"
            );
        }
    }

    #[test]
    fn a_mail_is_sent_again_only_while_the_service_cannot_know_that_it_arrived() {
        let (sure, unsure) = (taken("1", "code", true), taken("1", "code", false));
        let judge = |mails: &[&Taken]| judge(Promise::Sent, Obstacle::Nothing, mails).ok();
        assert_eq!(judge(&[&unsure]), Some(Fate::Arrived));
        assert_eq!(judge(&[&unsure, &sure]), Some(Fate::ArrivedAgain));
        assert_eq!(judge(&[&unsure, &unsure, &sure]), Some(Fate::ArrivedAgain));
        assert_eq!(judge(&[&sure, &sure]), None);
        assert_eq!(judge(&[&sure, &unsure]), None);
        assert_eq!(judge(&[&unsure, &sure, &sure]), None);
    }

    #[test]
    fn what_is_sent_again_is_the_same_mail() {
        let judge = |again: Taken| {
            let first = taken("1", "code", false);
            judge(Promise::Sent, Obstacle::Nothing, &[&first, &again])
        };
        assert!(judge(taken("1", "code", true)).is_ok());
        assert!(judge(taken("2", "code", true)).is_err());
        assert!(judge(taken("1", "another code", true)).is_err());
    }
}
