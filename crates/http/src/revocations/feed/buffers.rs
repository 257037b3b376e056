//! The documents that are being sent: each is in memory once, however many read it, and those that are not the newest any more
//! are bounded in bytes.

use actix_web::web::Bytes;
use std::{
    cmp::Reverse,
    ops::Range,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// The content of a document in one form, until it must go. Readers don't keep its memory: they come back for each slice.
pub(crate) struct SharedBuffer {
    version: u64,
    len: usize,
    content: Mutex<Option<Bytes>>,
}

impl SharedBuffer {
    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A part of it; `None` once it had to go.
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<Bytes> {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.as_ref().map(|content| content.slice(range))
    }

    /// Whether it had to go.
    pub(crate) fn is_gone(&self) -> bool {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.is_none()
    }

    fn free(&self) {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        drop(content.take());
    }
}

/// All buffers that are in use.
pub(crate) struct Buffers {
    /// Bytes that older documents may take together; one may always be there.
    limit: usize,
    live: Mutex<Vec<Weak<SharedBuffer>>>,
}

impl Buffers {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            live: Mutex::default(),
        }
    }

    /// Makes the content of a version known. Those of older versions go, the oldest first, if they are too much: who is in the
    /// midst of one is cut off. All forms of the newest version stay.
    pub(crate) fn add(&self, version: u64, content: Bytes) -> Arc<SharedBuffer> {
        let added = Arc::new(SharedBuffer {
            version,
            len: content.len(),
            content: Mutex::new(Some(content)),
        });
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.push(Arc::downgrade(&added));
        let mut buffers = upgraded(&mut live);
        buffers.sort_by_key(|buffer| Reverse(buffer.version));
        let newest = buffers.first().map_or(version, |buffer| buffer.version);
        let is_old = |buffer: &&Arc<SharedBuffer>| buffer.version < newest;
        let largest = buffers.iter().map(|buffer| buffer.len).max().unwrap_or(0);
        let mut room = self.limit.max(largest);
        for old in buffers.iter().filter(is_old) {
            if let Some(rest) = room.checked_sub(old.len) {
                room = rest;
            } else {
                room = 0;
                old.free();
            }
        }
        added
    }

    /// The bytes of all that are in memory.
    pub(crate) fn bytes(&self) -> usize {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        upgraded(&mut live).iter().map(|buffer| buffer.len).sum()
    }
}

/// Those that are in memory; the others are forgotten.
fn upgraded(live: &mut Vec<Weak<SharedBuffer>>) -> Vec<Arc<SharedBuffer>> {
    let mut buffers = Vec::with_capacity(live.len());
    live.retain(|buffer| {
        let found = buffer.upgrade().filter(|buffer| !buffer.is_gone());
        buffers.extend(found.clone());
        found.is_some()
    });
    buffers
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    fn add(buffers: &Buffers, version: u64, len: usize) -> Arc<SharedBuffer> {
        buffers.add(version, vec![0; len].into())
    }

    #[test]
    fn old_documents_are_bounded_in_bytes_and_the_oldest_goes_first() {
        let buffers = Buffers::new(10 * KIB);
        let held: Vec<_> = (0..100).map(|at| add(&buffers, at, 3 * KIB)).collect();
        let gone = held.iter().take_while(|buffer| buffer.is_gone()).count();
        assert_eq!(gone, 96, "three old ones and the newest stay");
        assert!(held[96..].iter().all(|buffer| !buffer.is_gone()));
        assert_eq!(buffers.bytes(), 12 * KIB);
        assert_eq!(held[0].slice(0..KIB), None);
        assert_eq!(
            held[99].slice(KIB..3 * KIB).map(|slice| slice.len()),
            Some(2 * KIB)
        );
    }

    #[test]
    fn the_one_before_may_stay_however_large_it_is() {
        let buffers = Buffers::new(KIB);
        let held: Vec<_> = (0..10).map(|at| add(&buffers, at, 24 * KIB)).collect();
        assert_eq!(buffers.bytes(), 48 * KIB);
        assert!(!held[8].is_gone() && !held[9].is_gone());
    }

    #[test]
    fn all_forms_of_the_newest_version_stay() {
        let buffers = Buffers::new(10 * KIB);
        let old = add(&buffers, 1, 8 * KIB);
        let forms: Vec<_> = (0..5).map(|_| add(&buffers, 2, 8 * KIB)).collect();
        assert!(!old.is_gone() && forms.iter().all(|form| !form.is_gone()));
        // A form of an older version that is made late counts as what it is.
        let late = add(&buffers, 1, 8 * KIB);
        assert!(old.is_gone() != late.is_gone());
        assert!(forms.iter().all(|form| !form.is_gone()));
    }

    #[test]
    fn nobody_reads_it_and_it_is_gone() {
        let buffers = Buffers::new(KIB);
        drop(add(&buffers, 1, 100 * KIB));
        assert_eq!(buffers.bytes(), 0);
        let content = Bytes::from(vec![7; KIB]);
        let buffer = buffers.add(2, content.clone());
        let slice = buffer.slice(0..KIB).unwrap();
        assert_eq!(slice.as_ptr(), content.as_ptr(), "the same memory");
    }
}
