//! Who sends to whom, without a list of it where one can be made when it is asked for.

use std::borrow::Cow;
use std::rc::Rc;

/// (from, to) ranks of messages.
#[derive(Clone)]
pub(crate) enum Sends {
    /// These.
    List(Rc<[(u32, u32)]>),
    /// So many, made when they are asked for: a list of all messages of a large machine is never needed to cost it.
    Lazy {
        /// How many there are.
        count: usize,
        /// Makes them.
        make: Rc<dyn Fn() -> Vec<(u32, u32)>>,
    },
    /// Every rank to every other.
    All,
}

impl std::fmt::Debug for Sends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(sends) => write!(f, "{} sends", sends.len()),
            Self::Lazy { count, .. } => write!(f, "{count} sends to be made"),
            Self::All => f.write_str("all to all"),
        }
    }
}

impl From<Vec<(u32, u32)>> for Sends {
    fn from(sends: Vec<(u32, u32)>) -> Self {
        Self::List(sends.into())
    }
}

impl Sends {
    /// The sends of each of `ranks` ranks: those that `of` says, as many for each.
    pub(crate) fn of_each<const EACH: usize>(
        ranks: u32,
        of: impl Fn(u32) -> [(u32, u32); EACH] + 'static,
    ) -> Self {
        Self::Lazy {
            count: ranks as usize * EACH,
            make: Rc::new(move || (0..ranks).flat_map(&of).collect()),
        }
    }

    /// How many there are, where that is known without the ranks.
    pub(crate) fn count(&self) -> Option<usize> {
        match self {
            Self::List(sends) => Some(sends.len()),
            Self::Lazy { count, .. } => Some(*count),
            Self::All => None,
        }
    }

    /// All of them, over so many ranks.
    pub(crate) fn list(&self, ranks: u32) -> Cow<'_, [(u32, u32)]> {
        match self {
            Self::List(sends) => Cow::Borrowed(sends),
            Self::Lazy { make, .. } => Cow::Owned(make()),
            Self::All => Cow::Owned(to_all(ranks)),
        }
    }
}

/// Every rank to every other. Each begins with the rank after it, so that first come, first served, they do not all
/// begin with the same one.
pub(crate) fn to_all(ranks: u32) -> Vec<(u32, u32)> {
    (0..ranks)
        .flat_map(|from| (1..ranks).map(move |ahead| (from, (from + ahead) % ranks)))
        .collect()
}

/// (from, to) of a pattern's messages: chips, or domains. The same sends in each of some groups, kept as those.
#[derive(Clone)]
pub(crate) struct Pairs {
    groups: Rc<[Vec<u32>]>,
    sends: Sends,
    len: usize,
    digest: u64,
}

impl Pairs {
    /// The sends of ranks in each group, one group after another.
    pub(crate) fn of(groups: &Rc<[Vec<u32>]>, sends: &Sends) -> Self {
        Self::new(Rc::clone(groups), sends.clone())
    }

    fn new(groups: Rc<[Vec<u32>]>, sends: Sends) -> Self {
        let mut pairs = Self {
            groups,
            sends,
            len: 0,
            digest: 0,
        };
        let (mut len, mut digest) = (0, 0xcbf2_9ce4_8422_2325u64);
        pairs.visit(|from, to| {
            len += 1;
            let word = u64::from(from) << 32 | u64::from(to);
            digest = (digest ^ word)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29);
        });
        (pairs.len, pairs.digest) = (len, digest);
        pairs
    }

    fn visit(&self, mut each: impl FnMut(u32, u32)) {
        if self.groups.is_empty() {
            return self
                .sends
                .list(0)
                .iter()
                .for_each(|&(from, to)| each(from, to));
        }
        let sends = self.sends.list(self.groups[0].len() as u32);
        for group in self.groups.iter() {
            let member = |rank: u32| group[rank as usize];
            sends
                .iter()
                .for_each(|&(from, to)| each(member(from), member(to)));
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// All of them.
    pub(crate) fn list(&self) -> Cow<'_, [(u32, u32)]> {
        if self.groups.is_empty() {
            return self.sends.list(0);
        }
        let mut list = Vec::with_capacity(self.len);
        self.visit(|from, to| list.push((from, to)));
        Cow::Owned(list)
    }
}

impl From<Vec<(u32, u32)>> for Pairs {
    fn from(pairs: Vec<(u32, u32)>) -> Self {
        Self::new(Rc::new([]), pairs.into())
    }
}

impl PartialEq for Pairs {
    fn eq(&self, other: &Self) -> bool {
        (self.len, self.digest) == (other.len, other.digest) && self.list() == other.list()
    }
}

impl std::fmt::Debug for Pairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list().iter()).finish()
    }
}
