//! `cargo xtask pages`: every page in Chromium, with mails read and forms sent, judged by axe-core, and kept as pictures below target/pages; then what
//! people do with them, and what forgers try. The scripts in `xtask/pages` drive the browser.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::harness::{
    folders,
    interrupt::Interrupt,
    node, process,
    proxy::Proxy,
    service::{Binary, Instance, Settings},
};

/// Where Chromium is, unless `REVOLVE_CHROMIUM` says so.
const BROWSERS: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
/// A browser, and what drives it.
pub(crate) struct Tools {
    scripts: PathBuf,
    browser: PathBuf,
}

impl Tools {
    /// Installs what is missing below target/.
    ///
    /// # Errors
    /// A reason in one line, if node, its registry or Chromium are missing.
    pub(crate) async fn prepare(interrupt: &Interrupt) -> Result<Self> {
        let browser =
            browser().context("there is no Chromium; REVOLVE_CHROMIUM says where it is")?;
        let sources = folders::root()?.join("xtask/pages");
        let scripts = folders::target()?.join("pages-node");
        // Node looks for packages beside the scripts.
        copy(&sources, &scripts)?;
        let words = ["install", "--no-package-lock"];
        let install = node::install(&scripts, "package.json", &words);
        interrupt.guard(install).await?;
        Ok(Self { scripts, browser })
    }

    /// Walks through every page, and plays the stories.
    pub(crate) async fn test(&self, interrupt: &Interrupt) -> Result<()> {
        let binary = self.look(interrupt).await?;
        let mut stories = Command::new("node");
        stories
            .arg(self.scripts.join("stories.mjs"))
            .arg(binary.path())
            .arg(folders::root()?.join("examples/web/revolve-client.js"))
            .arg(&self.browser)
            .arg(pictures()?);
        process::run(stories, interrupt).await
    }

    /// Walks through every page; answers what has served them.
    pub(crate) async fn look(&self, interrupt: &Interrupt) -> Result<Binary> {
        eprintln!("building the service");
        let binary = Binary::build(false, interrupt).await?;
        let pictures = pictures()?;
        if pictures.exists() {
            fs::remove_dir_all(&pictures)?;
        }
        self.walk(&binary, &pictures, interrupt).await?;
        Ok(binary)
    }

    async fn walk(&self, binary: &Binary, pictures: &Path, interrupt: &Interrupt) -> Result<()> {
        let (folder, proxy) = (folders::temporary("pages")?, Proxy::bind().await?);
        // Browsers know passkeys on `localhost`, and on no other address of this machine.
        let issuer = proxy.http_url().replace("127.0.0.1", "localhost");
        let data = folder.path().join("data");
        let settings = settings(&issuer, &data);
        let home = folder.path().join("service");
        let start = Instance::start(binary, &settings, home);
        let mut instance = interrupt.guard(start).await?;
        proxy.lead_to(&instance.url().parse()?)?;
        let mut walk = Command::new("node");
        walk.arg(self.scripts.join("walk.mjs"))
            .arg(&issuer)
            .arg(data.join("mail"))
            .arg(pictures)
            .arg(&self.browser);
        process::run(walk, interrupt).await?;
        println!("pictures in {}", pictures.display());
        instance.stop().await
    }
}

fn pictures() -> Result<PathBuf> {
    Ok(folders::target()?.join("pages"))
}

/// Everything that has a page, and no limits: all requests come from one address.
fn settings(issuer: &str, data: &Path) -> Settings {
    Settings::plain()
        .data_dir(data)
        .with("TOKENS__ISSUER", issuer)
        .with("ACCOUNTS__VERIFICATION", "optional")
        .with("ACCOUNTS__SIGN_IN_CODE", "true")
        .with("LIMITS__ENABLED", "false")
        .with("HASHING__MEMORY_KIB", "64")
        .with("HASHING__PASSES", "1")
        .with("PAGES__NAME", "Example")
        .with("PAGES__TERMS", "https://example.org/terms")
        .with("PAGES__PRIVACY", "https://example.org/privacy")
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("REVOLVE_CHROMIUM").map(PathBuf::from);
    let usual = || {
        BROWSERS
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
    };
    named.or_else(usual)
}

pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    Tools::prepare(interrupt).await?.test(interrupt).await
}
