//! Whether mails can be written and leave.

use super::finding::Finding;
use crate::{
    composition::settings,
    config::{Config, Profile},
};
use revolve_adapters::smtp::{self, SmtpFacts};
use revolve_observe::telemetry::chain;

const TEMPLATES: &str = "mail.templates";
const SERVER: &str = "mail.server";
const ENCRYPTION: &str = "mail.encryption";
const SENDER: &str = "mail.sender";
const UTF8: &str = "mail.utf8";

pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let composer = match settings::composer(config) {
        Ok(composer) => composer,
        Err(error) => return vec![Finding::error(TEMPLATES, error.to_string())],
    };
    let languages = config.mail.languages.join(", ");
    let mut findings = vec![Finding::ok(
        TEMPLATES,
        format!("every mail can be written, in {languages}"),
    )];
    let smtp = match settings::smtp(config) {
        Ok(Some(smtp)) => smtp,
        Ok(None) => {
            findings.push(without(config));
            return findings;
        }
        Err(error) => {
            findings.push(Finding::error(SERVER, error.to_string()));
            return findings;
        }
    };
    match smtp::inspect(&smtp, &composer).await {
        Ok(Ok(facts)) => findings.extend(judge(&facts)),
        Ok(Err(error)) => findings.push(
            Finding::error(SERVER, chain(&error))
                .advise("look at mail.url, and whether this machine may connect there; mails wait for mail.max_age at most"),
        ),
        Err(error) => findings.push(Finding::error(SERVER, format!("mail.{error}"))),
    }
    findings
}

fn without(config: &Config) -> Finding {
    match config.profile {
        Profile::Embedded => Finding::warning(
            SERVER,
            format!(
                "there is none: mails are written to {} and printed",
                config.data_dir.join("mail").display()
            ),
        ),
        Profile::Server => Finding::warning(
            SERVER,
            "there is none: whoever forgets the password has lost the account",
        ),
    }
    .advise("set mail.url and mail.from, see docs/mail.md")
}

fn judge(facts: &SmtpFacts) -> Vec<Finding> {
    let signed_in = if facts.signed_in {
        "the service signed in"
    } else {
        "without signing in"
    };
    let mut findings = vec![Finding::ok(
        SERVER,
        format!("{} answers; {signed_in}", facts.place),
    )];
    findings.push(if facts.encrypted {
        Finding::ok(ENCRYPTION, "the connection is encrypted and its end verified")
    } else if facts.local {
        Finding::ok(ENCRYPTION, "the server is on this machine")
    } else {
        Finding::warning(ENCRYPTION, "the connection is not encrypted: whoever can listen in reads every code")
            .advise("write smtps://, or smtp:// without `tls`, unless the server is in a network of your own")
    });
    findings.push(match &facts.sender {
        Ok(()) => Finding::ok(SENDER, "the server takes mail from mail.from"),
        Err(why) => Finding::error(SENDER, why.clone())
            .advise("use an address as mail.from that the provider has verified for you"),
    });
    findings.push(if facts.utf8 {
        Finding::ok(UTF8, "the server takes addresses with any characters")
    } else {
        Finding::ok(
            UTF8,
            "the server takes addresses in ASCII only; mails to others are refused",
        )
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn what_a_server_says_is_judged() {
        let good = SmtpFacts {
            place: "mail.example.org:465".to_owned(),
            local: false,
            encrypted: true,
            signed_in: true,
            utf8: true,
            sender: Ok(()),
        };
        let levels = |facts: &SmtpFacts| {
            let worse = |finding: &Finding| finding.level != Level::Ok;
            let findings = judge(facts).into_iter();
            let worse = findings.filter(worse);
            worse
                .map(|finding| (finding.check, finding.level))
                .collect::<Vec<_>>()
        };
        assert_eq!(levels(&good), []);
        let bad = SmtpFacts {
            encrypted: false,
            utf8: false,
            sender: Err("naming the sender: the mail server answers 550".to_owned()),
            ..good
        };
        assert_eq!(
            levels(&bad),
            [(ENCRYPTION, Level::Warning), (SENDER, Level::Error)]
        );
    }
}
