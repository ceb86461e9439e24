//! Seeded random numbers that stay the same from release to release.

/// The SplitMix64 generator of Steele, Lea and Flood (2014): 64 bits of state, any seed.
///
/// ```
/// let mut random = rainier_core::load::SplitMix64::new(0);
/// assert_eq!(random.next_u64(), 0xe220_a839_7b1d_cdaf);
/// ```
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// A number from 0 to `bound` - 1, each equally likely (Lemire 2019); `bound` is at least 1.
    pub fn below(&mut self, bound: u32) -> u32 {
        let bound = u64::from(bound);
        loop {
            let product = (self.next_u64() >> 32) * bound;
            // The lowest 2^32 mod bound fractions are one too many for some results.
            if product as u32 as u64 >= (1 << 32) % bound {
                return (product >> 32) as u32;
            }
        }
    }
}
