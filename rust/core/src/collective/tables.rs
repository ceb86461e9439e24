//! What an answer says, as names and values for whoever shows it; its tables are kept small until they are read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A name or a sentence.
    Text(String),
    /// How many.
    Count(u64),
    /// A quantity in SI units.
    Number(f64),
    /// Several values in their order.
    List(Vec<Fact>),
    /// Several values that belong together; `None` where there is no such thing.
    Record(Option<Facts>),
}

/// Values by name.
pub type Facts = Vec<(&'static str, Fact)>;

/// The values of one column of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Names or sentences.
    Text(Vec<String>),
    /// How many.
    Count(Vec<u64>),
    /// Quantities in SI units.
    Number(Vec<f64>),
}

/// Columns by name, all of the same length.
pub type Table = Vec<(&'static str, Column)>;

/// The tables of an answer: each value once, in columns of their places. What is the same in many answers, all that is
/// no number, is shared by them.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    words: Arc<Words>,
    /// Numbers and counts, as bits.
    numbers: Box<[u64]>,
    /// The place of each value, column by column.
    places: Places,
}

/// Texts, and which tables there are.
#[derive(Debug, PartialEq)]
struct Words {
    texts: Box<str>,
    /// Where each text ends.
    ends: Box<[u32]>,
    tables: Box<[Shape]>,
}

/// One table: how many rows, and what its columns hold.
#[derive(Debug, PartialEq)]
struct Shape {
    name: &'static str,
    rows: usize,
    columns: Vec<(&'static str, Kind)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Count,
    Number,
}

/// Places of values, as small as they go.
#[derive(Debug, Clone, PartialEq)]
enum Places {
    Small(Box<[u8]>),
    Large(Box<[u32]>),
}

/// The words of answers that somebody still keeps; those met last come last.
static KNOWN: Mutex<Vec<Weak<Words>>> = Mutex::new(Vec::new());

/// How many of them are looked at.
const MOST_KNOWN: usize = 64;

/// The same words as others have, where they are known.
fn shared(words: Words) -> Arc<Words> {
    // Nobody waits for anybody: words that cannot be looked up are kept once more.
    let Ok(mut known) = KNOWN.try_lock() else {
        return Arc::new(words);
    };
    let same = |other: &Weak<Words>| other.upgrade().filter(|other| **other == words);
    if let Some(found) = known.iter().rev().find_map(same) {
        return found;
    }
    let words = Arc::new(words);
    known.retain(|other| other.strong_count() > 0);
    if known.len() == MOST_KNOWN {
        known.remove(0);
    }
    known.push(Arc::downgrade(&words));
    words
}

/// The values met so far, each with its place.
#[derive(Default)]
struct Pool {
    texts: BTreeMap<String, u32>,
    numbers: BTreeMap<u64, u32>,
    places: Vec<u32>,
}

impl Pool {
    fn text(&mut self, text: String) {
        let next = self.texts.len() as u32;
        self.places.push(*self.texts.entry(text).or_insert(next));
    }

    fn number(&mut self, bits: u64) {
        let next = self.numbers.len() as u32;
        self.places.push(*self.numbers.entry(bits).or_insert(next));
    }

    fn take(&mut self, column: Column) -> (Kind, usize) {
        let before = self.places.len();
        let kind = match column {
            Column::Text(values) => {
                values.into_iter().for_each(|text| self.text(text));
                Kind::Text
            }
            Column::Count(values) => {
                values.into_iter().for_each(|count| self.number(count));
                Kind::Count
            }
            Column::Number(values) => {
                let bits = values.into_iter().map(f64::to_bits);
                bits.for_each(|bits| self.number(bits));
                Kind::Number
            }
        };
        (kind, self.places.len() - before)
    }
}

impl Tables {
    /// Keeps these.
    pub fn of(tables: Vec<(&'static str, Table)>) -> Self {
        let mut pool = Pool::default();
        let mut shapes = Vec::with_capacity(tables.len());
        for (name, table) in tables {
            let (mut rows, mut columns) = (0, Vec::with_capacity(table.len()));
            for (name, column) in table {
                let (kind, count) = pool.take(column);
                columns.push((name, kind));
                rows = count;
            }
            shapes.push(Shape {
                name,
                rows,
                columns,
            });
        }
        let mut texts: Vec<(u32, String)> = pool
            .texts
            .into_iter()
            .map(|(text, at)| (at, text))
            .collect();
        texts.sort_unstable();
        let mut numbers: Vec<(u32, u64)> = pool
            .numbers
            .into_iter()
            .map(|(bits, at)| (at, bits))
            .collect();
        numbers.sort_unstable();
        let mut end = 0;
        let ends = texts.iter().map(|(_, text)| {
            end += text.len() as u32;
            end
        });
        let small: Option<Box<[u8]>> = pool
            .places
            .iter()
            .map(|&at| u8::try_from(at).ok())
            .collect();
        Self {
            words: shared(Words {
                ends: ends.collect(),
                texts: texts
                    .into_iter()
                    .map(|(_, text)| text)
                    .collect::<String>()
                    .into(),
                tables: shapes.into(),
            }),
            numbers: numbers.into_iter().map(|(_, bits)| bits).collect(),
            places: small.map_or_else(|| Places::Large(pool.places.into()), Places::Small),
        }
    }

    /// The names of the tables.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.words.tables.iter().map(|shape| shape.name)
    }

    /// One of the tables.
    pub fn table(&self, name: &str) -> Option<Table> {
        let mut first = 0;
        for shape in &self.words.tables {
            if shape.name == name {
                let columns = (0..).zip(&shape.columns);
                let column = |(at, &(name, kind)): (usize, &(&'static str, Kind))| {
                    (name, self.column(kind, first + at * shape.rows, shape.rows))
                };
                return Some(columns.map(column).collect());
            }
            first += shape.rows * shape.columns.len();
        }
        None
    }

    fn column(&self, kind: Kind, first: usize, rows: usize) -> Column {
        let places = (first..first + rows).map(|at| match &self.places {
            Places::Small(places) => usize::from(places[at]),
            Places::Large(places) => places[at] as usize,
        });
        match kind {
            Kind::Text => Column::Text(places.map(|at| self.text(at).to_owned()).collect()),
            Kind::Count => Column::Count(places.map(|at| self.numbers[at]).collect()),
            Kind::Number => {
                Column::Number(places.map(|at| f64::from_bits(self.numbers[at])).collect())
            }
        }
    }

    fn text(&self, at: usize) -> &str {
        let Words { texts, ends, .. } = &*self.words;
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        &texts[start as usize..ends[at] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_as_they_were() {
        let names = |count: u64| (0..count).map(|at| format!("step {}", at % 300)).collect();
        let table = |count: u64| -> Table {
            vec![
                ("what", Column::Text(names(count))),
                ("steps", Column::Count((0..count).collect())),
                (
                    "time_s",
                    Column::Number((0..count).map(|at| at as f64 / 7.0).collect()),
                ),
                ("none", Column::Text(vec![String::new(); count as usize])),
            ]
        };
        let all = vec![("few", table(3)), ("many", table(1000)), ("no", table(0))];
        let kept = Tables::of(all.clone());
        assert!(kept.names().eq(["few", "many", "no"]));
        for (name, table) in all {
            assert_eq!(kept.table(name), Some(table));
        }
        assert_eq!(kept.table("another"), None);
        let again = Tables::of(vec![("few", table(3))]);
        assert!(Arc::ptr_eq(
            &again.words,
            &Tables::of(vec![("few", table(3))]).words
        ));
    }
}
