//! `revolve mail`, and what a start and the doctor say of mail.

use super::doctor::levels;
use crate::support::{App, on_both_stores};
use revolve_testkit::smtp_sink::{SinkAnswer, SinkSettings, SinkStage, SmtpSink};
use std::fs;

async fn sink() -> SmtpSink {
    let settings = SinkSettings {
        user: Some(("ann".to_owned(), "hunter2".to_owned())),
        ..SinkSettings::default()
    };
    SmtpSink::start(settings).await.unwrap()
}

/// The app's configuration with a mail server.
fn with_mail(app: &App, sink: &SmtpSink, more: &str) -> String {
    format!(
        "{}\n[mail]\nurl = '{}'\nfrom = 'Example <accounts@example.org>'\n{more}\n",
        app.config,
        sink.url()
    )
}

on_both_stores! {
    async fn a_test_leaves_by_the_mail_server(app: App) {
        let sink = sink().await;
        let config = with_mail(&app, &sink, "");
        let said = app.revolve_on(&config, &["mail", "test", "ann@example.org"], "").await.expect(0);
        let received = sink.wait_for(1).await.remove(0);
        assert_eq!((received.subject().as_str(), received.to.as_slice()), ("Test of mail from Example", &["ann@example.org".to_owned()][..]));
        let id = received.header("Message-ID").unwrap();
        let shown = id.trim_matches(['<', '>']).split('@').next().unwrap().to_owned();
        assert!(said.out.contains(&shown), "{said:?}");
        app.revolve_on(&config, &["mail", "test", "nobody"], "").await.expect(2);
        sink.fail(SinkStage::Auth, SinkAnswer::Reply("535 5.7.8 no".to_owned()));
        let said = app.revolve_on(&config, &["mail", "test", "ann@example.org"], "").await.expect(1);
        assert!(said.err.contains("signing in: the mail server answers 535") && !said.err.contains("hunter2"), "{said:?}");
    }

    async fn without_a_mail_server_a_test_is_a_file_or_refused(app: App) {
        let said = app.revolve(&["mail", "test", "ann@example.org"]).await;
        if app.backing.server.is_some() {
            let said = said.expect(1);
            assert!(said.err.contains("set mail.url and mail.from"), "{said:?}");
        } else {
            let said = said.expect(0);
            assert!(said.out.contains("ann@example.org") && said.out.contains(".eml"), "{said:?}");
            let mails = fs::read_dir(app.backing.folder.path().join("mail")).unwrap();
            assert_eq!(mails.count(), 1);
        }
    }

    async fn the_doctor_examines_the_mail_server(app: App) {
        let sink = sink().await;
        let config = with_mail(&app, &sink, "");
        let look = async || app.revolve_on(&config, &["doctor", "--json"], "").await.json();
        let report = look().await;
        for (check, level) in [("mail.templates", "ok"), ("mail.server", "ok"), ("mail.encryption", "ok"), ("mail.sender", "ok")] {
            assert_eq!(levels(&report, check), [level], "{check}: {report:#}");
        }
        sink.fail(SinkStage::Mail, SinkAnswer::Reply("550 5.7.1 not verified".to_owned()));
        assert_eq!(levels(&look().await, "mail.sender"), ["error"]);
        sink.fail(SinkStage::Connected, SinkAnswer::Reply("421 4.3.2 busy".to_owned()));
        assert_eq!(levels(&look().await, "mail.server"), ["error"]);
        assert!(sink.received().is_empty());
    }
}

on_both_stores! {
    async fn a_preview_shows_what_a_mail_says(app: App) {
        let text = app.revolve(&["mail", "preview", "reset_password", "--language", "de-CH"]).await.expect(0).out;
        assert!(text.starts_with("Subject: Wählen Sie ein neues Passwort") && text.contains("123456"), "{text}");
        let french = app.revolve(&["mail", "preview", "reset_password", "--language", "fr"]).await.expect(0);
        assert_eq!(french.err, "mail.languages has no fr: its readers get en\n");
        let html = app.revolve(&["mail", "preview", "reset_password", "--html"]).await.expect(0).out;
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{html}");
        let said = app.revolve(&["mail", "preview", "reset"]).await.expect(2);
        assert!(said.err.contains("reset_password"), "it names those that there are: {said:?}");
    }

    async fn a_template_that_is_wrong_stops_the_start_with_file_and_line(app: App) {
        let folder = app.backing.folder.path().join("templates");
        fs::create_dir_all(folder.join("de")).unwrap();
        let file = folder.join("de/reset_password.txt");
        fs::write(&file, "{% extends \"de/base.txt\" %}\n{% block subject %}{{ cod }}{% endblock %}\n").unwrap();
        let sink = sink().await;
        let config = with_mail(&app, &sink, &format!("templates = '{}'", folder.display()));
        for command in ["serve", "doctor"] {
            let said = app.revolve_on(&config, &[command], "").await.expect(2);
            let line = format!("mail.templates: {}:2: undefined value", file.display());
            assert!(said.err.contains(&line), "{said:?}");
        }
    }

    async fn the_password_of_the_mail_server_is_never_shown(app: App) {
        let sink = sink().await;
        let config = with_mail(&app, &sink, "");
        let said = app.revolve_on(&config, &["config", "show"], "").await.expect(0);
        assert!(said.out.contains("url = \"****") && !format!("{said:?}").contains("hunter2"), "{said:?}");
        let wrong = config.replace("smtp://", "imap://");
        let said = app.revolve_on(&wrong, &["config", "check"], "").await.expect(2);
        assert!(said.err.contains("mail.url: it is not of the form") && !said.err.contains("hunter2"), "{said:?}");
    }
}
