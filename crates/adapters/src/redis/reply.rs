//! Parses the answers of the scripts. Each script's header describes its answer.

use super::client::failure::UnreadableReply;
use revolve_domain::{
    model::{Generation, SessionId, Timestamp},
    ports::LiveSession,
    rotation::{LiveToken, Rotation, RotationOutcome},
};
use std::{str::FromStr, time::Duration};

/// Parses the parts of one answer. `whose` is for the error.
struct ReplyReader<'a> {
    whose: &'a dyn std::fmt::Display,
}

impl ReplyReader<'_> {
    fn bad(&self, what: &'static str, text: &str) -> UnreadableReply {
        UnreadableReply {
            what,
            whose: self.whose.to_string(),
            text: text.to_owned(),
        }
    }

    fn parse<T: FromStr>(&self, what: &'static str, text: &str) -> Result<T, UnreadableReply> {
        text.parse().map_err(|_| self.bad(what, text))
    }

    fn generation(&self, text: &str) -> Result<Generation, UnreadableReply> {
        self.parse("gen", text)
            .and_then(|number| Generation::new(number).ok_or_else(|| self.bad("gen", text)))
    }

    fn token(
        &self,
        generation: &str,
        iat: &str,
        exp: &str,
        did: &str,
    ) -> Result<LiveToken, UnreadableReply> {
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

    fn age(&self, text: &str) -> Result<Duration, UnreadableReply> {
        self.parse("age", text).map(Duration::from_millis)
    }
}

/// The answer of `begin` and `list`.
pub(super) fn sessions(answer: &[Vec<String>]) -> Result<Vec<LiveSession>, UnreadableReply> {
    answer.iter().map(|fields| session(fields)).collect()
}

fn session(fields: &[String]) -> Result<LiveSession, UnreadableReply> {
    let [sid, generation, iat, exp, rotated_at, did] = fields else {
        return Err(ReplyReader {
            whose: &"a session",
        }
        .bad("the answer", &fields.join(" ")));
    };
    let session: SessionId = ReplyReader {
        whose: &"a session",
    }
    .parse("sid", sid)?;
    let reader = ReplyReader { whose: &session };
    let refreshed_at = Timestamp::from_millis(reader.parse("rotated_at", rotated_at)?);
    Ok(LiveSession {
        session,
        token: reader.token(generation, iat, exp, did)?,
        refreshed_at,
    })
}

/// The answer of `rotate`, which leaves out what the attempt itself contains.
pub(super) fn outcome(
    answer: &[String],
    rotation: &Rotation,
) -> Result<RotationOutcome, UnreadableReply> {
    let reader = ReplyReader {
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
