//! Every public case of a suite is named in the macro that runs the suite.

use std::{fs, path::Path};

fn cases(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let entries = fs::read_dir(path)
            .expect("the suite's directory")
            .map(|entry| entry.expect("a file of the suite").path());
        return entries.flat_map(|path| cases(&path)).collect();
    }
    let source = fs::read_to_string(path).expect("a file of the suite");
    source
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pub async fn ")?
                .split('(')
                .next()
                .map(str::to_owned)
        })
        .collect()
}

#[test]
fn the_macros_name_every_case() {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
    let macros = fs::read_to_string(contract.join("macros.rs")).expect("the macros");
    let listed = |case: &str| {
        macros
            .lines()
            .filter(|line| line.trim() == format!("{case},"))
            .count()
    };
    for (suite, least) in [
        ("tokens", 13),
        ("users", 13),
        ("sessions", 13),
        ("directory", 13),
        ("crypto", 13),
        ("keys", 13),
        ("deliveries", 13),
        ("limits", 13),
        ("proofs", 13),
        ("factors", 13),
        ("revoked_keys.rs", 3),
        ("api_keys.rs", 6),
        ("named_requests.rs", 5),
        ("webhooks", 13),
    ] {
        let cases = cases(&contract.join(suite));
        assert!(
            cases.len() >= least,
            "expected the cases of {suite} to be found, got {cases:?}"
        );
        for case in cases {
            assert_eq!(
                listed(&case),
                1,
                "expected {suite} case {case} exactly once in macros.rs"
            );
        }
    }
}
