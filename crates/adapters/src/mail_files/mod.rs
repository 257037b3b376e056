//! Mail for those who try the service out: each message is a file that any mail program opens, and its code and link are announced.

use crate::mail::{ComposeError, Composer, OutgoingMessage, unwritten};
use async_trait::async_trait;
use revolve_domain::{
    model::{DeliveryId, EmailAddress, Timestamp},
    ports::{Clock, Mail, MailError, Mailer},
};
use std::{
    fmt,
    fs::{self, DirBuilder, DirEntry, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::task::spawn_blocking;

/// How many mails are kept.
const KEPT: usize = 1000;
/// After this time without a change a file that is not whole is no longer written.
const UNWRITTEN: Duration = Duration::from_mins(10);

/// Writes mails into a folder, for its owner alone, and keeps the newest 1000.
pub struct MailFiles {
    folder: PathBuf,
    composer: Composer,
    clock: Arc<dyn Clock>,
    announce: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for MailFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailFiles")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl MailFiles {
    /// The folder is made with its first mail. `announce` gets what a mail says, code and link included: it is for the terminal of the one who
    /// tries the service out, and not for logs.
    pub fn new(
        folder: PathBuf,
        composer: Composer,
        clock: Arc<dyn Clock>,
        announce: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            folder,
            composer,
            clock,
            announce: Arc::new(announce),
        }
    }

    /// Writes a mail that says that mail works.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send_test(&self, id: DeliveryId, to: &EmailAddress) -> Result<(), MailError> {
        let now = self.clock.now();
        let composed = self.composer.test(id, to, now);
        self.keep("test", id, now, composed).await
    }

    async fn keep(
        &self,
        kind: &str,
        id: DeliveryId,
        now: Timestamp,
        composed: Result<OutgoingMessage, ComposeError>,
    ) -> Result<(), MailError> {
        let message = composed.map_err(unwritten)?;
        let folder = self.folder.clone();
        let name = format!("{}-{kind}-{id}.eml", stamp(now));
        let file = folder.join(&name);
        let data = message.data;
        let written = spawn_blocking(move || write(&folder, &name, id, &data)).await;
        written
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| MailError::Unsent(error.into()))?;
        (self.announce)(&format!(
            "Mail to {}, in {}:\n{}\n",
            message.to,
            file.display(),
            indented(&message.rendered.subject, &message.rendered.text)
        ));
        Ok(())
    }
}

#[async_trait]
impl Mailer for MailFiles {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let now = self.clock.now();
        let composed = self.composer.message(mail, now);
        self.keep(mail.kind.as_str(), mail.id, now, composed).await
    }
}

/// Names in the order of time are in the order of the alphabet.
fn stamp(now: Timestamp) -> String {
    let now = now.to_datetime();
    let (hour, minute, second) = now.to_hms();
    format!(
        "{:04}{:02}{:02}T{hour:02}{minute:02}{second:02}Z",
        now.year(),
        u8::from(now.month()),
        now.day()
    )
}

fn indented(subject: &str, text: &str) -> String {
    let lines = [subject, ""].into_iter().chain(text.lines());
    let lines = lines.map(|line| format!("  {line}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Whole or not at all, and on the disk once this is done. What was written of the same delivery before is replaced.
fn write(folder: &Path, name: &str, id: DeliveryId, data: &[u8]) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let partial = folder.join(format!(".{id}.part"));
    // What a crash has left is not this mail.
    remove(&partial)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(data)?;
    file.sync_all()?;
    let same = format!("-{id}.eml");
    let mut mails = mails(folder)?;
    for former in mails.extract_if(.., |former| former.ends_with(&same)) {
        remove(&folder.join(former))?;
    }
    fs::rename(&partial, folder.join(name))?;
    File::open(folder)?.sync_all()?;
    mails.sort_unstable();
    let surplus = (mails.len() + 1).saturating_sub(KEPT);
    for oldest in mails.iter().take(surplus) {
        remove(&folder.join(oldest))?;
    }
    Ok(())
}

/// Another mail that is written at the same time may have removed it.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names of the mails. What a crash has left of others is removed.
fn mails(folder: &Path) -> io::Result<Vec<String>> {
    let mut mails = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let ends_with = |end: &str| Path::new(name).extension().is_some_and(|is| is == end);
        if ends_with("eml") {
            mails.push(name.to_owned());
        } else if ends_with("part") && name.starts_with('.') && is_left(&entry) {
            remove(&entry.path())?;
        }
    }
    Ok(mails)
}

/// Whether nobody writes this file any more.
fn is_left(entry: &DirEntry) -> bool {
    let written = entry.metadata().and_then(|file| file.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > UNWRITTEN))
}
