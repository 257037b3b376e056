//! A store that comes back from a snapshot, and so has forgotten what was acknowledged since.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;

use super::sign_out::Session;
use crate::{
    harness::{
        client::Client,
        journal::claims,
        profile::{Account, Answer, Reason, Scope},
        service::Instance,
        stores::redis::Redis,
    },
    torture::{
        round_context::{Judged, Scene},
        verdict::{Column, Verdict},
    },
};

/// Sessions that a snapshot catches in the middle of their lives.
struct Cast {
    account: Account,
    /// Goes on refreshing.
    walker: Client,
    /// Is bound to its device only after the snapshot, or ended.
    binder: Client,
    /// Is ended after the snapshot.
    leaver: Session,
    /// Whether the binder lives.
    bound: bool,
}

/// How sessions end after the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// One signs itself out.
    Itself,
    /// All but one are signed out by that one.
    Others,
    /// All but one end by its change of password.
    Password,
}

/// After the snapshot one session refreshes, one is bound, others are ended; then the store forgets. A newer token than the store knows
/// heals it; what was ended stays dead, and what was bound stays bound.
pub(super) async fn play(scene: &Scene, rng: &mut Rng) -> Judged {
    let mut verdict = Verdict::default();
    if let Some(url) = &scene.site.redis {
        let mut cast = Cast::enter(scene, rng, &scene.site.urls[0]).await?;
        let mut redis = Redis::connect(url).await?;
        let snapshot = redis.snapshot(&user(&cast.walker)?).await?;
        let ending = [Ending::Itself, Ending::Others, Ending::Password][rng.usize(..3)];
        cast.act(scene, rng, ending).await?;
        redis.restore(&snapshot).await?;
        scene.journal.note("the white list is back as it was");
        cast.leaver
            .must_be_over(&mut verdict, "after the white list was restored")
            .await?;
        judge(scene, rng, cast, &mut verdict).await?;
        return Ok(verdict);
    }
    let mut service = scene.site.archives[scene.turn % scene.site.archives.len()]
        .lock()
        .await;
    let mut cast = Cast::enter(scene, rng, service.url()).await?;
    let copy = tempfile::tempdir().context("could not make a temporary directory")?;
    service.stop().await?;
    copy_store(&data(&service), copy.path())?;
    service.restart().await?;
    cast.move_to(scene, service.url());
    cast.act(scene, rng, Ending::Itself).await?;
    service.stop().await?;
    copy_store(copy.path(), &data(&service))?;
    service.restart().await?;
    scene.journal.note("the file is back as it was");
    cast.move_to(scene, service.url());
    judge(scene, rng, cast, &mut verdict).await?;
    Ok(verdict)
}

impl Cast {
    /// Sign-ins and a few refreshes before the snapshot.
    async fn enter(scene: &Scene, rng: &mut Rng, base: &str) -> Result<Self> {
        let api = scene.api(base);
        let (account, mut walker) = scene.newcomer(&api, rng.bool()).await?;
        let mut binder = scene.sibling(&api, &account, false).await?;
        let mut leaver = scene.sibling(&api, &account, rng.bool()).await?;
        for client in [&mut walker, &mut binder, &mut leaver] {
            for _ in 0..rng.u32(..3) {
                client.advance().await?;
            }
        }
        Ok(Self {
            account,
            walker,
            binder,
            leaver: Session::of(leaver),
            bound: true,
        })
    }

    fn move_to(&mut self, scene: &Scene, base: &str) {
        let api = scene.api(base);
        for client in [&mut self.walker, &mut self.binder, &mut self.leaver.client] {
            *client = client.at(&api);
        }
    }

    /// What happens after the snapshot.
    async fn act(&mut self, scene: &Scene, rng: &mut Rng, ending: Ending) -> Result<()> {
        scene
            .journal
            .note(&format!("a snapshot is taken; ending: {ending:?}"));
        for _ in 0..rng.u32(1..=5) {
            self.walker.advance().await?;
        }
        self.binder.shows = true;
        for _ in 0..rng.u32(1..=3) {
            self.binder.advance().await?;
        }
        for _ in 0..rng.u32(..3) {
            self.leaver.client.advance().await?;
            self.leaver.seen.push(self.leaver.client.grant.clone());
        }
        let (walker, leaver) = (&self.walker, &self.leaver.client);
        let reply = match ending {
            Ending::Itself => leaver.api.sign_out(&leaver.grant, Scope::This).await?,
            Ending::Others => walker.api.sign_out(&walker.grant, Scope::Others).await?,
            Ending::Password => {
                walker
                    .api
                    .change_password(&walker.grant, &self.account, "an even better battery")
                    .await?
            }
        };
        ensure!(
            matches!(reply.answer, Answer::Done),
            "the end of sessions, in preparation: {}",
            reply.words()
        );
        self.bound = ending == Ending::Itself;
        Ok(())
    }
}

async fn judge(scene: &Scene, rng: &mut Rng, cast: Cast, verdict: &mut Verdict) -> Result<()> {
    let Cast {
        mut walker,
        mut binder,
        bound,
        ..
    } = cast;
    let mut honest = vec![&mut walker];
    if bound {
        let naked = Client {
            shows: false,
            ..binder.clone()
        };
        let reply = naked.refresh().await?;
        match &reply.answer {
            Answer::Granted(_) => verdict.count(
                Column::Undetected,
                "a session that was bound is not bound any more",
            ),
            Answer::Refused(code) if scene.profile().says(Reason::Mismatch, code) => {}
            _ => verdict.count(
                Column::Other,
                format!(
                    "a bound session's token without its device's credential: {}",
                    reply.words()
                ),
            ),
        }
        honest.push(&mut binder);
    } else {
        Session::of(binder)
            .must_be_over(verdict, "after the white list was restored")
            .await?;
    }
    rng.shuffle(&mut honest);
    for client in honest {
        let leaves = vec![client.grant.clone()];
        if client
            .branch_out(leaves, verdict, "after the store was restored")
            .await?
        {
            client.go_on(verdict, "after the store was healed").await?;
        }
    }
    Ok(())
}

/// The user's id, which the names of the keys begin with.
fn user(client: &Client) -> Result<String> {
    let claims = claims(&client.grant.refresh).context("the refresh token has no claims")?;
    Ok(claims["uid"]
        .as_str()
        .context("the refresh token has no `uid`")?
        .to_owned())
}

fn data(service: &Instance) -> PathBuf {
    service.home().join("data")
}

/// The database with what belongs to it; what is there of another state goes.
fn copy_store(from: &Path, to: &Path) -> Result<()> {
    let is_store = |name: &std::ffi::OsStr| name.to_string_lossy().contains(".sqlite3");
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if is_store(&entry.file_name()) {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if is_store(&entry.file_name()) {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
