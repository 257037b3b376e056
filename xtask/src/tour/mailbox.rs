//! Ann's mailbox: the files that the service writes mails into where no mail server is configured.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use revolve_testkit::smtp_sink::ReceivedMail;
use tokio::time::{Instant, sleep};

/// A mail is in its file this soon.
const WITHIN: Duration = Duration::from_secs(20);

pub(super) struct Mailbox {
    folder: PathBuf,
    read: BTreeSet<PathBuf>,
}

impl Mailbox {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            read: BTreeSet::new(),
        }
    }

    /// A mail of this kind that was not read yet, once it is there.
    pub(super) async fn next(&mut self, kind: &str) -> Result<ReceivedMail> {
        let begun = Instant::now();
        loop {
            let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
            let mut mails = files.map(|file| file.path()).filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.contains(kind) && name.ends_with(".eml") && !self.read.contains(path)
            });
            if let Some(path) = mails.next() {
                let data = fs::read(&path).context("the mail can't be read")?;
                self.read.insert(path);
                return Ok(ReceivedMail::from_file(data));
            }
            ensure!(
                begun.elapsed() < WITHIN,
                "there is no mail `{kind}` in {}",
                self.folder.display()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }
}
