//! What an answer says, as names and values for whoever shows it.

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
