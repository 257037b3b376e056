//! House rules that neither the compiler nor clippy knows, checked over the source text. Comments may name anything.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// A word that code may use only below the paths given.
struct Rule {
    word: &'static str,
    only_in: &'static [&'static str],
    say: &'static str,
}

// In two parts each, since this file obeys the rules, too.
const RULES: [Rule; 3] = [
    Rule {
        word: concat!("jose", "kit"),
        only_in: &["crates/adapters/src/jose", "benches"],
        say: "stays behind the `jose` module, and is measured in `benches`",
    },
    Rule {
        word: concat!("any", "how::"),
        only_in: &["crates/app", "benches", "xtask"],
        say: "is for programs; libraries have error types",
    },
    Rule {
        word: concat!("[al", "low("),
        only_in: &[],
        say: "becomes `#[expect(…, reason = \"…\")]`",
    },
];

/// What in the source breaks a rule, one line each.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["benches", "crates", "examples", "xtask"] {
        sources(&root.join(folder), &mut files)?;
    }
    let mut faults = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let path = file.strip_prefix(root).unwrap_or(&file);
        faults.extend(faults_in(path, &text));
    }
    Ok(faults)
}

fn faults_in(path: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = if line.trim_start().starts_with("//") {
            ""
        } else {
            line
        };
        for rule in &RULES {
            let excepted = path == Path::new("xtask/src/architecture/mod.rs")
                || rule.only_in.iter().any(|place| path.starts_with(place));
            if code.contains(rule.word) && !excepted {
                faults.push(format!(
                    "{}:{}: `{}` {}",
                    path.display(),
                    number + 1,
                    rule.word,
                    rule.say
                ));
            }
        }
    }
    faults
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::folders;

    #[test]
    fn the_source_keeps_the_house_rules() {
        let faults = faults(&folders::root().unwrap()).unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn a_rule_is_noticed_outside_its_place_and_not_in_comments() {
        let code = format!("use {}::jws;\n// {0}\n", RULES[0].word);
        assert_eq!(
            faults_in(Path::new("crates/app/src/main.rs"), &code).len(),
            1
        );
        assert!(faults_in(Path::new("crates/adapters/src/jose/mod.rs"), &code).is_empty());
    }
}
