//! What `revolve --version` says of the build. The commit is asked for in release builds only, or each commit would build
//! everything anew; `REVOLVE_COMMIT` says it where there is no repository, as in an image.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=REVOLVE_COMMIT");
    let profile = env::var("PROFILE").unwrap_or_default();
    let given = env::var("REVOLVE_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| {
        if profile == "release" {
            repository()
        } else {
            None
        }
    });
    let rustc = env::var_os("RUSTC").and_then(|rustc| output(Command::new(rustc).arg("--version")));
    for (name, value) in [
        ("COMMIT", commit),
        ("PROFILE", Some(profile)),
        ("TARGET", env::var("TARGET").ok()),
        ("RUSTC", rustc),
    ] {
        println!(
            "cargo::rustc-env=REVOLVE_BUILD_{name}={}",
            value.as_deref().unwrap_or("unknown")
        );
    }
}

fn repository() -> Option<String> {
    let git = |arguments: &[&str]| output(Command::new("git").args(arguments));
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&[
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ])
}

fn output(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
