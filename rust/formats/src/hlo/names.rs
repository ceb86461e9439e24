//! Numbers of computations by name: asked for at each fusion of a text, so by hashes that were taken while the names
//! were at hand.

/// A table of names; each has one number, from 0 in the order in which they came.
pub(super) struct Names<'a> {
    names: Vec<(&'a [u8], u64)>,
    /// Numbers plus one by hash; 0 is a free place. A power of two long, at least twice the names.
    table: Vec<u32>,
}

impl<'a> Names<'a> {
    /// Names with their hashes, of which there are fewer than 2^31; the second of two that are alike is an error.
    pub(super) fn new(names: Vec<(&'a [u8], u64)>) -> Result<Self, usize> {
        let places = (2 * names.len() + 1).next_power_of_two();
        let mut made = Self {
            names,
            table: vec![0; places],
        };
        for number in 0..made.names.len() {
            let (name, hash) = made.names[number];
            let (place, found) = made.place(name, hash);
            if found.is_some() {
                return Err(number);
            }
            made.table[place] = number as u32 + 1;
        }
        Ok(made)
    }

    /// The number of a name of this hash.
    pub(super) fn number(&self, name: &[u8], hash: u64) -> Option<usize> {
        self.place(name, hash).1
    }

    /// The place of a name, and its number if it is there.
    fn place(&self, name: &[u8], hash: u64) -> (usize, Option<usize>) {
        let most = self.table.len() - 1;
        let mut place = (hash >> 32 ^ hash) as usize & most;
        loop {
            let held = self.table[place] as usize;
            if held == 0 {
                return (place, None);
            }
            let (other, of_other) = self.names[held - 1];
            if of_other == hash && other == name {
                return (place, Some(held - 1));
            }
            place = (place + 1) & most;
        }
    }
}

/// A hash that is the same in each run.
pub(super) fn hash(name: &[u8]) -> u64 {
    let mut all = name.len() as u64;
    let mut mix = |word: [u8; 8]| {
        all = (all.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    };
    let mut words = name.chunks_exact(8);
    for part in &mut words {
        let mut word = [0; 8];
        word.copy_from_slice(part);
        mix(word);
    }
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    mix(last);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let texts: Vec<String> = (0..5000)
            .map(|n| format!("fused_computation.{n}"))
            .collect();
        let hashed = |name: &'static str| (name.as_bytes(), hash(name.as_bytes()));
        let rows = texts
            .iter()
            .map(|text| (text.as_bytes(), hash(text.as_bytes())));
        let names = Names::new(rows.collect()).unwrap();
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(
                names.number(text.as_bytes(), hash(text.as_bytes())),
                Some(number)
            );
        }
        let (name, its) = hashed("fused_computation");
        assert_eq!(names.number(name, its), None);
        let twice = Names::new(vec![hashed("a"), hashed("b"), hashed("a")]);
        assert_eq!(twice.err(), Some(2));
    }
}
