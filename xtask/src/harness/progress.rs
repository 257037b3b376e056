//! The bar that shows how far a command is.

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) fn bar(length: u64) -> ProgressBar {
    ProgressBar::new(length).with_style(
        ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}
