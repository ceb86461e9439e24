//! Messages shared out over virtual channels so that none of those closes a circle of waiting: each pair of chips takes
//! the first channel on which its route leaves the waiting in order, and a further one where none does. So do LASH and
//! DFSSSP, whose pairs learn their channel (service level) from the subnet manager.

/// Channels that wait for each other in no circle: each has a rank below those that it waits for.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    next: Vec<Vec<u32>>,
    /// What would close a circle. It does so for good: what waits here is never taken out.
    refused: Vec<Vec<u32>>,
    rank: Vec<u32>,
    ranked: Vec<u32>,
    reached: Vec<bool>,
    /// Those that the last message made wait for one more.
    longer: Vec<u32>,
}

impl Layer {
    /// So many channels, none of which waits.
    pub(super) fn empty(channels: u64) -> Self {
        let channels = channels as u32;
        Self {
            next: vec![Vec::new(); channels as usize],
            refused: vec![Vec::new(); channels as usize],
            rank: (0..channels).collect(),
            ranked: (0..channels).collect(),
            reached: vec![false; channels as usize],
            longer: Vec::new(),
        }
    }

    /// Channels that wait for these, if they do so in no circle.
    pub(super) fn of(waits_for: &[Vec<u64>]) -> Option<Self> {
        let mut layer = Self::empty(waits_for.len() as u64);
        let mut waited = vec![0u32; waits_for.len()];
        for &after in waits_for.iter().flatten() {
            waited[after as usize] += 1;
        }
        layer
            .ranked
            .retain(|&channel| waited[channel as usize] == 0);
        let mut at = 0;
        while let Some(&here) = layer.ranked.get(at) {
            layer.rank[here as usize] = at as u32;
            at += 1;
            for &after in &waits_for[here as usize] {
                waited[after as usize] -= 1;
                if waited[after as usize] == 0 {
                    layer.ranked.push(after as u32);
                }
            }
        }
        for (next, after) in layer.next.iter_mut().zip(waits_for) {
            next.extend(after.iter().map(|&after| after as u32));
        }
        (at == waits_for.len()).then_some(layer)
    }

    /// Takes in all that a message makes wait, or nothing where that would close a circle.
    pub(super) fn take(&mut self, waits: &[(u64, u64)]) -> bool {
        let known = |list: &[Vec<u32>], &(before, after): &(u64, u64)| {
            list[before as usize].contains(&(after as u32))
        };
        if waits.iter().any(|wait| known(&self.refused, wait)) {
            return false;
        }
        self.longer.clear();
        for wait in waits.iter() {
            if known(&self.next, wait) {
                continue;
            }
            let (before, after) = (wait.0 as u32, wait.1 as u32);
            if !self.put_in_order(before, after) {
                // An order that holds for more holds for less.
                for &before in self.longer.iter().rev() {
                    self.next[before as usize].pop();
                }
                // Perhaps only with what this message brought in.
                if !self.put_in_order(before, after) {
                    self.refused[before as usize].push(after);
                }
                return false;
            }
            self.next[before as usize].push(after);
            self.longer.push(before);
        }
        true
    }

    /// Ranks `before` below `after`; false if `after` waits for `before` already.
    fn put_in_order(&mut self, before: u32, after: u32) -> bool {
        let (low, high) = (self.rank[after as usize], self.rank[before as usize]);
        if high < low {
            return true;
        }
        // What waits between the two, as of `after`.
        let mut behind = vec![after];
        self.reached[after as usize] = true;
        let mut at = 0;
        while let Some(&here) = behind.get(at) {
            at += 1;
            for &there in &self.next[here as usize] {
                if self.rank[there as usize] <= high && !self.reached[there as usize] {
                    self.reached[there as usize] = true;
                    behind.push(there);
                }
            }
        }
        let free = !self.reached[before as usize];
        if free {
            // Those move behind `before`, and all others up, each in the order that they had.
            let span = low as usize..=high as usize;
            let (moved, kept): (Vec<u32>, Vec<u32>) = self.ranked[span.clone()]
                .iter()
                .partition(|&&channel| self.reached[channel as usize]);
            for (rank, channel) in span.zip(kept.into_iter().chain(moved)) {
                self.ranked[rank] = channel;
                self.rank[channel as usize] = rank as u32;
            }
        }
        for channel in behind {
            self.reached[channel as usize] = false;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::Layer;
    use crate::random::SplitMix64;

    /// Takes channels that wait for nothing away until none is left or a circle stays.
    fn has_circle(channels: u64, waits: &[(u64, u64)]) -> bool {
        let mut left: Vec<u64> = (0..channels).collect();
        loop {
            let waiting = |channel: &u64| {
                let on = |wait: &(u64, u64)| wait.0 == *channel && left.contains(&wait.1);
                waits.iter().any(on)
            };
            let still: Vec<u64> = left.iter().copied().filter(waiting).collect();
            if still.len() == left.len() {
                return !left.is_empty();
            }
            left = still;
        }
    }

    #[test]
    fn a_layer_takes_what_closes_no_circle_and_nothing_else() {
        let mut random = SplitMix64::new(7);
        let (mut taken, mut refused) = (0, 0);
        for _ in 0..200 {
            let channels = 3 + random.below(8);
            let mut layer = Layer::empty(u64::from(channels));
            let mut waits: Vec<(u64, u64)> = Vec::new();
            for _ in 0..30 {
                let mut path: Vec<u64> = (0..channels.into()).collect();
                for at in (1..path.len()).rev() {
                    path.swap(at, random.below(at as u32 + 1) as usize);
                }
                path.truncate(2 + random.below(3) as usize);
                let steps: Vec<(u64, u64)> = path.windows(2).map(|two| (two[0], two[1])).collect();
                let with = [&waits[..], &steps].concat();
                let free = !has_circle(channels.into(), &with);
                assert_eq!(layer.take(&steps), free, "{waits:?} {steps:?}");
                if free {
                    waits = with;
                }
                *(if free { &mut taken } else { &mut refused }) += 1;
            }
            let mut listed = vec![Vec::new(); channels as usize];
            waits
                .iter()
                .for_each(|wait| listed[wait.0 as usize].push(wait.1));
            assert!(Layer::of(&listed).is_some());
        }
        assert!(taken > 500 && refused > 500, "{taken} {refused}");
    }
}
