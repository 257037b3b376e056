//! What the doctor asks of a mail server.

use super::{
    SmtpConfig, SmtpConfigError, SmtpError, client::Client, error::Failure, server::Server,
};
use crate::mail::Composer;
use tokio::time::timeout;

/// What a mail server said.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct SmtpFacts {
    /// Host and port.
    pub place: String,
    /// Whether it is on this machine.
    pub local: bool,
    /// Whether the connection was encrypted.
    pub encrypted: bool,
    /// Whether the service signed in.
    pub signed_in: bool,
    /// Whether it takes addresses with characters beyond ASCII before the @.
    pub utf8: bool,
    /// Whether it takes mail from the sender.
    pub sender: Result<(), String>,
}

/// Connects, signs in, names the sender and takes it back. No mail is sent.
///
/// # Errors
/// [`SmtpConfigError`] outside, and inside [`SmtpError`] if the server can't be reached or does not let the service in.
pub async fn inspect(
    config: &SmtpConfig,
    composer: &Composer,
) -> Result<Result<SmtpFacts, SmtpError>, SmtpConfigError> {
    let server = Server::new(config)?;
    let asked = timeout(server.timeout, ask(&server, composer)).await;
    let (client, facts) = match asked {
        Ok(Ok(asked)) => asked,
        Ok(Err(error)) => return Ok(Err(error)),
        Err(_) => return Ok(Err(Failure::Deadline(server.timeout).into())),
    };
    client.close().await;
    Ok(Ok(facts))
}

async fn ask(server: &Server, composer: &Composer) -> Result<(Client, SmtpFacts), SmtpError> {
    let mut client = Client::open(server, composer.domain()).await?;
    let mut facts = SmtpFacts {
        place: format!("{}:{}", server.target.host, server.target.port),
        local: server.target.is_local,
        encrypted: client.is_encrypted(),
        signed_in: server.target.credentials.is_some(),
        utf8: client.takes_utf8(),
        sender: Ok(()),
    };
    let named = client.sender(composer.sender(), Vec::new()).await;
    facts.sender = named.map_err(|error| error.to_string());
    if facts.sender.is_ok() {
        client.reset().await?;
    }
    Ok((client, facts))
}
