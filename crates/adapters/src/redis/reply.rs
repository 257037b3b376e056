//! The answers of the scripts, as the domain's types. The shapes are those that the head of each script describes.

use revolve_domain::{
    model::{Generation, SessionId, Timestamp},
    ports::LiveSession,
    rotation::{LiveToken, Rotation, RotationOutcome},
};
use std::{str::FromStr, time::Duration};

/// An answer, or something stored, that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {whose} can't be {text:?}")]
pub(super) struct Unreadable {
    what: &'static str,
    whose: String,
    text: String,
}

impl Unreadable {
    /// An answer as a whole.
    pub(super) fn answer(whose: &str, text: String) -> Self {
        Self {
            what: "the answer",
            whose: whose.to_owned(),
            text,
        }
    }
}

/// One answer under examination, and whose it is for the error's sake.
struct Reader<'a> {
    whose: &'a dyn std::fmt::Display,
}

impl Reader<'_> {
    fn bad(&self, what: &'static str, text: &str) -> Unreadable {
        Unreadable {
            what,
            whose: self.whose.to_string(),
            text: text.to_owned(),
        }
    }

    fn parse<T: FromStr>(&self, what: &'static str, text: &str) -> Result<T, Unreadable> {
        text.parse().map_err(|_| self.bad(what, text))
    }

    fn generation(&self, text: &str) -> Result<Generation, Unreadable> {
        self.parse("gen", text)
            .and_then(|number| Generation::new(number).ok_or_else(|| self.bad("gen", text)))
    }

    fn token(
        &self,
        generation: &str,
        iat: &str,
        exp: &str,
        did: &str,
    ) -> Result<LiveToken, Unreadable> {
        Ok(LiveToken {
            generation: self.generation(generation)?,
            issued_at: Timestamp::from_seconds(self.parse("iat", iat)?),
            expires_at: Timestamp::from_seconds(self.parse("exp", exp)?),
            device: if did.is_empty() {
                None
            } else {
                Some(self.parse("did", did)?)
            },
        })
    }

    fn age(&self, text: &str) -> Result<Duration, Unreadable> {
        self.parse("age", text).map(Duration::from_millis)
    }
}

/// The answer of `begin` and `list`.
pub(super) fn sessions(answer: &[Vec<String>]) -> Result<Vec<LiveSession>, Unreadable> {
    answer.iter().map(|fields| session(fields)).collect()
}

fn session(fields: &[String]) -> Result<LiveSession, Unreadable> {
    let [sid, generation, iat, exp, rotated_at, did] = fields else {
        return Err(Reader {
            whose: &"a session",
        }
        .bad("the answer", &fields.join(" ")));
    };
    let session: SessionId = Reader {
        whose: &"a session",
    }
    .parse("sid", sid)?;
    let reader = Reader { whose: &session };
    let refreshed_at = Timestamp::from_millis(reader.parse("rotated_at", rotated_at)?);
    Ok(LiveSession {
        session,
        token: reader.token(generation, iat, exp, did)?,
        refreshed_at,
    })
}

/// The answer of `rotate`. What the attempt itself says is not sent back.
pub(super) fn outcome(
    answer: &[String],
    rotation: &Rotation,
) -> Result<RotationOutcome, Unreadable> {
    let reader = Reader {
        whose: &rotation.session,
    };
    let words: Vec<&str> = answer.iter().map(String::as_str).collect();
    Ok(match *words {
        ["device_mismatch"] => RotationOutcome::DeviceMismatch,
        ["unknown"] => RotationOutcome::Unknown,
        ["healed", lost] => RotationOutcome::Healed {
            token: rotation.successor(),
            lost: reader.generation(lost)?,
        },
        ["rotated"] => RotationOutcome::Rotated(rotation.successor()),
        ["repeated", generation, iat, exp, did, age, late] => RotationOutcome::Repeated {
            token: reader.token(generation, iat, exp, did)?,
            age: reader.age(age)?,
            late: late == "1",
        },
        ["stale"] => RotationOutcome::Stale,
        ["reused", live, age, revoked] => RotationOutcome::Reused {
            live: reader.generation(live)?,
            age: reader.age(age)?,
            revoked: revoked == "1",
        },
        _ => return Err(reader.bad("the answer", &words.join(" "))),
    })
}
