//! `cargo xtask deps`: arrows point inward. Reads cargo's own view of the workspace, so no manifest can say otherwise.

mod source_rules;

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::harness::folders;

/// Each of our packages: what of ours it may use, and what its tests may use besides.
const DIRECTION: [(&str, &[&str], &[&str]); 10] = [
    ("revolve-domain", &[], &["revolve-testkit"]),
    ("revolve-testkit", &["revolve-domain"], &[]),
    (
        "revolve-adapters",
        &["revolve-domain"],
        &["revolve-testkit"],
    ),
    (
        "revolve",
        &["revolve-domain", "revolve-adapters"],
        &["revolve-testkit"],
    ),
    // Whoever relies on the service links nothing of it; its tests start one.
    ("revolve-verify", &[], &["revolve", "revolve-verify"]),
    // Nothing depends on an example, and each shows how little it takes.
    (
        "example-embed-domain",
        &["revolve-domain", "revolve-adapters"],
        &["revolve-testkit"],
    ),
    ("example-mount-scope", &["revolve"], &[]),
    ("relying-service", &["revolve-verify"], &["revolve"]),
    // It measures what the service is built from, without the service: only its micro-benchmarks touch adapters.
    (
        "revolve-bench",
        &[],
        &["revolve-domain", "revolve-adapters", "revolve-testkit"],
    ),
    ("xtask", &[], &[]),
];

/// The domain's direct dependencies: small, pure, and chosen one by one.
const DOMAIN_MAY_USE: [&str; 9] = [
    "async-trait",
    "email_address",
    "secrecy",
    "serde",
    "thiserror",
    "time",
    "unicode-normalization",
    "url",
    "uuid",
];

/// Runtimes, I/O and technologies that must not reach the domain by any path.
const DOMAIN_NEVER: [&str; 14] = [
    "actix-rt",
    "actix-web",
    "async-std",
    "deadpool",
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

/// Crates that only some of our packages may name.
const RESERVED: [(&str, &[&str]); 2] = [
    ("anyhow", &["revolve", "revolve-bench", "xtask"]),
    ("josekit", &["revolve-adapters", "revolve-bench"]),
];

pub(crate) fn run() -> Result<()> {
    let mut faults = dependency_faults(&metadata()?)?;
    faults.extend(source_rules::faults(&folders::root()?)?);
    if !faults.is_empty() {
        bail!(
            "the rules of the house are broken:\n  {}",
            faults.join("\n  ")
        );
    }
    eprintln!("dependency directions and house rules: kept");
    Ok(())
}

fn metadata() -> Result<Metadata> {
    MetadataCommand::new()
        .current_dir(folders::root()?)
        .other_options(["--locked".to_owned()])
        .exec()
        .context("cargo metadata failed")
}

/// What is wrong with the dependencies, one sentence each.
fn dependency_faults(metadata: &Metadata) -> Result<Vec<String>> {
    let members = metadata.workspace_packages();
    let ours: BTreeSet<&str> = members
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut faults = Vec::new();
    for package in &members {
        let name = package.name.as_str();
        let Some((_, uses, tests_use)) = DIRECTION.iter().find(|(known, ..)| *known == name) else {
            faults.push(format!(
                "{name} is new: say in xtask/src/architecture/mod.rs which of our packages it may depend on"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let (on, for_tests) = (
                dependency.name.as_str(),
                dependency.kind == DependencyKind::Development,
            );
            if ours.contains(on) && !uses.contains(&on) && !(for_tests && tests_use.contains(&on)) {
                faults.push(format!(
                    "{name} must not depend on {on}: arrows point inward (app → adapters → domain)"
                ));
            }
            if RESERVED
                .iter()
                .any(|(reserved, may)| *reserved == on && !may.contains(&name))
            {
                faults.push(format!("{name} must not depend on {on}"));
            }
            if name == "revolve-domain" && !for_tests && !DOMAIN_MAY_USE.contains(&on) {
                faults.push(format!("{name} must not depend on {on}: if it is small and pure, add it to the list in xtask/src/architecture/mod.rs"));
            }
        }
    }
    let domain = members
        .iter()
        .find(|package| package.name.as_str() == "revolve-domain")
        .context("there is no revolve-domain")?;
    for never in reachable(metadata, domain)?.intersection(&BTreeSet::from(DOMAIN_NEVER)) {
        faults.push(format!("revolve-domain reaches {never}: see `cargo tree -p revolve-domain -e normal -i {never}`"));
    }
    Ok(faults)
}

/// The names of all packages that `from` is built from, tests aside.
fn reachable<'a>(metadata: &'a Metadata, from: &Package) -> Result<BTreeSet<&'a str>> {
    let resolve = metadata
        .resolve
        .as_ref()
        .context("cargo metadata resolved nothing")?;
    let nodes: HashMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let (mut seen, mut open) = (BTreeSet::new(), vec![&from.id]);
    while let Some(id) = open.pop() {
        let node = nodes
            .get(id)
            .with_context(|| format!("{id} is not in the resolved graph"))?;
        let normal = node.deps.iter().filter(|dep| {
            dep.dep_kinds
                .iter()
                .any(|kind| kind.kind != DependencyKind::Development)
        });
        open.extend(
            normal
                .filter(|dep| seen.insert(&dep.pkg))
                .map(|dep| &dep.pkg),
        );
    }
    Ok(metadata
        .packages
        .iter()
        .filter(|package| seen.contains(&package.id))
        .map(|package| package.name.as_str())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_point_inward() {
        let faults = dependency_faults(&metadata().unwrap()).unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn the_domain_reaches_what_it_declares_and_no_runtime() {
        let metadata = metadata().unwrap();
        let packages = metadata.workspace_packages();
        let find = |name: &str| {
            packages
                .iter()
                .find(|package| package.name.as_str() == name)
                .unwrap()
        };
        assert!(
            reachable(&metadata, find("revolve-domain"))
                .unwrap()
                .contains("uuid")
        );
        assert!(
            reachable(&metadata, find("revolve"))
                .unwrap()
                .contains("tokio"),
            "the walk would not notice a runtime"
        );
    }
}
