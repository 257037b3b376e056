//! What a template can show. Every variable is there for every kind; what a mail does not have is none.

use super::links::MailLinks;
use minijinja::{Value, context};
use revolve_domain::{model::Timestamp, ports::Mail};
use secrecy::ExposeSecret;

/// The most characters of a client's own words.
const MOST: usize = 64;

/// The variables of a mail.
pub(super) fn variables(mail: &Mail, language: &str, service: &str, links: &MailLinks) -> Value {
    let proof = mail.proof.as_ref();
    let facts = &mail.facts;
    context! {
        language,
        service,
        to => mail.to.as_str(),
        code => proof.map(|proof| proof.code.expose_secret().to_owned()),
        link => proof.and_then(|proof| links.link(mail.kind, proof)),
        until => proof.map(|proof| date(proof.expires_at, language)),
        at => facts.at.map(|at| date(at, language)),
        address => facts.address.map(|address| address.to_string()),
        client => facts.client.as_deref().and_then(harmless),
        subject => facts.subject.as_deref().map(line),
        more => mail.more,
    }
}

/// The variables of a test.
pub(super) fn of_test(to: &str, language: &str, service: &str) -> Value {
    let none = ();
    context! {
        language, service, to,
        code => none, link => none, until => none, at => none, address => none, client => none, subject => none,
        more => 0,
    }
}

/// Date and time of day in UTC, as people of the language write them; as ISO 8601 has them in one that is not built in.
fn date(at: Timestamp, language: &str) -> String {
    const ENGLISH: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const GERMAN: [&str; 12] = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ];
    let at = at.to_datetime();
    let (year, month, day, hour, minute) =
        (at.year(), at.month(), at.day(), at.hour(), at.minute());
    let index = usize::from(u8::from(month)) - 1;
    match language.split('-').next() {
        Some("en") => format!("{day} {} {year}, {hour:02}:{minute:02} UTC", ENGLISH[index]),
        Some("de") => format!(
            "{day}. {} {year}, {hour:02}:{minute:02} Uhr (UTC)",
            GERMAN[index]
        ),
        _ => format!(
            "{year}-{:02}-{day:02} {hour:02}:{minute:02} UTC",
            u8::from(month)
        ),
    }
}

/// A client's own words, unless a mail program would make a link of them: they are written by whoever caused the mail, who need not be its
/// reader.
fn harmless(words: &str) -> Option<String> {
    let line = line(words);
    let chars: Vec<char> = line.chars().collect();
    let dotted = chars
        .windows(2)
        .any(|pair| matches!(pair[0], '.' | '。' | '．' | '｡') && pair[1].is_alphabetic());
    if dotted || line.is_empty() || line.contains(['/', '\\', '@', ':']) {
        return None;
    }
    Some(if chars.len() > MOST {
        chars[..MOST].iter().collect::<String>() + "…"
    } else {
        line
    })
}

/// A text in one line.
pub(super) fn line(text: &str) -> String {
    let visible = text.split(|c: char| c.is_whitespace() || c.is_control());
    visible
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_its_readers_write_it() {
        let at = Timestamp::from_seconds(1_900_000_000);
        assert_eq!(date(at, "en"), "17 March 2030, 17:46 UTC");
        assert_eq!(date(at, "de-CH"), "17. März 2030, 17:46 Uhr (UTC)");
        assert_eq!(date(at, "fr"), "2030-03-17 17:46 UTC");
    }

    #[test]
    fn no_client_gets_a_link_into_a_mail() {
        for bad in [
            "https://evil.example",
            "www.evil.example",
            "win at evil.example now",
            "evil。example",
            "mailto:ann@example.org",
            "ann@example.org",
            "evil.example/path",
            "",
            " \r\n ",
        ] {
            assert_eq!(harmless(bad), None, "{bad:?}");
        }
        let fine = "Firefox 128.0 on macOS 10.15";
        assert_eq!(harmless(fine).as_deref(), Some(fine));
        assert_eq!(harmless("Ann's\r\nphone").as_deref(), Some("Ann's phone"));
        let long = harmless(&"x".repeat(200)).unwrap();
        assert_eq!(long.chars().count(), MOST + 1);
    }
}
