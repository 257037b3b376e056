//! What was found: the goal, and the table of docs/performance.md.

use std::fmt::Write as _;

use super::{
    super::{figures::Figures, goal::Goals},
    figure,
    pages::{FEW, PAGES},
};

/// The most that a page among many accounts may take, by the same among few.
const MOST: f64 = 1.2;

/// Pages of accounts: the one that takes most among many accounts, by the same among few.
pub(in crate::bench) fn judge(goals: &mut Goals, figures: &Figures) {
    let accounts = figures.get("admin.accounts").unwrap_or_default();
    for (store, key) in [("server", "pages_server"), ("embedded", "pages_embedded")] {
        let ratios = PAGES.iter().filter_map(|page| {
            let [many, few] = ["many", "few"].map(|accounts| figure(accounts, store, page));
            Some((figures.ratio(&[&many], &[&few])?, page.name))
        });
        let slowest = ratios.max_by(|(one, _), (other, _)| one.total_cmp(other));
        if let Some((ratio, page)) = slowest {
            let what = format!(
                "page of {accounts:.0} accounts, {store}, the slowest ({page}): p50 on one connection"
            );
            let called = format!("of the same of {FEW}");
            goals.times(key, what, MOST, &called, ratio);
            goals.unsteady();
            goals.must();
        }
    }
}

/// Every page, for docs/performance.md.
pub(in crate::bench) fn table(figures: &Figures) -> String {
    let mut text = String::new();
    let get = |name: &str| figures.get(name).unwrap_or(f64::NAN);
    let (few, many) = (FEW, get("admin.accounts"));
    let _ = writeln!(
        text,
        "\n| pages of 50 accounts, p50 ms | server profile, of {few} | of {many:.0} | × | embedded store, of {few} | of {many:.0} | × |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    );
    for page in &PAGES {
        let _ = write!(text, "| {} |", page.name);
        for store in ["server", "embedded"] {
            let [few, many] = ["few", "many"].map(|accounts| figure(accounts, store, page));
            let ratio = figures.ratio(&[&many], &[&few]).unwrap_or(f64::NAN);
            let [few, many] = [few, many].map(|name| get(&name) / 1000.0);
            let _ = write!(text, " {few:.2} | {many:.2} | {ratio:.2} |");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::super::figures::Samples, *};

    #[test]
    fn a_page_that_takes_longer_among_many_accounts_fails_the_run() {
        for (slow, met) in [(119.0, true), (121.0, false)] {
            let (mut figures, mut samples) = (Figures::default(), Samples::default());
            for page in &PAGES {
                let many = if page.key == "deep" { slow } else { 110.0 };
                for (accounts, p50) in [("few", 100.0), ("many", many)] {
                    samples.add(figure(accounts, "server", page), p50);
                }
            }
            figures.settle(samples);
            let mut goals = Goals::default();
            judge(&mut goals, &figures);
            let [goal] = <[_; 1]>::try_from(goals.all()).unwrap();
            assert!(goal.must && goal.what.contains("far behind"), "{goal:?}");
            assert_eq!(goal.met, met, "{goal:?}");
            assert!(table(&figures).contains("| far behind | 0.10 | 0.12 | 1."));
        }
    }
}
