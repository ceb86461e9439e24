//! Nodes of a trace and their attributes.

use super::wire::{Field, Wire, wrong};
use crate::error::Result;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// Version of the schema, as written; empty where the file does not say.
    pub version: String,
    /// Attributes of the whole.
    pub attributes: Vec<Attribute>,
    /// Nodes in the file's order.
    pub nodes: Vec<Node>,
    /// Numbers that nodes wait for and that no node has.
    pub missing: u64,
    /// A node in, or behind, a circle of nodes that wait for each other, and how many such nodes there are.
    pub circle: Option<(u64, u64)>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: String,
    /// 1 metadata, 2 load, 3 store, 4 computation, 5 send, 6 receive, 7 collective; 0 none.
    pub kind: u64,
    /// Numbers of nodes that it waits for by order.
    pub control: Vec<u64>,
    /// Numbers of nodes whose data it waits for.
    pub data: Vec<u64>,
    /// Microseconds.
    pub start: u64,
    /// Microseconds.
    pub duration: u64,
    /// Inputs.
    pub inputs: Option<Io>,
    /// Outputs.
    pub outputs: Option<Io>,
    /// Attributes in order.
    pub attributes: Vec<Attribute>,
    /// Byte of the file at which it begins.
    pub offset: u64,
}

/// Values, shapes and types, each as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Io {
    /// Values.
    pub values: String,
    /// Shapes.
    pub shapes: String,
    /// Types.
    pub types: String,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// What it means.
    pub about: String,
    /// Number of the field that has the value, which names its type; 0 for none.
    pub field: u32,
    /// The value.
    pub value: Value,
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// None.
    #[default]
    None,
    /// Numbers, one unless it is a list.
    Floats(Vec<f64>),
    /// Whole numbers with a sign.
    Signed(Vec<i64>),
    /// Whole numbers.
    Unsigned(Vec<u64>),
    /// Yes or no.
    Flags(Vec<bool>),
    /// Texts.
    Texts(Vec<String>),
    /// Bytes.
    Blobs(Vec<Vec<u8>>),
}

