//! `cargo xtask release`: the service as it is shipped. The linker puts the functions that a start runs side by side, so that an idle service keeps those in
//! memory and not what lies between them. Which they are is found by starts under valgrind.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::harness::{
    folders,
    http::HttpClient,
    interrupt::Interrupt,
    process::{self, cargo},
    service::{Binary, Instance, Settings},
    stores::{self, Schema, StoreKind, Stores},
};

/// What is built.
const RELEASE: [&str; 7] = [
    "rustc",
    "--release",
    "--locked",
    "--package",
    "revolve",
    "--bin",
    "revolve",
];

pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    let built = build(interrupt).await?;
    println!("{}", built.display());
    Ok(())
}

/// Builds it; where it can't be traced or ordered, in the order of its source.
pub(crate) async fn build(interrupt: &Interrupt) -> Result<PathBuf> {
    process::run(cargo(RELEASE)?, interrupt).await?;
    let built = folders::target()?.join("release/revolve");
    let Some(valgrind) = valgrind().await else {
        eprintln!(
            "valgrind and the linker lld (rustc's own on x86-64 Linux) are needed to order functions; without, an idle service takes 7 MiB more"
        );
        return Ok(built);
    };
    let folder = folders::temporary("order")?;
    let traced = traced(&built, &valgrind, folder.path())?;
    let stores = Stores::start_own(&stores::Args::local(), interrupt).await?;
    let started = Box::pin(interrupt.guard(start(&traced, &stores, folder.path()))).await;
    stores.shut_down().await;
    started?;
    let order = folders::target()?.join("release/order.txt");
    fs::write(&order, functions(&profiles(folder.path())?)).context("could not write the order")?;
    let mut linked = cargo(RELEASE)?;
    linked.arg("--").args(ordered(&order));
    process::run(linked, interrupt).await?;
    Ok(built)
}

async fn valgrind() -> Option<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return None;
    }
    let mut shell = Command::new("sh");
    let found = process::output(shell.args(["-c", "command -v valgrind"])).await;
    found.ok().map(PathBuf::from)
}

/// The binary as a script that writes a profile into the folder at its end.
fn traced(built: &Path, valgrind: &Path, folder: &Path) -> Result<Binary> {
    let plain = folder.join("plain");
    fs::copy(built, &plain).context("could not copy the binary")?;
    let script = folder.join("revolve");
    let (plain, valgrind, folder) = (plain.display(), valgrind.display(), folder.display());
    let text = format!(
        "#!/bin/sh\nexec {valgrind} --quiet --tool=callgrind --demangle=no --callgrind-out-file={folder}/profile.%p {plain} \"$@\"\n"
    );
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Binary::copy(&script)
}

/// Starts it over both kinds of store, twice: the second time everything is there. It answers one request.
async fn start(traced: &Binary, stores: &Stores, folder: &Path) -> Result<()> {
    let url = |kind| {
        stores
            .get(kind)
            .context("it was started")
            .map(|store| store.url().parse())
    };
    let (redis, postgres) = (url(StoreKind::Redis)??, url(StoreKind::Postgres)??);
    let schema = Schema::create(&postgres, "starts".to_owned()).await?;
    let server = Settings::plain().server_without_key()?;
    let http = HttpClient::new()?;
    for (name, settings) in [
        ("embedded", Settings::plain()),
        ("server", server.stores(&redis, &schema.url())),
    ] {
        let mut instance = Instance::start(traced, &settings, folder.join(name)).await?;
        for is_last in [false, true] {
            let keys = format!("{}/.well-known/jwks.json", instance.url());
            let answer = http.get(&keys).await.context("no answer")?;
            ensure!(answer.is_success(), "{keys} was answered {}", answer.status);
            instance.stop().await?;
            if !is_last {
                instance.restart().await?;
            }
        }
    }
    schema.remove().await
}

fn profiles(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context("could not read the folder of profiles")? {
        let path = entry?.path();
        if path.file_stem().is_some_and(|stem| stem == "profile") {
            found.push(fs::read_to_string(path)?);
        }
    }
    ensure!(!found.is_empty(), "the starts left no profile");
    Ok(found)
}

/// The functions in profiles, a line each; a profile names each the first time that it is said: `fn=(7) name`, or `cfn=` where it is called.
fn functions(profiles: &[String]) -> String {
    let lines = profiles.iter().flat_map(|profile| profile.lines());
    let names = lines.filter_map(|line| {
        let line = line.strip_prefix('c').unwrap_or(line);
        let (_, name) = line.strip_prefix("fn=(")?.split_once(") ")?;
        // Of a recursion.
        Some(name.split('\'').next().unwrap_or(name))
    });
    let names: BTreeSet<&str> = names.collect();
    let mut list = names.into_iter().collect::<Vec<_>>().join("\n");
    list.push('\n');
    list
}

/// What tells the linker. Functions of libraries are named, too, and not found.
fn ordered(order: &Path) -> [String; 2] {
    [
        format!("-Clink-arg=-Wl,--symbol-ordering-file={}", order.display()),
        "-Clink-arg=-Wl,--no-warn-symbol-ordering".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_those_of_all_profiles_once() {
        let profiles = [
            "version: 1\nfn=(1) _ZN1aE\n12 3\ncfn=(2) _ZN1bE\ncalls=1 0\nfn=(1)\n".to_owned(),
            "fn=(4) _ZN1cE'2\ncfn=(1) _ZN1bE\n".to_owned(),
        ];
        assert_eq!(functions(&profiles), "_ZN1aE\n_ZN1bE\n_ZN1cE\n");
    }
}
