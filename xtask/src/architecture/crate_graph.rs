//! Which crate may depend on which: arrows point inward.

use std::collections::BTreeSet;

use anyhow::Result;
use cargo_metadata::{DependencyKind, Metadata};

use crate::harness::process::{self, cargo};

/// A package, the packages of ours that it may depend on, and those that only its tests may.
type AllowedDependencies = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const ALLOWED: [AllowedDependencies; 14] = [
    ("revolve-domain", &[], &["revolve-testkit"]),
    ("revolve-testkit", &["revolve-domain"], &[]),
    (
        "revolve-adapters",
        &["revolve-domain"],
        &["revolve-testkit"],
    ),
    ("revolve-observe", &["revolve-domain"], &["revolve-testkit"]),
    (
        "revolve-http",
        &["revolve-domain", "revolve-observe"],
        &["revolve-testkit"],
    ),
    ("revolve-listener", &[], &[]),
    ("revolve-config", &["revolve-domain"], &[]),
    // The composition root.
    (
        "revolve",
        &[
            "revolve-domain",
            "revolve-adapters",
            "revolve-observe",
            "revolve-http",
            "revolve-listener",
            "revolve-config",
        ],
        &["revolve-testkit", "revolve-verify"],
    ),
    // Relying services link nothing of the service; the tests start one, and make its statements.
    (
        "revolve-verify",
        &[],
        &[
            "revolve",
            "revolve-adapters",
            "revolve-domain",
            "revolve-verify",
        ],
    ),
    (
        "example-embed-domain",
        &["revolve-domain", "revolve-adapters"],
        &["revolve-testkit"],
    ),
    ("example-mount-scope", &["revolve"], &[]),
    (
        "relying-service",
        &["revolve-verify"],
        &[
            "revolve",
            "revolve-adapters",
            "revolve-domain",
            "revolve-testkit",
        ],
    ),
    // What verifies a passkey is measured in its floors, everything else of the service's crates in its micro-benchmarks.
    (
        "revolve-bench",
        &["revolve-domain", "revolve-adapters", "revolve-testkit"],
        &["revolve-verify"],
    ),
    // For the mail server that the service is measured and attacked with.
    ("xtask", &["revolve-testkit"], &[]),
];

/// The domain's direct dependencies.
const DOMAIN_MAY_USE: [&str; 16] = [
    "async-trait",
    "crc",
    "email_address",
    "icu_casemap",
    "icu_properties",
    "idna",
    "secrecy",
    "serde",
    "serde_json",
    "sha2",
    "subtle",
    "thiserror",
    "time",
    "unicode-normalization",
    "url",
    "uuid",
];

/// Runtimes, randomness, I/O and technologies that the domain must not be built from by any path.
const DOMAIN_NEVER: [&str; 15] = [
    "actix-rt",
    "actix-web",
    "async-std",
    "deadpool",
    "getrandom",
    "hyper",
    "mio",
    "openssl",
    "redis",
    "reqwest",
    "rusqlite",
    "smol",
    "tokio",
    "tokio-postgres",
    "tracing",
];

/// What is wrong with the manifests.
pub(super) fn mistakes(metadata: &Metadata) -> Vec<String> {
    let members = metadata.workspace_packages();
    let ours: BTreeSet<&str> = members
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut mistakes = Vec::new();
    for package in &members {
        let name = package.name.as_str();
        let Some((_, uses, tests_use)) = ALLOWED.iter().find(|(known, ..)| *known == name) else {
            mistakes.push(format!(
                "{name} is new: add it to xtask/src/architecture/crate_graph.rs"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let on = dependency.name.as_str();
            let for_tests = dependency.kind == DependencyKind::Development;
            if ours.contains(on) && !uses.contains(&on) && !(for_tests && tests_use.contains(&on)) {
                mistakes.push(format!(
                    "{name} must not depend on {on}: arrows point inward"
                ));
            }
            if name == "revolve-domain" && !for_tests && !DOMAIN_MAY_USE.contains(&on) {
                mistakes.push(format!(
                    "{name} must not depend on {on}: if it is small and pure, add it to xtask/src/architecture/crate_graph.rs"
                ));
            }
        }
    }
    mistakes
}

/// What the domain is built from and must not be.
pub(super) async fn domain_mistakes() -> Result<Vec<String>> {
    let built_from = built_from("revolve-domain").await?;
    let never = DOMAIN_NEVER
        .iter()
        .filter(|name| built_from.contains(**name));
    Ok(never
        .map(|name| {
            format!(
                "revolve-domain is built from {name}: see `cargo tree -p revolve-domain -e normal -i {name}`"
            )
        })
        .collect())
}

/// The names of all crates that a package is built from, with the features that it has when it is built alone.
pub(super) async fn built_from(package: &str) -> Result<BTreeSet<String>> {
    let mut tree = cargo([
        "tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}",
    ])?;
    let names = process::output(&mut tree).await?;
    Ok(names
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect())
}
