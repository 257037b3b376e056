//! The memory of the pool: a budget in bytes over all that is reserved for running hashes and all that is kept for the next ones. Kept are
//! buffers of one size, that of today's hashes, wiped unless the next hash begins in them at once.

use crate::argon2::hash::demand::Space;
use argon2::Block;
use zeroize::Zeroize;

const BLOCK: u64 = Block::SIZE as u64;

/// Says how much there is. It allocates nothing itself.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
    held: u64,
    peak: u64,
    usual: usize,
    idle: Vec<Vec<Block>>,
}

/// A hash's reservation.
#[derive(Debug)]
pub(super) enum Reserved {
    /// A buffer from the last one.
    Again(Vec<Block>),
    /// A buffer of so many blocks, to be allocated.
    Blocks(usize),
    /// So many bytes that somebody else allocates.
    Own(u64),
}

impl Budget {
    /// Today's hashes take so many blocks.
    pub(super) fn new(bytes: u64, usual: usize) -> Self {
        Self {
            bytes,
            held: 0,
            peak: 0,
            usual,
            idle: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn held(&self) -> u64 {
        self.held
    }

    pub(super) fn peak(&self) -> u64 {
        self.peak
    }

    fn usual_bytes(&self) -> u64 {
        self.usual as u64 * BLOCK
    }

    /// Whether a buffer for so many blocks is kept for the next, who gets the one that was kept last.
    pub(super) fn keeps(&self, blocks: usize) -> bool {
        blocks <= self.usual
    }

    /// What this takes of the budget: a buffer of the usual size for all that fits into one.
    fn need(&self, space: Space) -> u64 {
        match space {
            Space::Blocks(blocks) => blocks.max(self.usual) as u64 * BLOCK,
            Space::Own(bytes) => bytes,
        }
    }

    /// Whether there is enough now.
    pub(super) fn has_room(&self, space: Space) -> bool {
        let in_use = self.held - self.idle.len() as u64 * self.usual_bytes();
        in_use.saturating_add(self.need(space)) <= self.bytes
    }

    /// Takes memory, if there is enough now. Buffers that nobody uses make room for it.
    pub(super) fn take(&mut self, space: Space) -> Option<Reserved> {
        let (need, reserved) = match space {
            Space::Blocks(blocks) if self.keeps(blocks) => match self.idle.pop() {
                Some(buffer) => return Some(Reserved::Again(buffer)),
                None => (self.need(space), Reserved::Blocks(self.usual)),
            },
            Space::Blocks(blocks) => (self.need(space), Reserved::Blocks(blocks)),
            Space::Own(bytes) => (bytes, Reserved::Own(bytes)),
        };
        while self.held.saturating_add(need) > self.bytes {
            drop(self.idle.pop()?);
            self.held -= self.usual_bytes();
        }
        self.held += need;
        self.peak = self.peak.max(self.held);
        Some(reserved)
    }

    /// Gives memory back: a buffer of the usual size is kept.
    pub(super) fn give_back(&mut self, memory: Memory) {
        match memory {
            Memory::Blocks(buffer) if buffer.len() == self.usual => self.idle.push(buffer),
            Memory::Blocks(buffer) => {
                self.held -= buffer.len() as u64 * BLOCK;
                drop(buffer);
            }
            Memory::Nothing(bytes) => self.held -= bytes,
        }
    }
}

/// What a thread works with.
#[derive(Debug)]
pub(super) enum Memory {
    Blocks(Vec<Block>),
    /// Reserved, not allocated by us.
    Nothing(u64),
}

impl Memory {
    /// Allocates what was reserved; gives the reservation back if the system has no memory.
    pub(super) fn allocate(reserved: Reserved) -> Result<Self, Self> {
        match reserved {
            Reserved::Again(buffer) => Ok(Self::Blocks(buffer)),
            Reserved::Own(bytes) => Ok(Self::Nothing(bytes)),
            Reserved::Blocks(blocks) => {
                let mut buffer = Vec::new();
                if buffer.try_reserve_exact(blocks).is_err() {
                    return Err(Self::Nothing(blocks as u64 * BLOCK));
                }
                buffer.resize(blocks, Block::new());
                Ok(Self::Blocks(buffer))
            }
        }
    }

    /// The first so many blocks.
    pub(super) fn blocks(&mut self, space: Space) -> &mut [Block] {
        match (self, space) {
            (Self::Blocks(buffer), Space::Blocks(blocks)) => &mut buffer[..blocks],
            _ => &mut [],
        }
    }

    /// Wipes in place what was used: the allocation stays.
    pub(super) fn wipe(&mut self, space: Space) {
        self.blocks(space).iter_mut().for_each(Zeroize::zeroize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;

    fn allocate(reserved: Option<Reserved>) -> Memory {
        Memory::allocate(reserved.unwrap()).unwrap()
    }

    #[test]
    fn a_buffer_is_kept_for_the_next_hash_and_counts() {
        let mut budget = Budget::new(32 * KIB, 16);
        let mut memory = allocate(budget.take(Space::Blocks(16)));
        memory.blocks(Space::Blocks(16))[15] = Block::from_iter_of_ones();
        memory.wipe(Space::Blocks(16));
        budget.give_back(memory);
        assert_eq!(budget.held(), 16 * KIB, "kept, and counted");
        let reserved = budget.take(Space::Blocks(8));
        assert!(
            matches!(&reserved, Some(Reserved::Again(buffer)) if buffer.iter().all(|block| block.as_ref().iter().all(|&word| word == 0)))
        );
        assert_eq!(budget.held(), 16 * KIB);
    }

    #[test]
    fn a_larger_hash_takes_more_of_the_budget_and_nothing_goes_over_it() {
        let mut budget = Budget::new(64 * KIB, 16);
        let usual = allocate(budget.take(Space::Blocks(16)));
        let large = allocate(budget.take(Space::Blocks(48)));
        assert_eq!(budget.held(), 64 * KIB);
        assert!(!budget.has_room(Space::Blocks(1)));
        assert!(
            budget.take(Space::Blocks(1)).is_none() && budget.take(Space::Own(1)).is_none(),
            "nothing is left"
        );
        budget.give_back(large);
        assert_eq!(budget.held(), 16 * KIB, "an unusual buffer is not kept");
        budget.give_back(usual);
        assert!(
            budget.has_room(Space::Own(64 * KIB)) && !budget.has_room(Space::Own(64 * KIB + 1)),
            "idle buffers are in nobody's way"
        );
        let all = allocate(budget.take(Space::Own(64 * KIB)));
        assert_eq!(budget.held(), 64 * KIB, "the idle buffer made room");
        budget.give_back(all);
        assert_eq!((budget.held(), budget.peak()), (0, 64 * KIB));
    }

    trait Ones {
        fn from_iter_of_ones() -> Block;
    }

    impl Ones for Block {
        fn from_iter_of_ones() -> Block {
            let mut block = Block::new();
            block.as_mut().fill(1);
            block
        }
    }
}
