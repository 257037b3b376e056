//! Rules that neither the compiler nor clippy checks, over the text of the source without comments.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// A word that code may use only below these paths.
struct SourceRule {
    word: &'static str,
    only_in: &'static [&'static str],
    advice: &'static str,
}

// In two parts each, since this file keeps the rules as well.
const RULES: [SourceRule; 4] = [
    SourceRule {
        word: concat!("jose", "kit"),
        only_in: &["crates/adapters/src/jose", "crates/bench"],
        advice: "stays behind the `jose` module, and is measured in the benchmarks",
    },
    SourceRule {
        word: concat!("pass", "ki::"),
        only_in: &["crates/adapters/src/passkeys"],
        advice: "stays behind the `passkeys` module",
    },
    SourceRule {
        word: concat!("any", "how::"),
        only_in: &["crates/app", "crates/bench", "xtask"],
        advice: "is for programs; libraries have error types",
    },
    SourceRule {
        word: concat!("[al", "low("),
        only_in: &[],
        advice: "becomes `#[expect(…, reason = \"…\")]`",
    },
];

/// The lines that break a rule.
pub(crate) fn mistakes(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["crates", "examples", "xtask"] {
        sources(&root.join(folder), &mut files)?;
    }
    let mut mistakes = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let path = file.strip_prefix(root).unwrap_or(&file);
        mistakes.extend(mistakes_in(path, &text));
    }
    Ok(mistakes)
}

fn mistakes_in(path: &Path, text: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = if line.trim_start().starts_with("//") {
            ""
        } else {
            line
        };
        for rule in &RULES {
            let is_allowed = rule.only_in.iter().any(|place| path.starts_with(place));
            if code.contains(rule.word) && !is_allowed {
                mistakes.push(format!(
                    "{}:{}: `{}` {}",
                    path.display(),
                    number + 1,
                    rule.word,
                    rule.advice
                ));
            }
        }
    }
    mistakes
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

    #[test]
    fn a_rule_is_noticed_outside_its_place_and_not_in_comments() {
        let code = format!("use {}::jws;\n// {0}\n", RULES[0].word);
        assert_eq!(
            mistakes_in(Path::new("crates/app/src/main.rs"), &code).len(),
            1
        );
        assert!(mistakes_in(Path::new("crates/adapters/src/jose/mod.rs"), &code).is_empty());
    }
}
