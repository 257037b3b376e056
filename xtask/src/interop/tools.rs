//! Python and node with the libraries at exact versions, below target/. Installed on first use, and again when the versions change.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{
    faketime::FakeClock, folders, interrupt::Interrupt, node, process, python::Venv,
};

/// A request that a library verifies.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SignedRequest {
    pub(super) secret: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// What a library says of each webhook or passkey.
#[derive(Debug, Deserialize)]
pub(super) struct Judgement {
    pub(super) library: String,
    pub(super) version: String,
    pub(super) accepted: Vec<bool>,
}

/// A registration or a sign-in with a passkey that a library verifies.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PasskeyTask {
    /// What the service asked the browser with.
    pub(super) options: Value,
    /// Where passkeys count.
    pub(super) origin: &'static str,
    /// What the authenticator has made.
    pub(super) response: Value,
    /// For a sign-in, the registration of the same passkey.
    pub(super) registration: Option<Box<Self>>,
}

/// The codes of an authenticator app.
#[derive(Debug, Deserialize)]
pub(super) struct AppCodes {
    pub(super) library: String,
    pub(super) version: String,
    /// Of now, and of the step after.
    pub(super) codes: [String; 2],
}

/// What a library is to do as an OAuth client, and with which session.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientTask<'a> {
    pub(super) issuer: &'a str,
    /// What ID tokens are for, which is what libraries take for the client's id.
    pub(super) audience: &'a str,
    /// For introspection.
    pub(super) key: &'a str,
    pub(super) email: &'a str,
    pub(super) session: &'a str,
    pub(super) refresh_token: &'a str,
    /// The device credential.
    pub(super) credential: &'a str,
    pub(super) refreshes: u32,
    /// Seconds between refreshes.
    pub(super) pause: u64,
    /// The file that sets the clock of service and client; without it no time passes.
    pub(super) clock: Option<&'a Path>,
}

/// The library that has done it.
#[derive(Debug, Deserialize)]
pub(super) struct ClientDone {
    pub(super) library: String,
    pub(super) version: String,
}

/// A library, and how its script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    Python(&'static str),
    Node(&'static str),
}

pub(super) const LIBRARIES: [Library; 6] = [
    Library::Python("with_pyjwt"),
    Library::Python("with_joserfc"),
    Library::Python("with_authlib"),
    Library::Python("with_authlib_oidc"),
    Library::Node("jose"),
    Library::Node("openid-client"),
];

pub(crate) struct Tools {
    scripts: PathBuf,
    python: Venv,
    node: PathBuf,
}

impl Tools {
    /// Installs what is missing.
    ///
    /// # Errors
    /// A reason in one line, if Python, node or their registries are missing.
    pub(crate) async fn prepare(interrupt: &Interrupt) -> Result<Self> {
        let scripts = folders::root()?.join("xtask/interop");
        let target = folders::target()?;
        let requirements = scripts.join("requirements.txt");
        let python = interrupt
            .guard(Venv::prepare(target.join("interop/python"), &requirements))
            .await?;
        let tools = Self {
            python,
            scripts,
            node: target.join("interop/node"),
        };
        interrupt.guard(tools.prepare_node()).await?;
        Ok(tools)
    }

    async fn prepare_node(&self) -> Result<()> {
        let wanted = self.scripts.join("package.json");
        fs::create_dir_all(&self.node)?;
        fs::copy(&wanted, self.node.join("package.json"))?;
        let words = ["install", "--no-package-lock"];
        node::install(&self.node, "package.json", &words).await?;
        // Node looks for packages beside the script.
        for script in ["run.mjs", "webhooks.mjs", "oauth.mjs", "passkeys.mjs"] {
            fs::copy(self.scripts.join(script), self.node.join(script))?;
        }
        Ok(())
    }

    /// Gives a library its tasks.
    pub(super) async fn run(&self, library: Library, tasks: &Tasks) -> Result<LibraryOutput> {
        let answer = match library {
            Library::Python(module) => self.script("run.py", [module], tasks).await,
            Library::Node(package) => {
                pipe(
                    Command::new("node")
                        .arg(self.node.join("run.mjs"))
                        .arg(package),
                    tasks,
                )
                .await
            }
        };
        serde_json::from_slice(&answer?)
            .with_context(|| format!("{library:?} answers something else than asked for"))
    }

