//! What clients check, and how it counts.

use anyhow::Result;

use super::verdict::{RoundFinding, Verdict};
use crate::harness::{
    api::Reply,
    client::Client,
    profile::{Answer, Grant},
};

impl Client {
    /// Counts a refused call of an honest client, which then tries once more with the token that it holds: if that is refused as well, its
    /// session has ended.
    pub(super) async fn was_refused(&mut self, verdict: &mut Verdict, why: String) -> Result<()> {
        verdict.count(RoundFinding::Refused, why);
        let reply = self.present_until_answered(&self.grant.refresh).await?;
        match reply.answer {
            Answer::Granted(grant) => self.keep(grant),
            Answer::Refused(code) => verdict.count(
                RoundFinding::Ended,
                format!("the honest client holds no token that works: {code}"),
            ),
            _ => verdict.count(
                RoundFinding::Other,
                format!("the refresh after a refused call: {}", reply.words()),
            ),
        }
        Ok(())
    }

    /// Refreshes as an honest client whose session lives. Returns whether it may go on.
    pub(super) async fn must_refresh(&mut self, verdict: &mut Verdict, when: &str) -> Result<bool> {
        let reply = self.present_until_answered(&self.grant.refresh).await?;
        match reply.answer {
            Answer::Granted(grant) => {
                self.keep(grant);
                return Ok(true);
            }
            Answer::Refused(code) => {
                let why = format!("{when}, the honest client was refused: {code}");
                self.was_refused(verdict, why).await?;
            }
            _ => verdict.count(
                RoundFinding::Other,
                format!("{when}, the honest client's refresh: {}", reply.words()),
            ),
        }
        Ok(false)
    }

    /// Presents each of the tokens once and counts their different successors: the branches that live. The client keeps the last one.
    pub(super) async fn count_branches(
        &mut self,
        grants: Vec<Grant>,
        verdict: &mut Verdict,
        when: &str,
    ) -> Result<bool> {
        let mut successors = Vec::new();
        let mut refusal = String::new();
        for grant in distinct(grants) {
            let reply = self.present_until_answered(&grant.refresh).await?;
            match reply.answer {
                Answer::Granted(grant) => successors.push(grant),
                _ => refusal = reply.words(),
            }
        }
        let mut successors = distinct(successors);
        verdict.branches(u32::try_from(successors.len())?);
        let Some(last) = successors.pop() else {
            verdict.count(
                RoundFinding::Ended,
                format!("{when}, no token that the honest client was given works: {refusal}"),
            );
            return Ok(false);
        };
        self.keep(last);
        Ok(true)
    }

    /// Presents the refresh and access tokens of a session that is over. Those that still work count as `finding`.
    pub(super) async fn must_be_refused(
        &self,
        grants: &[Grant],
        finding: RoundFinding,
        verdict: &mut Verdict,
        when: &str,
    ) -> Result<()> {
        for grant in distinct(grants.to_vec()) {
            let name = self.api.journal.name(&grant.refresh);
            let reply = self.present_until_answered(&grant.refresh).await?;
            let what = format!("{when}, refreshing with {name}");
            judge_refused(&reply, finding, verdict, &what);
            if let Some(reply) = self.api.check(&grant).await? {
                let what = format!("{when}, the access token that came with {name}");
                judge_refused(&reply, finding, verdict, &what);
            }
        }
        Ok(())
    }
}

fn judge_refused(reply: &Reply, finding: RoundFinding, verdict: &mut Verdict, what: &str) {
    match reply.answer {
        Answer::Refused(_) => {}
        Answer::Granted(_) | Answer::Done => {
            verdict.count(finding, format!("{what} still worked"));
        }
        _ => verdict.count(RoundFinding::Other, format!("{what}: {}", reply.words())),
    }
}

/// Each refresh token once, in order.
fn distinct(grants: Vec<Grant>) -> Vec<Grant> {
    let mut kept: Vec<Grant> = Vec::new();
    for grant in grants {
        if kept.iter().all(|known| known.refresh != grant.refresh) {
            kept.push(grant);
        }
    }
    kept
}
