//! No top-level folder or file of a crate imports one that imports it back, directly or by others. In `xtask` no file does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result};

use super::imports;

/// Crates without circles between files.
const BY_FILE: [&str; 1] = ["xtask"];

/// What imports what.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The circles of a crate.
pub(super) fn mistakes(name: &str, source: &Path) -> Result<Vec<String>> {
    let modules = read(source)?;
    let mut found = circles(&graph(&modules, |module| module[0].clone()));
    if BY_FILE.contains(&name) {
        found.extend(circles(&graph(&modules, |module| module.join("::"))));
    }
    Ok(found
        .iter()
        .map(|circle| format!("{name}: {} import each other", circle.join(", ")))
        .collect())
}

/// The text of each module but the root and those of tests, by its path.
fn read(source: &Path) -> Result<BTreeMap<Vec<String>, String>> {
    let mut modules = BTreeMap::new();
    let mut open = vec![(source.to_owned(), Vec::new())];
    while let Some((folder, module)) = open.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("could not read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name == "tests" {
                continue;
            }
            let below = [module.clone(), vec![name.clone()]].concat();
            if path.is_dir() {
                open.push((path, below));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = if name == "mod" { module.clone() } else { below };
                let is_root = module.len() == 1 && ["lib", "main"].contains(&name.as_str());
                if !is_root {
                    modules.insert(module, fs::read_to_string(path)?);
                }
            }
        }
    }
    Ok(modules)
}

fn graph(modules: &BTreeMap<Vec<String>, String>, node: impl Fn(&[String]) -> String) -> Graph {
    let mut graph = Graph::new();
    for (module, text) in modules {
        for path in imports::paths(module, text) {
            // The file that a path leads to; what is left of it is an item in there.
            let target = (1..=path.len())
                .rev()
                .map(|length| &path[..length])
                .find(|path| modules.contains_key(*path));
            let (from, to) = (node(module), target.map(&node));
            if let Some(to) = to.filter(|to| *to != from) {
                graph.entry(from).or_default().insert(to);
            }
        }
    }
    graph
}

/// Nodes that reach each other, circle by circle.
fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reach = |from: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(node) = open.pop() {
            for next in graph.get(&node).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        graph.keys().map(|node| (node, reach(node))).collect();
    let mut circles = BTreeSet::new();
    for (node, reaches) in &reached {
        let back = |other: &&String| {
            reached
                .get(other)
                .is_some_and(|others| others.contains(*node))
        };
        let circle: Vec<String> = reaches.iter().filter(back).cloned().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> BTreeMap<Vec<String>, String> {
        files
            .iter()
            .map(|(module, text)| {
                let module = module.split("::").map(str::to_owned).collect();
                (module, (*text).to_owned())
            })
            .collect()
    }

    #[test]
    fn folders_that_import_each_other_are_named_and_others_are_not() {
        let files = modules(&[
            ("a::x", "use crate::b::Thing;"),
            ("a::y", "use super::x;"),
            ("b", "use crate::c::z::f;"),
            ("c::z", "use crate::a::y::g;"),
            ("d", "use crate::{a, b, c, e};"),
        ]);
        let found = circles(&graph(&files, |module| module[0].clone()));
        assert_eq!(
            found,
            [vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]]
        );
    }

    #[test]
    fn a_file_that_takes_from_its_folder_what_the_folder_takes_from_it_is_a_circle() {
        let files = modules(&[
            ("a", "mod x;\nuse self::x::f;\npub(crate) struct Thing;"),
            ("a::x", "use super::Thing;"),
        ]);
        assert!(circles(&graph(&files, |module| module[0].clone())).is_empty());
        let found = circles(&graph(&files, |module| module.join("::")));
        assert_eq!(found, [vec!["a".to_owned(), "a::x".to_owned()]]);
    }
}
