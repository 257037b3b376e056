//! One connection, from its greeting to its end.

use super::{
    config::Encryption,
    error::{Failure, SmtpError, Stage},
    lines::Lines,
    server::Server,
};
use lettre::{
    Address,
    transport::smtp::{
        authentication::Mechanism,
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a server may take to say goodbye. The mail is sent, or not, by then.
const GOODBYE: Duration = Duration::from_secs(1);

pub(super) struct Client(AsyncSmtpConnection);

impl Client {
    /// Connects, encrypts and signs in.
    pub(super) async fn open(server: &Server, name: &str) -> Result<Self, SmtpError> {
        let name = ClientId::Domain(name.to_owned());
        let connected = if let (Encryption::Wrapped, Some(tls)) =
            (server.target.encryption, &server.tls)
        {
            let target = (server.target.host.as_str(), server.target.port);
            let each = Some(server.timeout / 3);
            AsyncSmtpConnection::connect_tokio1(target, each, &name, Some(tls.clone()), None).await
        } else {
            let stream = Box::new(Lines::new(server.connect().await?));
            AsyncSmtpConnection::connect_with_transport(stream, &name).await
        };
        let mut connection = connected.map_err(|error| Failure::of(Stage::Connect, error, None))?;
        if let Some(tls) = &server.tls
            && !connection.is_encrypted()
        {
            if connection.can_starttls() {
                connection
                    .starttls(tls.clone(), &name)
                    .await
                    .map_err(|error| Failure::of(Stage::Encrypt, error, None))?;
            } else if server.target.encryption == Encryption::Required {
                return Err(Failure::NoTls.into());
            }
        }
        sign_in(&mut connection, server).await?;
        Ok(Self(connection))
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.0.is_encrypted()
    }

    /// Whether the server takes addresses beyond ASCII.
    pub(super) fn takes_utf8(&self) -> bool {
        self.0
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
    }

    /// Names the sender.
    pub(super) async fn sender(
        &mut self,
        from: &Address,
        parameters: Vec<MailParameter>,
    ) -> Result<(), SmtpError> {
        let command = Mail::new(Some(from.clone()), parameters);
        self.say(Stage::Sender, command, None).await
    }

    /// Takes back what was named.
    pub(super) async fn reset(&mut self) -> Result<(), SmtpError> {
        self.say(Stage::Sender, "RSET\r\n", None).await
    }

    /// Sends a message. Once this is `Ok`, the server answers for it.
    pub(super) async fn send(
        &mut self,
        from: &Address,
        to: &Address,
        data: &[u8],
    ) -> Result<(), SmtpError> {
        let mut parameters = Vec::new();
        let is_ascii = |address: &Address| address.user().is_ascii();
        if !is_ascii(from) || !is_ascii(to) {
            if !self.takes_utf8() {
                return Err(Failure::NoUtf8.into());
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        // Bodies are encoded; only headers with such addresses are not (RFC 6531 §3.1 has both extensions go together).
        if !data.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let recipient = Some(to.as_ref());
        self.sender(from, parameters).await?;
        self.say(
            Stage::Recipient,
            Rcpt::new(to.clone(), Vec::new()),
            recipient,
        )
        .await?;
        self.say(Stage::Content, Data, recipient).await?;
        let sent = self.0.message(data).await;
        sent.map_err(|error| Failure::of(Stage::Content, error, recipient))?;
        Ok(())
    }

    /// Ends the connection. Its failure means nothing any more.
    pub(super) async fn close(mut self) {
        drop(timeout(GOODBYE, self.0.quit()).await);
    }

    async fn say(
        &mut self,
        stage: Stage,
        command: impl std::fmt::Display + Send,
        recipient: Option<&str>,
    ) -> Result<(), SmtpError> {
        let answer = self.0.command(command).await;
        answer.map_err(|error| Failure::of(stage, error, recipient))?;
        Ok(())
    }
}

async fn sign_in(connection: &mut AsyncSmtpConnection, server: &Server) -> Result<(), SmtpError> {
    const KNOWN: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];
    let Some(credentials) = &server.target.credentials else {
        return Ok(());
    };
    if !connection.is_encrypted() && !server.target.is_local {
        return Err(Failure::PlainPassword.into());
    }
    if connection.server_info().get_auth_mechanism(KNOWN).is_none() {
        return Err(Failure::NoSignIn.into());
    }
    let answer = connection.auth(KNOWN, credentials).await;
    answer.map_err(|error| Failure::of(Stage::SignIn, error, None))?;
    Ok(())
}