    /// Has both libraries of Standard Webhooks verify these requests.
    pub(super) async fn verify_hooks(&self, requests: &[&SignedRequest]) -> Result<[Judgement; 2]> {
        self.both("webhooks", &requests).await
    }

    /// Has both libraries of WebAuthn verify these.
    pub(super) async fn verify_passkeys(&self, tasks: &[&PasskeyTask]) -> Result<[Judgement; 2]> {
        self.both("passkeys", &tasks).await
    }

    /// Has an authenticator app read this URI.
    pub(super) async fn app_codes(&self, uri: &str) -> Result<AppCodes> {
        let codes = self.script("totp.py", [] as [&str; 0], &uri).await?;
        Ok(serde_json::from_slice(&codes)?)
    }

    /// Runs the script of this name in Python, and in node.
    async fn both(&self, name: &str, tasks: &impl Serialize) -> Result<[Judgement; 2]> {
        let none = [] as [&str; 0];
        let python = self.script(&format!("{name}.py"), none, tasks).await?;
        let mut node = Command::new("node");
        let script = self.node.join(format!("{name}.mjs"));
        let node = pipe(node.arg(script), tasks).await?;
        Ok([
            serde_json::from_slice(&python)?,
            serde_json::from_slice(&node)?,
        ])
    }

    /// Has a library play an OAuth client, by the same clock as the service.
    pub(super) async fn play_oauth(
        &self,
        library: Library,
        task: &ClientTask<'_>,
        clock: Option<&FakeClock>,
    ) -> Result<ClientDone> {
        let mut command = match library {
            Library::Python(name) => {
                let mut python = self.python("oauth.py");
                python.arg(name);
                python
            }
            Library::Node(name) => {
                let mut node = Command::new("node");
                node.arg(self.node.join("oauth.mjs")).arg(name);
                node
            }
        };
        command.envs(clock.into_iter().flat_map(FakeClock::variables));
        Ok(serde_json::from_slice(&pipe(&mut command, task).await?)?)
    }

    /// A key pair for each algorithm, as JWKs: `{"RS256": {"private": …, "public": …}, …}`.
    pub(super) async fn keys(&self) -> Result<Value> {
        Ok(serde_json::from_slice(
            &self.script("keys.py", [] as [&str; 0], &()).await?,
        )?)
    }

    async fn script(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        tasks: &impl Serialize,
    ) -> Result<Vec<u8>> {
        pipe(self.python(name).args(arguments), tasks).await
    }

    /// A script in Python.
    fn python(&self, name: &str) -> Command {
        let mut command = Command::new(self.python.program("python"));
        // -B: no compiled files beside the sources.
        command.arg("-B").arg(self.scripts.join(name));
        command
    }
}

/// The tasks of a library.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tasks {
    pub(super) verify: Vec<Verify>,
    pub(super) issue: Vec<Issue>,
}

/// Verify a token, with what is expected of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verify {
    pub(super) id: String,
    pub(super) algorithm: String,
    pub(super) key_set: String,
    pub(super) configuration: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Issue {
    pub(super) id: String,
    pub(super) algorithm: String,
    pub(super) key: Value,
    pub(super) header: Value,
    pub(super) claims: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct LibraryOutput {
    pub(super) library: String,
    pub(super) version: String,
    pub(super) verdicts: Vec<LibraryVerdict>,
    pub(super) issued: Vec<Issued>,
}

/// Accepted with a user, or refused with a reason.
#[derive(Debug, Deserialize)]
pub(super) struct LibraryVerdict {
    pub(super) id: String,
    pub(super) accepted: Option<Who>,
    pub(super) reason: Option<String>,
    pub(super) error: Option<String>,
}

/// The user in a token.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) sub: String,
    pub(super) email: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issued {
    pub(super) id: String,
    pub(super) token: String,
}

/// Runs a script with its tasks on standard input, and without proxies: the service is on this machine.
async fn pipe(command: &mut Command, tasks: &impl Serialize) -> Result<Vec<u8>> {
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        command.env_remove(name);
    }
    process::pipe(command, &serde_json::to_vec(tasks)?).await
}
