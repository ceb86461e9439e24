//! Numbers of computations by name: asked for at each fusion of a text, so by hash rather than in order.

/// A table of names; each has one number, from 0 in the order in which they came.
pub(super) struct Names<'a> {
    names: Vec<&'a [u8]>,
    /// Numbers plus one by hash; 0 is a free place. A power of two long, at least twice the names.
    table: Vec<u32>,
}

impl<'a> Names<'a> {
    /// Names in order, of which there are fewer than 2^31; the second of two that are alike is an error.
    pub(super) fn new(names: Vec<&'a [u8]>) -> Result<Self, usize> {
        let places = (2 * names.len() + 1).next_power_of_two();
        let mut made = Self {
            names,
            table: vec![0; places],
        };
        for number in 0..made.names.len() {
            let (place, found) = made.place(made.names[number]);
            if found.is_some() {
                return Err(number);
            }
            made.table[place] = number as u32 + 1;
        }
        Ok(made)
    }

    /// The number of a name.
    pub(super) fn number(&self, name: &[u8]) -> Option<usize> {
        self.place(name).1
    }

    /// The place of a name, and its number if it is there.
    fn place(&self, name: &[u8]) -> (usize, Option<usize>) {
        let most = self.table.len() - 1;
        let mut place = hash(name) as usize & most;
        loop {
            match self.table[place] {
                0 => return (place, None),
                held if self.names[held as usize - 1] == name => {
                    return (place, Some(held as usize - 1));
                }
                _ => place = (place + 1) & most,
            }
        }
    }
}

/// A hash that is the same in each run.
fn hash(name: &[u8]) -> u64 {
    let mut all = name.len() as u64;
    for part in name.chunks(8) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        all = (all.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    all ^ (all >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let texts: Vec<String> = (0..5000)
            .map(|n| format!("fused_computation.{n}"))
            .collect();
        let names = Names::new(texts.iter().map(|text| text.as_bytes()).collect()).unwrap();
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(names.number(text.as_bytes()), Some(number));
        }
        assert_eq!(names.number(b"fused_computation"), None);
        assert_eq!(Names::new(vec![b"a", b"b", b"a"]).err(), Some(2));
    }
}
