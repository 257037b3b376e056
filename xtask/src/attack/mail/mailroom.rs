//! Where mails arrive: the robot works each before its reader sees it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use revolve_testkit::smtp_sink::SmtpSink;
use tokio::{
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use url::Url;

use super::{
    received::Mail,
    robot::{Robot, RobotCounts},
};

/// How long a reader waits for a mail, the robot's work on it included.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whose mails the robot does not work: those that are there for their codes to be guessed.
pub(super) const UNWATCHED: &str = "guess-";

/// The mail server's receiving end.
pub(super) struct Mailroom {
    sink: Arc<SmtpSink>,
    service: Url,
    read: watch::Receiver<Vec<Mail>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<RobotCounts>>,
}

impl Mailroom {
    /// Has the robot work every mail that arrives from now on. `address` makes the robot's address for each.
    pub(super) fn open(
        sink: SmtpSink,
        robot: Robot,
        address: impl Fn(usize) -> String + Send + 'static,
    ) -> Self {
        let (sink, service) = (Arc::new(sink), robot.service().clone());
        let (mails, read) = watch::channel(Vec::new());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(sort(Arc::clone(&sink), robot, address, mails, stopped));
        Self {
            sink,
            service,
            read,
            stop,
            task,
        }
    }

    /// What readers see.
    pub(super) fn letters(&self) -> Letters {
        Letters(self.read.clone())
    }

    /// Dismisses the robot once it has worked what has arrived.
    pub(super) async fn dismiss(self) -> Result<ClosedMailroom> {
        // It fails if the task has ended with an error, which comes next.
        self.stop.send(()).ok();
        let robot = self.task.await.context("the robot panicked")??;
        Ok(ClosedMailroom {
            sink: self.sink,
            service: self.service,
            read: self.read,
            robot,
        })
    }
}

/// The receiving end without the robot.
pub(super) struct ClosedMailroom {
    sink: Arc<SmtpSink>,
    service: Url,
    read: watch::Receiver<Vec<Mail>>,
    pub(super) robot: RobotCounts,
}

impl ClosedMailroom {
    /// All mails, those that arrived after the robot was dismissed included.
    pub(super) fn mails(&self) -> Vec<Mail> {
        let mut mails = self.read.borrow().clone();
        let late = self.sink.take();
        mails.extend(late.iter().map(|mail| Mail::read(mail, &self.service)));
        mails
    }
}

/// The mails that the robot has worked.
#[derive(Clone)]
pub(super) struct Letters(watch::Receiver<Vec<Mail>>);

impl Letters {
    /// Waits for a mail that fits.
    pub(super) async fn wait_for(&self, fits: impl Fn(&Mail) -> bool) -> Result<Mail> {
        let mut mails = self.0.clone();
        let found = mails.wait_for(|mails| mails.iter().any(&fits));
        let mails = timeout(PATIENCE, found)
            .await
            .context("the mail does not arrive")?
            .context("the robot has stopped")?;
        let mail = mails.iter().find(|mail| fits(mail));
        mail.cloned().context("the mail does not arrive")
    }
}

/// Gives the robot each mail before its reader gets it.
async fn sort(
    sink: Arc<SmtpSink>,
    robot: Robot,
    address: impl Fn(usize) -> String,
    mails: watch::Sender<Vec<Mail>>,
    mut stop: oneshot::Receiver<()>,
) -> Result<RobotCounts> {
    let (mut counts, mut running) = (RobotCounts::default(), JoinSet::new());
    let mut number = 0;
    loop {
        tokio::select! {
            () = sink.arrived() => {
                for received in sink.take() {
                    let mail = Mail::read(&received, robot.service());
                    if mail.to.starts_with(UNWATCHED) {
                        mails.send_modify(|mails| mails.push(mail));
                        continue;
                    }
                    let (robot, address) = (robot.clone(), address(number));
                    number += 1;
                    running.spawn(async move {
                        let found = robot.work(&mail, &address).await;
                        (mail, found)
                    });
                }
            }
            Some(worked) = running.join_next() => {
                let (mail, found) = worked?;
                counts.add(found.with_context(|| format!("the robot with a mail to {}", mail.to))?);
                mails.send_modify(|mails| mails.push(mail));
            }
            _ = &mut stop => break,
        }
    }
    while let Some(worked) = running.join_next().await {
        let (mail, found) = worked?;
        counts.add(found?);
        mails.send_modify(|mails| mails.push(mail));
    }
    Ok(counts)
}
