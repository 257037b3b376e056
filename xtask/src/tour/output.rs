//! The tour's output: in colour on a terminal, plain elsewhere.

use console::style;

/// As many characters of a token are shown, from its end, since all tokens begin alike.
const SHOWN: usize = 8;

/// The heading of a chapter.
pub(super) fn heading(number: u32, title: &str) {
    println!(
        "\n{} {}",
        style(format!("{number}.")).cyan().bold(),
        style(title).bold()
    );
}

pub(super) fn plain(text: &str) {
    println!("   {text}");
}

/// A response that grants what was asked for.
pub(super) fn granted(text: &str) {
    println!("   {} {text}", style("✓").green().bold());
}

/// A response that refuses.
pub(super) fn refused(text: &str) {
    println!("   {} {text}", style("✗").red().bold());
}

/// A line of the service's log.
pub(super) fn log(line: &str) {
    println!("     {}", style(line).dim());
}

/// A token, shortened.
pub(super) fn short(token: &str) -> String {
    let from = token
        .char_indices()
        .rev()
        .nth(SHOWN - 1)
        .map_or(0, |(at, _)| at);
    format!("…{}", &token[from..])
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_token_is_shown_by_its_end() {
        assert_eq!(
            (short("abcdefghijkl").as_str(), short("kl").as_str()),
            ("…efghijkl", "…kl")
        );
    }
}
