//! Characters with which one text passes for another.

use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

/// Characters that a line of text must not have: control characters, line and paragraph separators, and those that override or
/// isolate the direction of text, which can make one name look like another (Unicode TR 36 §3).
pub(super) const fn is_hidden(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether it shows nothing where it stands: ignorable by default (Unicode §5.21), or a blank that looks like none.
pub(super) fn is_invisible(c: char) -> bool {
    c == '\u{2800}' || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}
