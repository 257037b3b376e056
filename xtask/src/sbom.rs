//! `cargo xtask sbom`: a bill of materials (CycloneDX, JSON) of each package that others run or link, below target/, by cargo-cyclonedx.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};
use serde_json::Value;

use crate::harness::{
    folders,
    interrupt::Interrupt,
    process::{self, cargo},
};

/// The packages that others run or link.
const PRODUCTS: [&str; 5] = [
    "revolve",
    "revolve-verify",
    "revolve-domain",
    "revolve-adapters",
    "revolve-testkit",
];

/// The tool writes a file of this name beside each manifest.
const NAME: &str = "xtask-sbom";

pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    if !process::succeeds(&mut cargo(["cyclonedx", "--version"])?).await {
        bail!(
            "no bill of materials was made: cargo-cyclonedx is not installed (`cargo install cargo-cyclonedx --locked`)"
        );
    }
    let metadata = MetadataCommand::new()
        .current_dir(folders::root()?)
        .no_deps()
        .exec()
        .context("cargo metadata failed")?;
    let words = [
        "cyclonedx",
        "--quiet",
        "--format",
        "json",
        "--spec-version",
        "1.5",
        "--target",
        "all",
        "--override-filename",
        NAME,
    ];
    let made = process::run(cargo(words)?, interrupt).await;
    let collected = collect(&metadata);
    made?;
    for file in collected? {
        println!("{}", file.display());
    }
    Ok(())
}

/// Removes the files beside the manifests, and keeps those of the products.
fn collect(metadata: &Metadata) -> Result<Vec<PathBuf>> {
    let folder = metadata.target_directory.join("sbom").into_std_path_buf();
    fs::create_dir_all(&folder)?;
    let mut kept = Vec::new();
    for package in metadata.workspace_packages() {
        let made = package
            .manifest_path
            .with_file_name(format!("{NAME}.json"))
            .into_std_path_buf();
        let Ok(text) = fs::read_to_string(&made) else {
            continue;
        };
        fs::remove_file(&made).with_context(|| format!("could not remove {}", made.display()))?;
        if PRODUCTS.contains(&package.name.as_str()) {
            let file = folder.join(format!("{}.cdx.json", package.name));
            fs::write(
                &file,
                portable(&text, metadata.workspace_root.as_std_path())?,
            )?;
            kept.push(file);
        }
    }
    match PRODUCTS.len() - kept.len() {
        0 => Ok(kept),
        missing => bail!("cargo-cyclonedx left {missing} packages out"),
    }
}

/// Without the path of the sources on this machine.
fn portable(text: &str, root: &Path) -> Result<String> {
    let mut bill: Value =
        serde_json::from_str(text).context("the bill of materials is not JSON")?;
    replace(
        &mut bill,
        &format!("file://{}", root.display()),
        "file:///revolve",
    );
    Ok(serde_json::to_string_pretty(&bill)? + "\n")
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, from, to)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|value| replace(value, from, to)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_this_machine_stays_in_a_bill() {
        let bill = r#"{"components":[{"bom-ref":"path+file:///home/ann/revolve/crates/domain#0.1.0","n":[1]}]}"#;
        let bill = portable(bill, Path::new("/home/ann/revolve")).unwrap();
        assert!(
            !bill.contains("ann") && bill.contains("path+file:///revolve/crates/domain#0.1.0"),
            "{bill}"
        );
    }
}
