//! Mails as files.

use super::composer;
use crate::smtp::mail;
use revolve_adapters::mail_files::MailFiles;
use revolve_domain::{journal::MailKind, ports::Mailer};
use revolve_testkit::memory::FakeClock;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

struct Written {
    mailer: MailFiles,
    clock: Arc<FakeClock>,
    announced: Arc<Mutex<String>>,
}

fn files(folder: &Path) -> Written {
    let (clock, announced) = (
        Arc::new(FakeClock::default()),
        Arc::<Mutex<String>>::default(),
    );
    let heard = Arc::clone(&announced);
    let announce = move |text: &str| heard.lock().unwrap().push_str(text);
    Written {
        mailer: MailFiles::new(folder.to_owned(), composer(), clock.clone(), announce),
        clock,
        announced,
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_mail_is_a_file_for_its_owner_alone_and_is_announced_with_code_and_link() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data/mail");
    let written = files(&folder);
    let mail = mail(MailKind::ResetPassword, "ann@example.org");
    written.mailer.send(&mail).await.unwrap();
    let name = format!("20300317T174640Z-reset_password-{}.eml", mail.id);
    assert_eq!(names(&folder), [name.as_str()]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join(&name))), (0o700, 0o600));
    let text = fs::read_to_string(folder.join(&name)).unwrap();
    assert!(
        text.contains(&format!("Message-ID: <{}@example.org>", mail.id)),
        "{text}"
    );
    let announced = written.announced.lock().unwrap();
    for part in [
        "ann@example.org",
        &name,
        "271828",
        "https://app.example.org/recovery?proof=",
    ] {
        assert!(announced.contains(part), "{part}: {announced}");
    }
}

#[tokio::test]
async fn the_same_mail_is_one_file_however_often_it_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let written = files(home.path());
    let mail = mail(MailKind::SignIn, "ann@example.org");
    // A crash has left something.
    fs::write(home.path().join(format!(".{}.part", mail.id)), "half").unwrap();
    for _ in 0..2 {
        written.mailer.send(&mail).await.unwrap();
        written.clock.advance(Duration::from_secs(1));
    }
    let name = format!("20300317T174641Z-sign_in-{}.eml", mail.id);
    assert_eq!(names(home.path()), [name]);
}

#[tokio::test]
async fn what_a_crash_has_left_of_other_mails_is_removed() {
    let home = tempfile::tempdir().unwrap();
    for (name, age) in [
        (".old.part", Duration::from_hours(1)),
        (".new.part", Duration::ZERO),
    ] {
        let file = fs::File::create(home.path().join(name)).unwrap();
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - age).unwrap();
    }
    let written = files(home.path());
    let mail = mail(MailKind::SignIn, "ann@example.org");
    written.mailer.send(&mail).await.unwrap();
    let names = names(home.path());
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[0], ".new.part", "it may be being written");
}

#[tokio::test]
async fn mails_at_once_do_not_fail_each_other() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..1002 {
        let name = format!("20290101T00000{number:04}Z-sign_in-x.eml");
        fs::write(home.path().join(name), "").unwrap();
    }
    let written = files(home.path());
    let mails: Vec<_> = (0..16)
        .map(|_| mail(MailKind::SignIn, "ann@example.org"))
        .collect();
    let sends = mails.iter().map(|mail| written.mailer.send(mail));
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
}

#[tokio::test]
async fn the_newest_thousand_are_kept_and_nothing_else_is_touched() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..1002 {
        let name = format!("20290101T00000{number:04}Z-sign_in-x.eml");
        fs::write(home.path().join(name), "").unwrap();
    }
    fs::write(home.path().join("0-notes.txt"), "").unwrap();
    let written = files(home.path());
    let mail = mail(MailKind::SignIn, "ann@example.org");
    written.mailer.send(&mail).await.unwrap();
    let names = names(home.path());
    assert_eq!(names.len(), 1001);
    assert_eq!(names[0], "0-notes.txt");
    assert!(names[1].starts_with("20290101T000000003Z"), "{}", names[1]);
    assert!(names[1000].starts_with("20300317"), "{}", names[1000]);
}

#[tokio::test]
async fn a_folder_that_can_not_be_written_to_loses_no_mail() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mail");
    fs::write(&file, "").unwrap();
    let written = files(&file);
    let sent = written
        .mailer
        .send(&mail(MailKind::SignIn, "ann@example.org"))
        .await;
    assert!(
        matches!(sent, Err(revolve_domain::ports::MailError::Unsent(_))),
        "{sent:?}"
    );
    assert!(written.announced.lock().unwrap().is_empty());
}
