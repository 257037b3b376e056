//! What mails say: every template in every language, and those of a folder in their place.

mod files;
mod folder;

use revolve_adapters::mail::{Composer, MailConfig, MailLinks, TemplateName};
use revolve_domain::model::Locale;
use std::{fmt::Write, path::Path};

/// What a service with pages of its own has.
pub(crate) fn config() -> MailConfig {
    let link = |page: &str| {
        Some(format!(
            "https://app.example.org/{page}?proof={{proof}}&secret={{secret}}"
        ))
    };
    MailConfig {
        from: "Example <accounts@example.org>".to_owned(),
        reply_to: None,
        links: MailLinks {
            recovery: link("recovery"),
            choose_password: link("choose"),
            sign_up: link("sign-up"),
            verify_email: link("verify"),
            change_email: link("change"),
            sign_in: link("sign-in"),
            undo: link("undo"),
            keep_factors: link("keep"),
        },
        templates: None,
        languages: vec![locale("en"), locale("de")],
    }
}

pub(crate) fn composer() -> Composer {
    Composer::new(config()).unwrap()
}

pub(crate) fn locale(tag: &str) -> Locale {
    tag.parse().unwrap()
}

/// Writes the file if `REVOLVE_UPDATE` is set, and fails if it was not what it should be otherwise.
#[track_caller]
fn fresh(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/mail/rendered");
    let file = file.join(name);
    if std::env::var_os("REVOLVE_UPDATE").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    let hint =
        "look at it: REVOLVE_UPDATE=1 cargo nextest run -p revolve-adapters -E 'test(rendered)'";
    assert!(there == text, "{name} is not what is rendered; {hint}");
}

#[test]
fn every_mail_is_rendered_as_it_was_read_last() {
    let composer = composer();
    for language in ["en", "de"] {
        let (mut texts, mut pages) = (String::new(), String::new());
        for name in TemplateName::all() {
            let mail = composer.preview(name, Some(&locale(language))).unwrap();
            let name = name.as_str();
            writeln!(texts, "==== {name}: {}\n\n{}", mail.subject, mail.text).unwrap();
            writeln!(pages, "<!-- {name} -->\n{}", mail.html).unwrap();
        }
        fresh(&format!("{language}.txt"), &texts);
        fresh(&format!("{language}.html"), &pages);
    }
}

#[test]
fn a_reader_gets_the_nearest_language() {
    let composer = composer();
    let subject = |tag: Option<&str>| {
        let locale = tag.map(locale);
        let name = TemplateName::Test;
        composer.preview(name, locale.as_ref()).unwrap().subject
    };
    for tag in [Some("de"), Some("de-CH"), Some("de-Latn-AT")] {
        assert_eq!(subject(tag), "Testnachricht von Example", "{tag:?}");
    }
    for tag in [None, Some("en-GB"), Some("fr"), Some("tlh")] {
        assert_eq!(subject(tag), "Test of mail from Example", "{tag:?}");
    }
}