impl Trace {
    pub(super) fn take_metadata(&mut self, mut wire: Wire<'_>) -> Result<()> {
        while !wire.is_over() {
            let offset = wire.offset();
            match wire.field()? {
                (1, field) => self.version = field.as_bytes(offset)?.text()?,
                (2, field) => self
                    .attributes
                    .push(Attribute::of(field.as_bytes(offset)?)?),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Node {
    pub(super) fn of(mut wire: Wire<'_>) -> Result<Self> {
        let mut node = Self {
            offset: wire.offset() as u64,
            ..Self::default()
        };
        while !wire.is_over() {
            let offset = wire.offset();
            let (number, field) = wire.field()?;
            match number {
                1 => node.id = field.as_number(offset)?,
                2 => node.name = field.as_bytes(offset)?.text()?,
                3 => node.kind = field.as_number(offset)?,
                4 => field.numbers(offset, &mut node.control)?,
                5 => field.numbers(offset, &mut node.data)?,
                6 => node.start = field.as_number(offset)?,
                7 => node.duration = field.as_number(offset)?,
                8 => node.inputs = Some(Io::of(field.as_bytes(offset)?)?),
                9 => node.outputs = Some(Io::of(field.as_bytes(offset)?)?),
                10 => node
                    .attributes
                    .push(Attribute::of(field.as_bytes(offset)?)?),
                _ => {}
            }
        }
        Ok(node)
    }
}

impl Io {
    fn of(mut wire: Wire<'_>) -> Result<Self> {
        let mut io = Self::default();
        while !wire.is_over() {
            let offset = wire.offset();
            match wire.field()? {
                (1, field) => io.values = field.as_bytes(offset)?.text()?,
                (2, field) => io.shapes = field.as_bytes(offset)?.text()?,
                (3, field) => io.types = field.as_bytes(offset)?.text()?,
                _ => {}
            }
        }
        Ok(io)
    }
}

/// Half of a number whose sign is its last bit.
fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

impl Attribute {
    pub(super) fn of(mut wire: Wire<'_>) -> Result<Self> {
        let mut attribute = Self::default();
        while !wire.is_over() {
            let offset = wire.offset();
            let (number, field) = wire.field()?;
            match number {
                1 => attribute.name = field.as_bytes(offset)?.text()?,
                2 => attribute.about = field.as_bytes(offset)?.text()?,
                3..=32 => {
                    attribute.field = number;
                    attribute.value = value_of(number, field, offset)?;
                }
                _ => {}
            }
        }
        Ok(attribute)
    }
}

fn value_of(number: u32, field: Field<'_>, offset: usize) -> Result<Value> {
    let mut value = empty(number);
    if number % 2 == 1 {
        add(&mut value, number, field, offset)?;
        return Ok(value);
    }
    let mut wire = field.as_bytes(offset)?;
    while !wire.is_over() {
        let offset = wire.offset();
        let (inner, field) = wire.field()?;
        if inner == 1 {
            add(&mut value, number - 1, field, offset)?;
        }
    }
    Ok(value)
}

/// No value yet of the type of a field.
fn empty(number: u32) -> Value {
    match number {
        3..=6 => Value::Floats(Vec::new()),
        7..=10 | 15..=18 | 23..=26 => Value::Signed(Vec::new()),
        27 | 28 => Value::Flags(Vec::new()),
        29 | 30 => Value::Texts(Vec::new()),
        31 | 32 => Value::Blobs(Vec::new()),
        _ => Value::Unsigned(Vec::new()),
    }
}

/// Adds what a field holds, one value or a packed list of them; `number` is that of a single value.
fn add(value: &mut Value, number: u32, field: Field<'_>, offset: usize) -> Result<()> {
    match value {
        Value::Texts(all) => all.push(field.as_bytes(offset)?.text()?),
        Value::Blobs(all) => all.push(field.as_bytes(offset)?.rest().to_vec()),
        _ => match field {
            Field::Bytes(mut wire) => {
                while !wire.is_over() {
                    let offset = wire.offset();
                    let one = match number {
                        3 | 21 | 25 => Field::Eight(wire.fixed()?),
                        5 | 19 | 23 => Field::Four(wire.fixed()?),
                        _ => Field::Number(wire.number()?),
                    };
                    push(value, number, one, offset)?;
                }
            }
            one => push(value, number, one, offset)?,
        },
    }
    Ok(())
}

fn push(value: &mut Value, number: u32, field: Field<'_>, offset: usize) -> Result<()> {
    match (value, number, field) {
        (Value::Floats(all), 3, Field::Eight(bytes)) => all.push(f64::from_le_bytes(bytes)),
        (Value::Floats(all), 5, Field::Four(bytes)) => all.push(f32::from_le_bytes(bytes).into()),
        (Value::Signed(all), 7 | 9, Field::Number(value)) => all.push(value as i64),
        (Value::Unsigned(all), 11 | 13, Field::Number(value)) => all.push(value),
        (Value::Signed(all), 15 | 17, Field::Number(value)) => all.push(zigzag(value)),
        (Value::Unsigned(all), 19, Field::Four(bytes)) => {
            all.push(u32::from_le_bytes(bytes).into())
        }
        (Value::Unsigned(all), 21, Field::Eight(bytes)) => all.push(u64::from_le_bytes(bytes)),
        (Value::Signed(all), 23, Field::Four(bytes)) => all.push(i32::from_le_bytes(bytes).into()),
        (Value::Signed(all), 25, Field::Eight(bytes)) => all.push(i64::from_le_bytes(bytes)),
        (Value::Flags(all), 27, Field::Number(value)) => all.push(value != 0),
        _ => return Err(wrong(offset, "what the type of its attribute has")),
    }
    Ok(())
}
