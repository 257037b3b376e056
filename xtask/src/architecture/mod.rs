//! `cargo xtask architecture`: which crate may depend on which, that no folder of a crate imports one that imports it back, what the domain is
//! built from, and rules over the source text.

mod crate_graph;
mod import_graph;
mod imports;
mod source_rules;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::harness::folders;

/// Checks everything, and fails if something is wrong.
pub(crate) async fn run() -> Result<()> {
    let metadata = metadata()?;
    let root = folders::root()?;
    let mut mistakes = crate_graph::mistakes(&metadata);
    mistakes.extend(crate_graph::domain_mistakes().await?);
    mistakes.extend(import_mistakes(&metadata)?);
    mistakes.extend(source_rules::mistakes(&root)?);
    if !mistakes.is_empty() {
        bail!("the architecture is broken:\n  {}", mistakes.join("\n  "));
    }
    eprintln!("crates, imports and source rules are as they must be");
    Ok(())
}

/// Cargo's own view of the workspace.
pub(crate) fn metadata() -> Result<Metadata> {
    MetadataCommand::new()
        .current_dir(folders::root()?)
        .other_options(["--locked".to_owned()])
        .no_deps()
        .exec()
        .context("cargo metadata failed")
}

fn import_mistakes(metadata: &Metadata) -> Result<Vec<String>> {
    let mut mistakes = Vec::new();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.with_file_name("src");
        let source: &Path = folder.as_std_path();
        if source.is_dir() {
            mistakes.extend(import_graph::mistakes(&package.name, source)?);
        }
    }
    Ok(mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_point_inward() {
        let mistakes = crate_graph::mistakes(&metadata().unwrap());
        assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    }

    #[tokio::test]
    async fn the_domain_reaches_what_it_declares_and_no_runtime() {
        let domain = crate_graph::built_from("revolve-domain").await.unwrap();
        assert!(domain.contains("uuid"));
        let mistakes = crate_graph::domain_mistakes().await.unwrap();
        assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
        let service = crate_graph::built_from("revolve").await.unwrap();
        assert!(
            service.contains("tokio"),
            "the check would not notice a runtime"
        );
    }

    #[test]
    fn no_folder_of_a_crate_imports_one_that_imports_it_back() {
        let mistakes = import_mistakes(&metadata().unwrap()).unwrap();
        assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    }

    #[test]
    fn the_source_keeps_its_rules() {
        let mistakes = source_rules::mistakes(&folders::root().unwrap()).unwrap();
        assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    }
}
