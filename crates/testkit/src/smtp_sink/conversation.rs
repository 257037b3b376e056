//! One connection (RFC 5321 §3).

use super::{ReceivedMail, Shared, SinkAnswer, SinkEncryption, SinkStage};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{io, ops::ControlFlow};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::sleep,
};

/// The longest line that is read, and the longest content.
const MOST: u64 = 1 << 20;

pub(super) struct Conversation<'a, S> {
    stream: BufReader<S>,
    encrypted: bool,
    shared: &'a Shared,
    client: String,
    user: Option<String>,
    mail: Option<ReceivedMail>,
}

/// What to say, or that the rule has had its way.
type Step = ControlFlow<(), String>;

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Conversation<'a, S> {
    pub(super) fn new(stream: S, encrypted: bool, shared: &'a Shared) -> Self {
        Self {
            stream: BufReader::new(stream),
            encrypted,
            shared,
            client: String::new(),
            user: None,
            mail: None,
        }
    }

    /// Until the client goes away; or until it wants TLS, then the stream is answered.
    pub(super) async fn run(mut self, greet: bool) -> io::Result<Option<S>> {
        if greet {
            let greeting = self
                .usually(SinkStage::Connected, "", "220 sink ESMTP")
                .await?;
            if !self.say(greeting).await? {
                return Ok(None);
            }
        }
        while let Some(line) = self.line().await? {
            let verb = line.split([' ', ':']).next().unwrap_or_default();
            let step = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello(&line).await?,
                "STARTTLS" => {
                    let step = self
                        .usually(SinkStage::StartTls, &line, "220 go ahead")
                        .await?;
                    let goes_on = matches!(&step, Step::Continue(reply) if reply.starts_with('2'));
                    if self.say(step).await? {
                        if goes_on {
                            return Ok(Some(self.stream.into_inner()));
                        }
                        continue;
                    }
                    return Ok(None);
                }
                "AUTH" => self.auth(&line).await?,
                "MAIL" => self.mail(&line).await?,
                "RCPT" => self.rcpt(&line).await?,
                "DATA" => self.data(&line).await?,
                "RSET" => {
                    self.mail = None;
                    self.usually(SinkStage::Reset, &line, "250 forgotten")
                        .await?
                }
                "QUIT" => {
                    let step = self.usually(SinkStage::Quit, &line, "221 bye").await?;
                    self.say(step).await?;
                    return Ok(None);
                }
                "NOOP" => Step::Continue("250 yes".to_owned()),
                _ => Step::Continue("500 5.5.2 unknown command".to_owned()),
            };
            if !self.say(step).await? {
                return Ok(None);
            }
        }
        Ok(None)
    }

    async fn hello(&mut self, line: &str) -> io::Result<Step> {
        line.get(5..)
            .unwrap_or_default()
            .trim()
            .clone_into(&mut self.client);
        let settings = &self.shared.settings;
        let mut offers = vec!["250-sink", "250-8BITMIME"];
        if settings.encryption == SinkEncryption::StartTls && !self.encrypted {
            offers.push("250-STARTTLS");
        }
        if settings.user.is_some() {
            offers.push("250-AUTH PLAIN LOGIN");
        }
        if settings.utf8 {
            offers.push("250-SMTPUTF8");
        }
        offers.push("250 SIZE 1048576");
        self.usually(SinkStage::Hello, line, &offers.join("\r\n"))
            .await
    }

    async fn auth(&mut self, line: &str) -> io::Result<Step> {
        let given = line
            .split(' ')
            .nth(2)
            .and_then(|text| STANDARD.decode(text).ok());
        let expected = self.shared.settings.user.as_ref();
        let expected = expected.map(|(user, password)| format!("\0{user}\0{password}"));
        let right = line.to_ascii_uppercase().starts_with("AUTH PLAIN ")
            && expected.is_some_and(|expected| given == Some(expected.into_bytes()));
        let usual = if right {
            "235 2.7.0 welcome"
        } else {
            "535 5.7.8 wrong user or password"
        };
        let step = self.usually(SinkStage::Auth, line, usual).await?;
        if matches!(&step, Step::Continue(reply) if reply.starts_with('2')) {
            let user = self.shared.settings.user.as_ref();
            self.user = user.map(|(user, _)| user.clone());
        }
        Ok(step)
    }

    async fn mail(&mut self, line: &str) -> io::Result<Step> {
        let (from, parameters) = path(line);
        let asks_in_vain = parameters.contains("SMTPUTF8") && !self.shared.settings.utf8;
        let needs_it = !from.is_ascii() && !parameters.contains("SMTPUTF8");
        let usual = if self.shared.settings.user.is_some() && self.user.is_none() {
            "530 5.7.0 sign in first"
        } else if asks_in_vain || needs_it {
            "553 5.6.7 SMTPUTF8"
        } else {
            self.mail = Some(ReceivedMail {
                from: from.to_owned(),
                to: Vec::new(),
                parameters: parameters.to_owned(),
                encrypted: self.encrypted,
                user: self.user.clone(),
                client: self.client.clone(),
                data: Vec::new(),
                answered: false,
            });
            "250 2.1.0 ok"
        };
        self.usually(SinkStage::Mail, line, usual).await
    }

    async fn rcpt(&mut self, line: &str) -> io::Result<Step> {
        let (to, _) = path(line);
        let step = match &self.mail {
            None => Step::Continue("503 5.5.1 MAIL first".to_owned()),
            Some(mail) if !to.is_ascii() && !mail.parameters.contains("SMTPUTF8") => {
                Step::Continue("553 5.6.7 SMTPUTF8".to_owned())
            }
            Some(_) => self.usually(SinkStage::Rcpt, line, "250 2.1.5 ok").await?,
        };
        if let (Some(mail), Step::Continue(reply)) = (&mut self.mail, &step)
            && reply.starts_with('2')
        {
            mail.to.push(to.to_owned());
        }
        Ok(step)
    }

    async fn data(&mut self, line: &str) -> io::Result<Step> {
        if self.mail.as_ref().is_none_or(|mail| mail.to.is_empty()) {
            return Ok(Step::Continue("503 5.5.1 RCPT first".to_owned()));
        }
        let step = self.usually(SinkStage::Data, line, "354 go ahead").await?;
        if !matches!(&step, Step::Continue(reply) if reply.starts_with('3')) {
            return Ok(step);
        }
        if !self.say(step).await? {
            return Ok(Step::Break(()));
        }
        let mut mail = self.mail.take();
        let to = mail.as_ref().map(|mail| mail.to.join(" "));
        let answer = self
            .shared
            .answer(SinkStage::Content, &to.unwrap_or_default());
        let mut lonely_feed = false;
        loop {
            let mut line = Vec::new();
            let read = (&mut self.stream)
                .take(MOST)
                .read_until(b'\n', &mut line)
                .await?;
            if read == 0 || answer == Some(SinkAnswer::Close) {
                return Ok(Step::Break(()));
            }
            if line == b".\r\n" {
                break;
            }
            lonely_feed |= !line.ends_with(b"\r\n");
            let line = line.strip_prefix(b".").unwrap_or(&line);
            if let Some(mail) = &mut mail {
                mail.data.extend_from_slice(line);
            }
        }
        if lonely_feed {
            return Ok(Step::Continue(
                "550 5.6.0 a line feed on its own".to_owned(),
            ));
        }
        self.finish(mail, answer).await
    }

    async fn finish(
        &mut self,
        mail: Option<ReceivedMail>,
        answer: Option<SinkAnswer>,
    ) -> io::Result<Step> {
        let usual = || Step::Continue("250 2.0.0 kept".to_owned());
        let (kept, step) = match answer {
            None => (true, usual()),
            Some(SinkAnswer::Late(by)) => {
                sleep(by).await;
                (true, usual())
            }
            Some(SinkAnswer::Reply(reply)) => (reply.starts_with('2'), Step::Continue(reply)),
            Some(SinkAnswer::Lose) => (true, Step::Break(())),
            Some(SinkAnswer::Close) => (false, Step::Break(())),
            Some(SinkAnswer::Silence) => {
                self.silence().await?;
                (false, Step::Break(()))
            }
        };
        if kept {
            let answered = matches!(step, Step::Continue(_));
            let mail = mail.map(|mail| ReceivedMail { answered, ..mail });
            let received = &self.shared.received;
            received.send_modify(|received| received.extend(mail));
        }
        Ok(step)
    }

    async fn usually(&mut self, stage: SinkStage, line: &str, usual: &str) -> io::Result<Step> {
        Ok(match self.shared.answer(stage, line) {
            None => Step::Continue(usual.to_owned()),
            Some(SinkAnswer::Late(by)) => {
                sleep(by).await;
                Step::Continue(usual.to_owned())
            }
            Some(SinkAnswer::Reply(reply)) => Step::Continue(reply),
            Some(SinkAnswer::Close | SinkAnswer::Lose) => Step::Break(()),
            Some(SinkAnswer::Silence) => {
                self.silence().await?;
                Step::Break(())
            }
        })
    }

    /// Reads on until there is nothing more.
    async fn silence(&mut self) -> io::Result<()> {
        tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await?;
        Ok(())
    }

    /// Whether the conversation goes on.
    async fn say(&mut self, step: Step) -> io::Result<bool> {
        let Step::Continue(reply) = step else {
            return Ok(false);
        };
        let reply = format!("{reply}\r\n");
        self.stream.get_mut().write_all(reply.as_bytes()).await?;
        self.stream.get_mut().flush().await?;
        Ok(true)
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = (&mut self.stream)
            .take(MOST)
            .read_until(b'\n', &mut line)
            .await?;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        Ok((read > 0).then_some(line))
    }
}

/// What stands in angle brackets, and what comes after them.
fn path(line: &str) -> (&str, &str) {
    let inner = line.split_once('<').map_or("", |(_, inner)| inner);
    inner.rsplit_once('>').unwrap_or((inner, ""))
}
