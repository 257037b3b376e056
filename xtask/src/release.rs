//! `cargo xtask release`: the service as it is shipped. The compiler knows from a load how often which code runs. The linker puts the functions that a start
//! runs side by side, so that an idle service keeps those in memory and not what lies between them; which they are is found by starts under valgrind.

use std::{
    collections::BTreeSet,
    env, fs,
    hash::{DefaultHasher, Hasher as _},
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
/// The only target where profiles and orders work. Naming it keeps flags away from build scripts and macros.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Folders below Cargo's target folder.
const INSTRUMENTED: &str = "pgo/instrumented";
const PROFILED: &str = "pgo/profiled";
/// Between encoded flags.
const AND: &str = "\x1f";
const IS_TARGET: bool = cfg!(all(
    target_os = "linux",
    target_arch = "x86_64",
    target_env = "gnu"
));

pub(crate) async fn run(
    train: impl AsyncFnOnce(&Path) -> Result<()>,
    interrupt: &Interrupt,
) -> Result<()> {
    let built = build(train, interrupt).await?;
    println!("{}", built.display());
    Ok(())
}

/// Builds it; where it can't be profiled, traced or ordered, as the compiler does by itself. `train` puts a load on an instrumented binary.
pub(crate) async fn build(
    train: impl AsyncFnOnce(&Path) -> Result<()>,
    interrupt: &Interrupt,
) -> Result<PathBuf> {
    let folder = folders::target()?;
    let built = folder.join("release/revolve");
    let Some(profdata) = profdata().await else {
        eprintln!(
            "a rustc that counts and LLVM's llvm-profdata are needed for a profile (`rustup component add llvm-tools`, on x86-64 Linux); without, a \
             refresh takes more CPU and the binary is larger (ADR 57)"
        );
        link(&built, || cargo(RELEASE), interrupt).await?;
        return Ok(built);
    };
    let profile = profile(&profdata, train, interrupt).await?;
    let folder = folder.join(PROFILED);
    let profiled = folder.join(TARGET).join("release/revolve");
    let compiler = || flagged(&format!("-Cprofile-use={}", profile.display()), &folder);
    link(&profiled, compiler, interrupt).await?;
    // The old one may be a hard link into Cargo's own files, so it is replaced and not overwritten.
    let new = built.with_extension("new");
    fs::copy(&profiled, &new).context("could not copy the binary")?;
    fs::rename(&new, &built).context("could not replace the binary")?;
    Ok(built)
}

/// Cargo with this flag of the compiler and those of the environment, not of configuration files; built in a folder of its own.
fn flagged(flag: &str, folder: &Path) -> Result<Command> {
    let given = env::var("CARGO_ENCODED_RUSTFLAGS").or_else(|_| {
        env::var("RUSTFLAGS").map(|flags| flags.split_whitespace().collect::<Vec<_>>().join(AND))
    });
    let flags = given.map_or_else(|_| flag.to_owned(), |given| [&given, flag].join(AND));
    let mut cargo = cargo(RELEASE)?;
    cargo
        .args(["--target", TARGET, "--target-dir"])
        .arg(folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags);
    Ok(cargo)
}

/// LLVM's tool, of the compiler's own version: of its toolchain, or of the system. `None` if it or the compiler's counters are missing.
async fn profdata() -> Option<PathBuf> {
    if !IS_TARGET {
        return None;
    }
    let rustc = async |words: &[&str]| process::output(Command::new("rustc").args(words)).await;
    let root = rustc(&["--print", "sysroot"]).await.ok()?;
    let root = Path::new(&root).join("lib/rustlib").join(TARGET);
    let mut libraries = fs::read_dir(root.join("lib")).ok()?.flatten();
    libraries.find(|library| {
        let name = library.file_name();
        name.to_string_lossy().starts_with("libprofiler_builtins")
    })?;
    let own = root.join("bin/llvm-profdata");
    if own.is_file() {
        return Some(own);
    }
    let versions = rustc(&["-vV"]).await.ok()?;
    let version = versions
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))?;
    program(&format!("llvm-profdata-{}", version.split('.').next()?)).await
}

/// What a load does, for the compiler.
async fn profile(
    profdata: &Path,
    train: impl AsyncFnOnce(&Path) -> Result<()>,
    interrupt: &Interrupt,
) -> Result<PathBuf> {
    let folder = folders::target()?.join(INSTRUMENTED);
    let raw = folder.join("raw");
    let counting = flagged(&format!("-Cprofile-generate={}", raw.display()), &folder)?;
    process::run(counting, interrupt).await?;
    if raw.exists() {
        fs::remove_dir_all(&raw).context("could not remove an older profile")?;
    }
    Box::pin(train(&folder.join(TARGET).join("release/revolve"))).await?;
    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(profdata);
    merge.args(["merge", "-o"]).arg(&merged).arg(&raw);
    process::run(merge, interrupt)
        .await
        .context("the load left no counters")?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&fs::read(&merged).context("could not read the profile")?);
    // Cargo does not look into the file, so its name has its hash; and it would keep all that it built with another one.
    let profiled = folders::target()?.join(PROFILED);
    let named = profiled.join(format!("{:016x}.profdata", hasher.finish()));
    if !named.exists() {
        if profiled.exists() {
            fs::remove_dir_all(&profiled).context("could not remove an older build")?;
        }
        fs::create_dir_all(&profiled)?;
        fs::rename(&merged, &named).context("could not name the profile")?;
    }
    Ok(named)
}

/// Builds it, and links it once more in the order of its start.
async fn link(
    built: &Path,
    compiler: impl Fn() -> Result<Command>,
    interrupt: &Interrupt,
) -> Result<()> {
    process::run(compiler()?, interrupt).await?;
    let Some(valgrind) = valgrind().await else {
        eprintln!(
            "valgrind and the linker lld (rustc's own on x86-64 Linux) are needed to order functions; without, an idle service takes 7 MiB more"
        );
        return Ok(());
    };
    let folder = folders::temporary("order")?;
    let traced = traced(built, &valgrind, folder.path())?;
    let stores = Stores::start_own(&stores::Args::local(), interrupt).await?;
    let started = Box::pin(interrupt.guard(start(&traced, &stores, folder.path()))).await;
    stores.shut_down().await;
    started?;
    let order = built.with_file_name("order.txt");
    fs::write(&order, functions(&profiles(folder.path())?)).context("could not write the order")?;
    let mut linked = compiler()?;
    linked.arg("--").args(ordered(&order));
    process::run(linked, interrupt).await
}

async fn valgrind() -> Option<PathBuf> {
    if !IS_TARGET {
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
