//! Traces written out.

use super::node::{Attribute, Io, Node, Trace, Value};

/// Bytes of messages, each behind its length.
#[derive(Debug, Default)]
struct Writer(Vec<u8>);

/// A whole trace.
#[must_use]
pub fn write(trace: &Trace) -> Vec<u8> {
    let mut out = Writer::default();
    let mut head = Writer::default();
    head.text(1, &trace.version);
    for attribute in &trace.attributes {
        head.inner(2, &attribute_of(attribute));
    }
    out.framed(&head);
    for node in &trace.nodes {
        out.framed(&node_of(node));
    }
    out.0
}

fn node_of(node: &Node) -> Writer {
    let mut out = Writer::default();
    out.count(1, node.id);
    out.text(2, &node.name);
    out.count(3, node.kind);
    out.packed(4, &node.control);
    out.packed(5, &node.data);
    out.count(6, node.start);
    out.count(7, node.duration);
    for (number, io) in [(8, &node.inputs), (9, &node.outputs)] {
        if let Some(io) = io {
            out.inner(number, &io_of(io));
        }
    }
    for attribute in &node.attributes {
        out.inner(10, &attribute_of(attribute));
    }
    out
}

fn io_of(io: &Io) -> Writer {
    let mut out = Writer::default();
    out.text(1, &io.values);
    out.text(2, &io.shapes);
    out.text(3, &io.types);
    out
}

fn attribute_of(attribute: &Attribute) -> Writer {
    let mut out = Writer::default();
    out.text(1, &attribute.name);
    out.text(2, &attribute.about);
    let number = attribute.field;
    if number == 0 {
        return out;
    }
    if number % 2 == 1 {
        out.values(number, number, &attribute.value);
    } else {
        let mut list = Writer::default();
        list.values(number - 1, 1, &attribute.value);
        out.inner(number, &list);
    }
    out
}

impl Writer {
    fn number(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push((value & 127) as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, number: u32, wire: u64) {
        self.number(u64::from(number) << 3 | wire);
    }

    fn framed(&mut self, inner: &Self) {
        self.number(inner.0.len() as u64);
        self.0.extend_from_slice(&inner.0);
    }

    fn inner(&mut self, number: u32, inner: &Self) {
        self.tag(number, 2);
        self.framed(inner);
    }

    fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.tag(number, 2);
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    fn count(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.tag(number, 0);
            self.number(value);
        }
    }

    fn packed(&mut self, number: u32, values: &[u64]) {
        if !values.is_empty() {
            let mut inner = Self::default();
            values.iter().for_each(|&value| inner.number(value));
            self.inner(number, &inner);
        }
    }

    /// Values of the type that field `kind` has, as field `number`.
    fn values(&mut self, kind: u32, number: u32, value: &Value) {
        match value {
            Value::None => {}
            Value::Floats(all) if kind == 5 => all
                .iter()
                .for_each(|&one| self.four(number, (one as f32).to_le_bytes())),
            Value::Floats(all) => all
                .iter()
                .for_each(|one| self.eight(number, one.to_le_bytes())),
            Value::Signed(all) => all.iter().for_each(|&one| match kind {
                15 | 17 => self.plain(number, (one << 1 ^ one >> 63) as u64),
                23 => self.four(number, (one as i32).to_le_bytes()),
                25 => self.eight(number, one.to_le_bytes()),
                _ => self.plain(number, one as u64),
            }),
            Value::Unsigned(all) => all.iter().for_each(|&one| match kind {
                19 => self.four(number, (one as u32).to_le_bytes()),
                21 => self.eight(number, one.to_le_bytes()),
                _ => self.plain(number, one),
            }),
            Value::Flags(all) => all.iter().for_each(|&one| self.plain(number, one.into())),
            Value::Texts(all) => all
                .iter()
                .for_each(|one| self.bytes(number, one.as_bytes())),
            Value::Blobs(all) => all.iter().for_each(|one| self.bytes(number, one)),
        }
    }

    fn plain(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.number(value);
    }

    fn four(&mut self, number: u32, bytes: [u8; 4]) {
        self.tag(number, 5);
        self.0.extend_from_slice(&bytes);
    }

    fn eight(&mut self, number: u32, bytes: [u8; 8]) {
        self.tag(number, 1);
        self.0.extend_from_slice(&bytes);
    }
}
