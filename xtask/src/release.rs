//! `cargo xtask release`: the service as it is shipped. The compiler knows from a load how often which code runs. The linker puts the functions that a start
//! runs side by side, so that an idle service keeps those in memory and not what lies between them; which they are is found by starts under valgrind.

use std::{
    collections::BTreeSet,
    fs,
    hash::{DefaultHasher, Hasher as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::{
    bench,
    harness::{
        folders,
        http::HttpClient,
        interrupt::Interrupt,
        process::{self, cargo},
        service::{Binary, Instance, Settings},
        stores::{self, Schema, StoreKind, Stores},
    },
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
/// Where both can be done. It is named, so that flags are not for what runs at build time, too.
const TARGET: &str = "x86_64-unknown-linux-gnu";

pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    let built = build(interrupt).await?;
    println!("{}", built.display());
    Ok(())
}

/// Builds it; where it can't be profiled, traced or ordered, as the compiler does by itself.
pub(crate) async fn build(interrupt: &Interrupt) -> Result<PathBuf> {
    let Some(profdata) = profdata().await else {
        eprintln!(
            "LLVM's llvm-profdata is needed for a profile (`rustup component add llvm-tools`, on x86-64 Linux); without, requests take some 10 % more CPU"
        );
        return link("release", || cargo(RELEASE), interrupt).await;
    };
    let profile = profile(&profdata, interrupt).await?;
    let flag = format!("-Cprofile-use={}", profile.display());
    let folder = format!("{TARGET}/release");
    let linked = link(&folder, || flagged(&flag), interrupt).await?;
    // Where everyone looks for it. Cargo's own may be a link to a file that Cargo keeps.
    let built = folders::target()?.join("release/revolve");
    if built.exists() {
        fs::remove_file(&built).context("could not replace the binary")?;
    }
    fs::copy(&linked, &built).context("could not copy the binary")?;
    Ok(built)
}

/// Cargo for a binary of the target with this flag of the compiler.
fn flagged(flag: &str) -> Result<Command> {
    let mut cargo = cargo(RELEASE)?;
    cargo.args(["--target", TARGET]).env("RUSTFLAGS", flag);
    Ok(cargo)
}

/// LLVM's tool, of the compiler's own version: of its toolchain, or of the system.
async fn profdata() -> Option<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return None;
    }
    let rustc = async |words: &[&str]| process::output(Command::new("rustc").args(words)).await;
    let (root, versions) = (
        rustc(&["--print", "sysroot"]).await.ok()?,
        rustc(&["-vV"]).await.ok()?,
    );
    let own = Path::new(root.trim()).join("lib/rustlib").join(TARGET);
    let own = own.join("bin/llvm-profdata");
    if own.is_file() {
        return Some(own);
    }
    let version = versions
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))?;
    program(&format!("llvm-profdata-{}", version.split('.').next()?)).await
}

/// What a load does, for the compiler. Cargo sees by the name of the file that it is another one.
async fn profile(profdata: &Path, interrupt: &Interrupt) -> Result<PathBuf> {
    let folder = folders::target()?.join("pgo");
    let raw = folder.join("raw");
    let mut instrumented = flagged(&format!("-Cprofile-generate={}", raw.display()))?;
    instrumented.arg("--target-dir").arg(&folder);
    process::run(instrumented, interrupt).await?;
    if raw.exists() {
        fs::remove_dir_all(&raw).context("could not remove an older profile")?;
    }
    bench::train(&folder.join(TARGET).join("release/revolve"), interrupt).await?;
    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(profdata);
    merge.args(["merge", "-o"]).arg(&merged).arg(&raw);
    process::run(merge, interrupt).await?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&fs::read(&merged).context("could not read the profile")?);
    let named = folder.join(format!("{:016x}.profdata", hasher.finish()));
    fs::rename(&merged, &named).context("could not name the profile")?;
    Ok(named)
}

/// Builds it in a folder of the target's, and links it once more in the order of its start.
async fn link(
    folder: &str,
    compiler: impl Fn() -> Result<Command>,
    interrupt: &Interrupt,
) -> Result<PathBuf> {
    process::run(compiler()?, interrupt).await?;
    let built = folders::target()?.join(folder).join("revolve");
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
    let order = built.with_file_name("order.txt");
    fs::write(&order, functions(&profiles(folder.path())?)).context("could not write the order")?;
    let mut linked = compiler()?;
    linked.arg("--").args(ordered(&order));
    process::run(linked, interrupt).await?;
    Ok(built)
}

async fn valgrind() -> Option<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return None;
    }
    program("valgrind").await
}

/// Where the system has a program.
async fn program(name: &str) -> Option<PathBuf> {
    let mut shell = Command::new("sh");
    let found = process::output(shell.args(["-c", &format!("command -v {name}")])).await;
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
