//! Why a mail was not sent, and whether it makes sense to try again.

use crate::tls;
use revolve_domain::ports::MailError;
use std::{error::Error, fmt, time::Duration};

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Connect,
    Encrypt,
    SignIn,
    Sender,
    Recipient,
    Content,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Encrypt => "switching to TLS",
            Self::SignIn => "signing in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming the recipient",
            Self::Content => "sending the content",
        })
    }
}

/// The mail server did not take a mail. Names no address.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SmtpError(#[from] pub(super) Failure);

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{stage}: the mail server answers {code} {text}")]
    Reply {
        stage: Stage,
        code: u16,
        /// Without what looks like an address.
        text: String,
    },
    #[error("switching to TLS: {advice}")]
    Tls {
        advice: &'static str,
        source: lettre::transport::smtp::Error,
    },
    #[error("{stage}: the connection to the mail server failed")]
    Connection {
        stage: Stage,
        source: lettre::transport::smtp::Error,
    },
    /// Without a source: lettre's words may quote the raw reply.
    #[error("{stage}: the mail server's answer can't be read")]
    Unreadable { stage: Stage },
    #[error("connecting: {host}:{port} can't be reached")]
    Unreachable {
        host: String,
        port: u16,
        source: std::io::Error,
    },
    #[error("the mail server did not take it within {0:?}")]
    Deadline(Duration),
    #[error(
        "the mail server offers no STARTTLS; write smtps:// if it speaks TLS on this port, or allow it with ?tls=opportunistic"
    )]
    NoTls,
    #[error(
        "the mail server offers no way to sign in that is known here: neither AUTH PLAIN nor AUTH LOGIN"
    )]
    NoSignIn,
    #[error("the mail server did not encrypt the connection, so the password was not sent")]
    PlainPassword,
    #[error(
        "the address has characters beyond ASCII before its @, and the mail server does not take these (SMTPUTF8)"
    )]
    NoUtf8,
}

impl SmtpError {
    /// Whether another try is of no use. What concerns the account at the server or the service's own address, rather than this mail, is the
    /// operator's to put right.
    pub(super) fn is_permanent(&self) -> bool {
        match &self.0 {
            Failure::NoUtf8 => true,
            Failure::Reply { stage, code, .. } => {
                let of_this_mail = matches!(stage, Stage::Recipient | Stage::Content);
                // RFC 4954 §6: to be asked to sign in, or to do it otherwise.
                of_this_mail && (500..600).contains(code) && !matches!(code, 530 | 534 | 535 | 538)
            }
            _ => false,
        }
    }

    /// Whether the server does not let the service in, or does not let it send from its address.
    pub(super) fn is_locked_out(&self) -> bool {
        match &self.0 {
            Failure::NoSignIn | Failure::PlainPassword => true,
            Failure::Reply { stage, code, .. } => {
                (500..600).contains(code)
                    && (matches!(stage, Stage::SignIn | Stage::Sender)
                        || matches!(code, 530 | 534 | 535 | 538))
            }
            _ => false,
        }
    }
}

impl From<SmtpError> for MailError {
    fn from(error: SmtpError) -> Self {
        if error.is_permanent() {
            Self::Refused(error.into())
        } else {
            Self::Unsent(error.into())
        }
    }
}

impl Failure {
    /// What lettre says, for a mail to this address.
    pub(super) fn of(
        stage: Stage,
        error: lettre::transport::smtp::Error,
        recipient: Option<&str>,
    ) -> Self {
        if let Some(code) = error.status() {
            let text = error.source().map(ToString::to_string).unwrap_or_default();
            return Self::Reply {
                stage,
                code: code.into(),
                text: redacted(&text, recipient),
            };
        }
        if error.is_response() {
            return Self::Unreadable { stage };
        }
        match tls::advice(&error) {
            Some(advice) => Self::Tls {
                advice,
                source: error,
            },
            None => Self::Connection {
                stage,
                source: error,
            },
        }
    }
}

/// A server's words in one line, of which errors and logs can have no address: neither the recipient's, nor what stands before its @, nor any.
fn redacted(text: &str, recipient: Option<&str>) -> String {
    const MOST: usize = 200;
    let local = recipient
        .and_then(|address| address.rsplit_once('@'))
        .map(|(local, _)| local.to_lowercase());
    let is_named = |word: &str| {
        let bare = word
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase();
        word.contains('@') || local.as_ref().is_some_and(|local| *local == bare)
    };
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if is_named(word) { "…" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(stage: Stage, code: u16) -> SmtpError {
        SmtpError(Failure::Reply {
            stage,
            code,
            text: String::new(),
        })
    }

    #[test]
    fn only_what_concerns_the_mail_itself_is_refused_for_good() {
        for (stage, code, permanent, locked_out) in [
            (Stage::Connect, 554, false, false),
            (Stage::SignIn, 535, false, true),
            (Stage::SignIn, 454, false, false),
            (Stage::Sender, 530, false, true),
            (Stage::Sender, 550, false, true),
            (Stage::Recipient, 550, true, false),
            (Stage::Recipient, 450, false, false),
            (Stage::Content, 552, true, false),
            (Stage::Content, 421, false, false),
        ] {
            let error = reply(stage, code);
            assert_eq!(
                (error.is_permanent(), error.is_locked_out()),
                (permanent, locked_out),
                "{stage} {code}"
            );
        }
    }

    #[test]
    fn no_address_is_in_the_words_of_a_server() {
        for (text, shown) in [
            ("5.1.1 <ann@example.org>: unknown", "5.1.1 … unknown"),
            ("5.1.1 user 'Ann' unknown", "5.1.1 user … unknown"),
            ("too\r\nmany annotations", "too many annotations"),
        ] {
            assert_eq!(redacted(text, Some("ann@example.org")), shown);
        }
        assert_eq!(redacted(&"x".repeat(999), None).len(), 200);
    }
}
