//! A section of a page that a command writes, between two marks; the rest is written by hand.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

/// Replaces the text between the marks of a page.
pub(crate) fn write(page: &Path, [begin, end]: [&str; 2], text: &str) -> Result<()> {
    let old =
        fs::read_to_string(page).with_context(|| format!("{} is not there", page.display()))?;
    let (head, rest) = old
        .split_once(begin)
        .with_context(|| format!("{} has lost the mark {begin}", page.display()))?;
    let (_, tail) = rest
        .split_once(end)
        .with_context(|| format!("{} has lost the mark {end}", page.display()))?;
    fs::write(page, format!("{head}{begin}\n\n{text}\n{end}{tail}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- begin -->";
    const END: &str = "<!-- end -->";

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = tempfile::NamedTempFile::new().expect("a file");
        fs::write(page.path(), format!("before\n{BEGIN}\nold\n{END}\nafter\n"))
            .expect("it is written");
        write(page.path(), [BEGIN, END], "new\n").expect("the marks are there");
        assert_eq!(
            fs::read_to_string(page.path()).expect("it is read"),
            format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n")
        );
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        let page = tempfile::NamedTempFile::new().expect("a file");
        fs::write(page.path(), format!("{BEGIN}\nold\n")).expect("it is written");
        assert!(write(page.path(), [BEGIN, END], "new\n").is_err());
        assert_eq!(
            fs::read_to_string(page.path()).expect("it is read"),
            format!("{BEGIN}\nold\n")
        );
    }
}
