//! The two text formats.

use prometheus_client::{encoding::text::encode, registry::Registry};

/// OpenMetrics 1.0, which Prometheus asks for.
pub(super) fn open_metrics(registry: &Registry) -> String {
    let mut text = String::with_capacity(16 * 1024);
    // Writing to a string does not fail.
    let _ = encode(&mut text, registry);
    text
}

/// The older format, made of the newer one: there the counter itself is called `_total`, and there is neither an end nor a
/// unit.
pub(super) fn classic(open: &str) -> String {
    let counters: Vec<&str> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(open.len());
    for line in open.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let named = ["# HELP ", "# TYPE "]
            .iter()
            .find_map(|kind| Some((*kind, line.strip_prefix(kind)?.split_once(' ')?)));
        match named {
            Some((kind, (name, rest))) if counters.contains(&name) => {
                text.extend([kind, name, "_total ", rest]);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_in_full_in_the_older_format() {
        let open = "# HELP a_b How many.\n# TYPE a_b counter\na_b_total{c=\"d\"} 1\n# HELP e_seconds How long.\n# TYPE e_seconds gauge\n\
                    # UNIT e_seconds seconds\ne_seconds 2\n# EOF\n";
        let older = "# HELP a_b_total How many.\n# TYPE a_b_total counter\na_b_total{c=\"d\"} 1\n# HELP e_seconds How long.\n\
                     # TYPE e_seconds gauge\ne_seconds 2\n";
        assert_eq!(classic(open), older);
    }
}
