//! What the tour says: in colour on a terminal, plain elsewhere.

use console::style;

/// As many characters of a token as are shown: its end, since all begin alike.
const SHOWN: usize = 8;

/// The next scene.
pub(super) fn scene(number: u32, title: &str) {
    println!(
        "\n{} {}",
        style(format!("{number}.")).cyan().bold(),
        style(title).bold()
    );
}

/// What somebody does.
pub(super) fn does(what: &str) {
    println!("   {what}");
}

/// What came of it, as it should.
pub(super) fn good(what: &str) {
    println!("   {} {what}", style("✓").green().bold());
}

/// What somebody heard who should not get anything.
pub(super) fn refused(what: &str) {
    println!("   {} {what}", style("✗").red().bold());
}

/// A line that the service wrote.
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
