//! What an answer says, as names and values for whoever shows it; its tables are kept small until they are read.

use std::collections::BTreeMap;

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A name or a sentence.
    Text(String),
    /// How many.
    Count(u64),
    /// A quantity in SI units.
    Number(f64),
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

/// The tables of an answer: each value once, in columns of their places.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    texts: Box<str>,
    /// Where each text ends.
    ends: Box<[u32]>,
    /// Numbers and counts, as bits.
    numbers: Box<[u64]>,
    tables: Box<[(&'static str, Box<[Packed]>)]>,
}

#[derive(Debug, Clone, PartialEq)]
struct Packed {
    name: &'static str,
    kind: Kind,
    places: Places,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Count,
    Number,
}

/// Places of the values of a column, as small as they go.
#[derive(Debug, Clone, PartialEq)]
enum Places {
    Small(Box<[u8]>),
    Large(Box<[u32]>),
}

/// The values met so far, each with its place.
#[derive(Default)]
struct Pool {
    texts: BTreeMap<String, u32>,
    numbers: BTreeMap<u64, u32>,
}

impl Pool {
    fn text(&mut self, text: String) -> u32 {
        let next = self.texts.len() as u32;
        *self.texts.entry(text).or_insert(next)
    }

    fn number(&mut self, bits: u64) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(bits).or_insert(next)
    }

    fn packed(&mut self, name: &'static str, column: Column) -> Packed {
        let (kind, places): (Kind, Vec<u32>) = match column {
            Column::Text(values) => (
                Kind::Text,
                values.into_iter().map(|text| self.text(text)).collect(),
            ),
            Column::Count(values) => (
                Kind::Count,
                values.into_iter().map(|count| self.number(count)).collect(),
            ),
            Column::Number(values) => (
                Kind::Number,
                values
                    .into_iter()
                    .map(|number| self.number(number.to_bits()))
                    .collect(),
            ),
        };
        let small: Option<Box<[u8]>> = places.iter().map(|&at| u8::try_from(at).ok()).collect();
        Packed {
            name,
            kind,
            places: small.map_or_else(|| Places::Large(places.into()), Places::Small),
        }
    }
}

impl Tables {
    /// Keeps these.
    pub fn of(tables: Vec<(&'static str, Table)>) -> Self {
        let mut pool = Pool::default();
        let mut packed = Vec::with_capacity(tables.len());
        for (name, table) in tables {
            let columns = table.into_iter();
            let columns: Box<[Packed]> = columns
                .map(|(name, column)| pool.packed(name, column))
                .collect();
            packed.push((name, columns));
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
        Self {
            ends: ends.collect(),
            texts: texts
                .into_iter()
                .map(|(_, text)| text)
                .collect::<String>()
                .into(),
            numbers: numbers.into_iter().map(|(_, bits)| bits).collect(),
            tables: packed.into(),
        }
    }

    /// The names of the tables.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.tables.iter().map(|table| table.0)
    }

    /// One of the tables.
    pub fn table(&self, name: &str) -> Option<Table> {
        let (_, columns) = self.tables.iter().find(|table| table.0 == name)?;
        let unpacked = |packed: &Packed| (packed.name, self.column(packed));
        Some(columns.iter().map(unpacked).collect())
    }

    fn column(&self, packed: &Packed) -> Column {
        let places: Vec<usize> = match &packed.places {
            Places::Small(places) => places.iter().map(|&at| usize::from(at)).collect(),
            Places::Large(places) => places.iter().map(|&at| at as usize).collect(),
        };
        let places = places.into_iter();
        match packed.kind {
            Kind::Text => Column::Text(places.map(|at| self.text(at).to_owned()).collect()),
            Kind::Count => Column::Count(places.map(|at| self.numbers[at]).collect()),
            Kind::Number => {
                Column::Number(places.map(|at| f64::from_bits(self.numbers[at])).collect())
            }
        }
    }

    fn text(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[start as usize..self.ends[at] as usize]
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
    }
}
