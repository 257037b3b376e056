//! A service that sends its mails to a server of the test's own.

use super::App;
use revolve_testkit::smtp_sink::{ReceivedMail, SmtpSink};
use std::ops::Deref;

/// A service with a mail server.
pub(crate) struct Mailing {
    app: App,
    pub(crate) sink: SmtpSink,
}

impl Mailing {
    pub(crate) fn new(app: App, sink: SmtpSink) -> Self {
        Self { app, sink }
    }

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

    /// The first mail to an address whose subject says this, once it is there.
    pub(crate) async fn mail_saying(&self, address: &str, words: &str) -> ReceivedMail {
        let mut count = 1;
        loop {
            let mails = self.mails_to(address, count).await;
            if let Some(found) = mails.iter().find(|mail| mail.subject().contains(words)) {
                return found.clone();
            }
            count = mails.len() + 1;
        }
    }

    /// The code of the newest of so many mails to an address.
    pub(crate) async fn code(&self, address: &str, count: usize) -> String {
        let mails = self.mails_to(address, count).await;
        let code = mails[count - 1].code();
        code.expect("the mail has a code")
    }
}

impl Deref for Mailing {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

/// Each test runs on both kinds of store, with a mail server.
macro_rules! on_both_stores_with_mail {
    ($($(#[$doc:meta])* async fn $name:ident($service:ident: Mailing $(, $more:literal)?) $body:block)+) => { $(
        mod $name {
            use super::*;

            async fn test($service: Mailing) $body

            #[test]
            fn embedded() {
                let test = |app, sink| test(Mailing::new(app, sink));
                crate::support::with_mail(crate::support::Store::Embedded, concat!($($more)?), test);
            }

            #[test]
            fn server() {
                let test = |app, sink| test(Mailing::new(app, sink));
                crate::support::with_mail(crate::support::Store::Server, concat!($($more)?), test);
            }
        }
    )+ };
}
pub(crate) use on_both_stores_with_mail;
