//! The pool's memory: a budget in bytes covers the buffers of running hashes and those kept for later ones. Only buffers of the standard size,
//! that of new hashes, are kept; they are wiped unless the next hash begins in them at once.

use crate::argon2::hash::demand::MemoryDemand;
use argon2::Block;
use zeroize::Zeroize;

const BLOCK: u64 = Block::SIZE as u64;

/// Counts what is in use. Allocates nothing itself.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    bytes: u64,
    held: u64,
    peak: u64,
    standard: usize,
    idle: Vec<Vec<Block>>,
}

/// Memory that is counted for a hash.
#[derive(Debug)]
pub(super) enum Reservation {
    /// A buffer that an earlier hash has used.
    Reused(Vec<Block>),
    /// Blocks to be allocated.
    Blocks(usize),
    /// Bytes that the algorithm allocates.
    Bytes(u64),
}

impl MemoryBudget {
    /// `standard` is the blocks of a new hash.
    pub(super) fn new(bytes: u64, standard: usize) -> Self {
        Self {
            bytes,
            held: 0,
            peak: 0,
            standard,
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

    fn standard_bytes(&self) -> u64 {
        self.standard as u64 * BLOCK
    }

    /// Whether a buffer for this many blocks is one of those that are kept. The last one that was kept is used first.
    pub(super) fn keeps(&self, blocks: usize) -> bool {
        blocks <= self.standard
    }

    /// In bytes. What fits into a buffer of the standard size gets one.
    fn need(&self, memory: MemoryDemand) -> u64 {
        match memory {
            MemoryDemand::Blocks(blocks) => blocks.max(self.standard) as u64 * BLOCK,
            MemoryDemand::Bytes(bytes) => bytes,
        }
    }

    /// Whether there is enough for all of these at once.
    pub(super) fn covers(&self, all: impl Iterator<Item = MemoryDemand>) -> bool {
        let needs = all.map(|memory| self.need(memory));
        needs.fold(0, u64::saturating_add) <= self.bytes
    }

    /// Takes memory, if there is enough now. Kept buffers are freed for it.
    pub(super) fn take(&mut self, memory: MemoryDemand) -> Option<Reservation> {
        let (need, reserved) = match memory {
            MemoryDemand::Blocks(blocks) if self.keeps(blocks) => match self.idle.pop() {
                Some(buffer) => return Some(Reservation::Reused(buffer)),
                None => (self.need(memory), Reservation::Blocks(self.standard)),
            },
            MemoryDemand::Blocks(blocks) => (self.need(memory), Reservation::Blocks(blocks)),
            MemoryDemand::Bytes(bytes) => (bytes, Reservation::Bytes(bytes)),
        };
        while self.held.saturating_add(need) > self.bytes {
            drop(self.idle.pop()?);
            self.held -= self.standard_bytes();
        }
        self.held += need;
        self.peak = self.peak.max(self.held);
        Some(reserved)
    }

    /// Gives memory back. A buffer of the standard size is kept.
    pub(super) fn give_back(&mut self, memory: WorkMemory) {
        match memory {
            WorkMemory::Blocks(buffer) if buffer.len() == self.standard => self.idle.push(buffer),
            WorkMemory::Blocks(buffer) => {
                self.held -= buffer.len() as u64 * BLOCK;
                drop(buffer);
            }
            WorkMemory::External(bytes) => self.held -= bytes,
        }
    }
}

/// The memory that a thread hashes in.
#[derive(Debug)]
pub(super) enum WorkMemory {
    Blocks(Vec<Block>),
    /// Bytes that the algorithm has allocated itself.
    External(u64),
}

impl WorkMemory {
    /// Allocates what was reserved. The error, to be given back, is for a system without memory.
    pub(super) fn allocate(reserved: Reservation) -> Result<Self, Self> {
        match reserved {
            Reservation::Reused(buffer) => Ok(Self::Blocks(buffer)),
            Reservation::Bytes(bytes) => Ok(Self::External(bytes)),
            Reservation::Blocks(blocks) => {
                let mut buffer = Vec::new();
                if buffer.try_reserve_exact(blocks).is_err() {
                    return Err(Self::External(blocks as u64 * BLOCK));
                }
                buffer.resize(blocks, Block::new());
                Ok(Self::Blocks(buffer))
            }
        }
    }

    /// As many blocks as the hash needs.
    pub(super) fn blocks(&mut self, memory: MemoryDemand) -> &mut [Block] {
        match (self, memory) {
            (Self::Blocks(buffer), MemoryDemand::Blocks(blocks)) => &mut buffer[..blocks],
            _ => &mut [],
        }
    }

    /// Wipes what the hash used. The allocation stays.
    pub(super) fn wipe(&mut self, memory: MemoryDemand) {
        self.blocks(memory).iter_mut().for_each(Zeroize::zeroize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;

    fn allocate(reserved: Option<Reservation>) -> WorkMemory {
        WorkMemory::allocate(reserved.unwrap()).unwrap()
    }

    #[test]
    fn a_buffer_is_kept_for_the_next_hash_and_counts() {
        let mut budget = MemoryBudget::new(32 * KIB, 16);
        let mut memory = allocate(budget.take(MemoryDemand::Blocks(16)));
        memory.blocks(MemoryDemand::Blocks(16))[15] = Block::from_iter_of_ones();
        memory.wipe(MemoryDemand::Blocks(16));
        budget.give_back(memory);
        assert_eq!(budget.held(), 16 * KIB, "kept, and counted");
        let reserved = budget.take(MemoryDemand::Blocks(8));
        assert!(
            matches!(&reserved, Some(Reservation::Reused(buffer)) if buffer.iter().all(|block| block.as_ref().iter().all(|&word| word == 0)))
        );
        assert_eq!(budget.held(), 16 * KIB);
    }

    #[test]
    fn a_larger_hash_takes_more_of_the_budget_and_nothing_goes_over_it() {
        let mut budget = MemoryBudget::new(64 * KIB, 16);
        let standard = allocate(budget.take(MemoryDemand::Blocks(16)));
        let large = allocate(budget.take(MemoryDemand::Blocks(48)));
        assert_eq!(budget.held(), 64 * KIB);
        assert!(
            budget.take(MemoryDemand::Blocks(1)).is_none()
                && budget.take(MemoryDemand::Bytes(1)).is_none(),
            "nothing is left"
        );
        budget.give_back(large);
        assert_eq!(budget.held(), 16 * KIB, "an unusual buffer is not kept");
        budget.give_back(standard);
        let all = allocate(budget.take(MemoryDemand::Bytes(64 * KIB)));
        assert_eq!(budget.held(), 64 * KIB, "the idle buffer made room");
        budget.give_back(all);
        assert_eq!((budget.held(), budget.peak()), (0, 64 * KIB));
    }

    #[test]
    fn what_is_needed_at_once_is_counted_in_buffers() {
        let budget = MemoryBudget::new(64 * KIB, 16);
        let covers = |blocks: &[usize], bytes| {
            let blocks = blocks.iter().map(|blocks| MemoryDemand::Blocks(*blocks));
            budget.covers(blocks.chain([MemoryDemand::Bytes(bytes)]))
        };
        assert!(covers(&[], 64 * KIB) && !covers(&[], 64 * KIB + 1));
        assert!(covers(&[16, 1, 20], 12 * KIB) && !covers(&[16, 1, 20], 12 * KIB + 1));
        assert!(!covers(&[1], u64::MAX));
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
