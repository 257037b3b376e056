//! A service that sends its mails to a server of the test's own.

use super::{App, Running, backing::UNVERIFIED};
use revolve_testkit::smtp_sink::{ReceivedMail, SinkSettings, SmtpSink};
use std::ops::Deref;

/// A replica with a mail server.
pub(crate) struct Mailing {
    running: Running,
    pub(crate) sink: SmtpSink,
}

impl App {
    /// Another replica, which sends mail, with more configuration in TOML (dotted keys).
    pub(crate) async fn mailing(&self, more: &str) -> Mailing {
        let sink = SmtpSink::start(SinkSettings::default())
            .await
            .expect("a port is free");
        let config = format!(
            "{}\n{more}\n[mail]\nurl = '{}'\nfrom = 'Example <accounts@example.org>'\n",
            self.config.replace(UNVERIFIED, ""),
            sink.url()
        );
        Mailing {
            running: self.replica_with(&config).await,
            sink,
        }
    }
}

impl Mailing {
    /// The mails to an address, once there are so many.
    pub(crate) async fn mails_to(&self, address: &str, count: usize) -> Vec<ReceivedMail> {
        let mut all = count;
        loop {
            let received = self.sink.wait_for(all).await;
            let to = |mail: &ReceivedMail| mail.to.iter().any(|to| to == address);
            let found: Vec<_> = received.iter().filter(|mail| to(mail)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            all = received.len() + 1;
        }
    }

    /// The code of the newest of so many mails to an address.
    pub(crate) async fn code(&self, address: &str, count: usize) -> String {
        let mails = self.mails_to(address, count).await;
        let code = mails[count - 1].code();
        code.expect("the mail has a code")
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

impl Deref for Mailing {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}
