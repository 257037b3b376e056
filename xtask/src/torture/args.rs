//! The command line of `cargo xtask torture`.

use std::{path::PathBuf, time::Duration};

use super::cases::Case;
use crate::harness::{stores, windows::WindowArgs};

/// The stores of the instances that are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum StoreChoice {
    /// One SQLite file
    Embedded,
    /// Redis and Postgres
    Server,
    /// Both in turns
    #[default]
    Both,
}

/// Which servers to attack, how often, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Attack the server at this URL instead of building and starting one; once for each replica
    #[arg(long, value_name = "URL")]
    pub(crate) url: Vec<String>,
    /// Install, start and attack another system: the name of a folder in xtask/peers (needs node and npm)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "profile", "tokens"])]
    pub(crate) peer: Option<String>,
    /// Attack the instances that are started as OAuth clients do, by xtask/profiles/oauth2.toml
    #[arg(long, conflicts_with_all = ["url", "peer", "profile", "tokens"])]
    pub(crate) oauth2: bool,
    /// The stores of the instances that are started
    #[arg(long, value_enum, default_value_t = StoreChoice::Both)]
    pub(crate) store: StoreChoice,
    /// Rounds, over all stores together
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(crate) rounds: usize,
    /// Repeat the choices of another run
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// Only these cases
    #[arg(long, value_enum, num_args = 1.., value_name = "CASE")]
    pub(crate) only: Vec<Case>,
    /// A description of another kind of server, such as xtask/profiles/oauth2.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Refresh tokens, one per line and round, for servers where sign-ins can't be automated
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// Write the result to this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Build the service with optimizations
    #[arg(long)]
    pub(crate) release: bool,
    /// Print the journal of every round, not only of those that fail
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Rounds at a time; of several numbers each has its part of the run
    #[arg(
        long,
        default_value = "1,4,32",
        value_delimiter = ',',
        value_name = "N"
    )]
    pub(crate) parallel: Vec<usize>,
    /// Trust the certificates in this PEM file, besides the system's, for https
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The longest that a case may wait for a window to pass; cases that wait longer are skipped
    #[arg(long, default_value = "1m", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) patience: Duration,
    #[command(flatten)]
    pub(crate) windows: WindowArgs,
    #[command(flatten)]
    pub(crate) stores: stores::Args,
}

impl Args {
    /// The arguments that lead to the same servers and windows, but for the store. Rounds, cases and the seed are not among them.
    pub(super) fn again(&self) -> String {
        let mut words = Vec::new();
        let mut add = |name: &str, value: &str| {
            words.push(name.to_owned());
            words.push(quoted(value));
        };
        self.url.iter().for_each(|url| add("--url", url));
        self.peer.iter().for_each(|name| add("--peer", name));
        for (name, file) in [
            ("--profile", &self.profile),
            ("--tokens", &self.tokens),
            ("--ca-file", &self.ca_file),
        ] {
            if let Some(file) = file {
                add(name, &file.display().to_string());
            }
        }
        add(
            "--patience",
            &humantime::format_duration(self.patience).to_string(),
        );
        words.extend(self.windows.words());
        for (flag, given) in [
            ("--oauth2", self.oauth2),
            ("--release", self.release),
            ("--local", self.stores.local),
        ] {
            if given {
                words.push(flag.to_owned());
            }
        }
        words.join(" ")
    }

    /// All arguments of the whole run.
    pub(super) fn whole(&self, seed: u64) -> String {
        let mut words = Vec::new();
        if self.is_own() && self.store != StoreChoice::Both {
            let store = if self.store == StoreChoice::Server {
                "server"
            } else {
                "embedded"
            };
            words.push(format!("--store {store}"));
        }
        words.push(self.again());
        if !self.only.is_empty() {
            let names: Vec<_> = self.only.iter().map(|case| case.name()).collect();
            words.push(format!("--only {}", names.join(" ")));
        }
        let parallel: Vec<_> = self.parallel.iter().map(usize::to_string).collect();
        words.push(format!(
            "--parallel {} --rounds {} --seed {seed}",
            parallel.join(","),
            self.rounds
        ));
        words.join(" ")
    }

    /// Whether it starts instances of Revolve.
    pub(super) fn is_own(&self) -> bool {
        self.url.is_empty() && self.peer.is_none()
    }
}

/// For a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@[]%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::args;

    #[test]
    fn without_arguments_all_cases_run_over_both_stores() {
        let args: Args = args::parse(&[]).unwrap();
        assert_eq!(
            (args.store, args.rounds, args.patience),
            (StoreChoice::Both, 200, Duration::from_mins(1))
        );
        assert_eq!(args.parallel, [1, 4, 32]);
        assert!(args.url.is_empty() && args.only.is_empty() && !args.stores.local);
    }

    #[test]
    fn a_run_can_be_repeated_with_everything_that_it_was_given() {
        let words = "--url https://a.example --url http://[::1]:9 --profile p.toml --tokens t \
            --ca-file ca.pem --patience 5s --retry-free 1s --refused-after 1500ms --only tabs parent \
            --parallel 4,1 --rounds 30 --seed 9";
        let words: Vec<_> = words.split_whitespace().collect();
        let args: Args = args::parse(&words).unwrap();
        let again = args.whole(9);
        assert_eq!(again.replace("1s500ms", "1500ms"), words.join(" "));
        let parsed: Args = args::parse(&again.split(' ').collect::<Vec<_>>()).unwrap();
        assert_eq!(parsed.whole(9), again);
        let own: Args = args::parse(&["--store", "server", "--local", "--oauth2"]).unwrap();
        assert_eq!(
            own.whole(1),
            "--store server --patience 1m --oauth2 --local --parallel 1,4,32 --rounds 200 --seed 1"
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
