//! Which modules the text of a Rust file names. It reads text, not syntax: that is enough for code in the default format.

use std::collections::BTreeSet;

/// The paths that the code of a file names, as segments below the root of its crate; unit tests and comments are left out.
pub(super) fn paths(module: &[String], text: &str) -> BTreeSet<Vec<String>> {
    let code = code(text);
    let mut children: Vec<&str> = code.lines().filter_map(declared_module).collect();
    children.extend(["crate", "self", "super"]);
    let mut found = BTreeSet::new();
    let mut before = ' ';
    for (at, now) in code.char_indices() {
        let begins =
            !is_word(before) && before != ':' && before != '.' && before != '$' && before != '"';
        before = now;
        let rest = &code[at..];
        let Some(first) = children
            .iter()
            .find(|word| rest.starts_with(**word) && rest[word.len()..].starts_with("::"))
            .filter(|_| begins && !code[..at].ends_with("in "))
        else {
            continue;
        };
        let mut prefix = match *first {
            "crate" => Vec::new(),
            "super" => module[..module.len().saturating_sub(1)].to_vec(),
            "self" => module.to_vec(),
            child => [module, &[child.to_owned()]].concat(),
        };
        let mut tree = &rest[first.len() + 2..];
        while let Some(up) = tree.strip_prefix("super::") {
            prefix.pop();
            tree = up;
        }
        expand(prefix, tree, &mut found);
    }
    found
}

/// The text without comments and without the unit tests at its end.
fn code(text: &str) -> String {
    let text = text
        .find("#[cfg(test)]\nmod tests {")
        .map_or(text, |tests| &text[..tests]);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn declared_module(line: &str) -> Option<&str> {
    let declaration = line.trim_start().strip_suffix(';')?;
    let (visibility, name) = declaration.split_once("mod ")?;
    (visibility.is_empty() || visibility.starts_with("pub")).then_some(name)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Adds the paths of a `use` tree or of a plain path; returns how much of the text it was.
fn expand(prefix: Vec<String>, tree: &str, found: &mut BTreeSet<Vec<String>>) -> usize {
    let mut path = prefix;
    let mut at = 0;
    loop {
        let rest = &tree[at..];
        if let Some(inner) = rest.strip_prefix('{') {
            let mut inside = 1;
            loop {
                let list = &inner[inside - 1..];
                let skipped = list.len() - list.trim_start_matches([',', ' ', '\n']).len();
                inside += skipped;
                let item = &list[skipped..];
                if item.is_empty() || item.starts_with('}') {
                    return at + inside + 1;
                }
                let length = expand(path.clone(), item, found);
                // `as` and a name may follow.
                let end = item[length..]
                    .find([',', '}'])
                    .unwrap_or(item.len() - length);
                inside += length + end;
            }
        }
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if word == 0 {
            break;
        }
        if &rest[..word] != "self" {
            path.push(rest[..word].to_owned());
        }
        at += word;
        if !tree[at..].starts_with("::") {
            break;
        }
        at += 2;
    }
    found.insert(path);
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(module: &str, text: &str) -> Vec<String> {
        let module: Vec<String> = module.split("::").map(str::to_owned).collect();
        paths(&module, text)
            .into_iter()
            .map(|path| path.join("::"))
            .collect()
    }

    #[test]
    fn use_trees_are_expanded_wherever_they_begin() {
        let text = "\
use std::fmt;
use self::child::Thing;
use super::{
    sibling::{self, Other as Renamed},
};
use super::super::uncle;
pub(crate) use crate::far::{away::{A, B}, near};
";
        assert_eq!(
            named("a::b", text),
            [
                "a::b::child::Thing",
                "a::sibling",
                "a::sibling::Other",
                "far::away::A",
                "far::away::B",
                "far::near",
                "uncle"
            ]
        );
    }

    #[test]
    fn paths_in_expressions_and_of_declared_modules_count() {
        let text = "\
mod child;
fn f() -> crate::x::Y {
    child::g(super::h::<u8>());
    other::child::g();
    value.child::<u8>()
}
";
        assert_eq!(named("a::b", text), ["a::b::child::g", "a::h", "x::Y"]);
    }

    #[test]
    fn comments_visibilities_and_unit_tests_do_not_count() {
        let text = "\
// See crate::a.
pub(in crate::b) fn f() {}
#[cfg(test)]
mod tests {
    use crate::c;
}
";
        assert!(named("x", text).is_empty());
    }
}
