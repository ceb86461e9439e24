//! Chakra's traces: conversions only.

use crate::enter::here;
use crate::error::{raise, to_py};
use crate::formats::refused;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rainier_core::memory;
use rainier_formats::chakra::{self as core, Attribute, Io, Node, Trace, Value};

/// Name, what it means, number of its field, value.
type AttributeRow<'py> = (String, String, u32, Bound<'py, PyAny>);
/// Values, shapes, types.
type IoRow = (String, String, String);
/// Number, name, kind, control, data, start, duration, inputs, outputs, attributes, offset.
type NodeRow<'py> = (
    u64,
    String,
    u64,
    Vec<u64>,
    Vec<u64>,
    u64,
    u64,
    Option<IoRow>,
    Option<IoRow>,
    Vec<AttributeRow<'py>>,
    u64,
);
/// Version, attributes, nodes, numbers that are waited for and missing, a node in a circle and how many there are.
type TraceRow<'py> = (
    String,
    Vec<AttributeRow<'py>>,
    Vec<NodeRow<'py>>,
    u64,
    Option<(u64, u64)>,
);

/// What a node takes here and as a row, and each byte of the file as text.
const NODE_BYTES: u64 = 900;
const GROWTH: u64 = 8;

/// Reads one.
#[pyfunction]
pub(crate) fn read_chakra<'py>(
    py: Python<'py>,
    data: &[u8],
    source: &str,
) -> PyResult<TraceRow<'py>> {
    let bytes = (core::messages(data) * NODE_BYTES).saturating_add(data.len() as u64 * GROWTH);
    let limit = memory::limit();
    let trace = here(py, |control| {
        if bytes > limit {
            return Err(rainier_core::Error::Memory {
                what: format!("reading {source}"),
                bytes,
                why: format!("the limit is {limit}"),
                instead: "read a shorter trace, or raise memory_limit".to_owned(),
            });
        }
        core::read(data, || control.check().is_err()).map_err(|error| refused(source, error))
    })?;
    let nodes = trace.nodes.into_iter().map(|node| node_row(py, node));
    Ok((
        trace.version,
        attribute_rows(py, trace.attributes)?,
        nodes.collect::<PyResult<_>>()?,
        trace.missing,
        trace.circle,
    ))
}

/// Writes one.
#[pyfunction]
pub(crate) fn write_chakra<'py>(
    py: Python<'py>,
    version: String,
    attributes: Vec<AttributeRow<'py>>,
    nodes: Vec<NodeRow<'py>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let trace = Trace {
        version,
        attributes: attributes_of(py, attributes)?,
        nodes: nodes
            .into_iter()
            .map(|row| node_of(py, row))
            .collect::<PyResult<_>>()?,
        missing: 0,
        circle: None,
    };
    Ok(PyBytes::new(py, &py.detach(|| core::write(&trace))))
}

fn node_row(py: Python<'_>, node: Node) -> PyResult<NodeRow<'_>> {
    let row = |io: Io| (io.values, io.shapes, io.types);
    Ok((
        node.id,
        node.name,
        node.kind,
        node.control,
        node.data,
        node.start,
        node.duration,
        node.inputs.map(row),
        node.outputs.map(row),
        attribute_rows(py, node.attributes)?,
        node.offset,
    ))
}

fn node_of<'py>(py: Python<'py>, row: NodeRow<'py>) -> PyResult<Node> {
    let io = |(values, shapes, types): IoRow| Io {
        values,
        shapes,
        types,
    };
    Ok(Node {
        id: row.0,
        name: row.1,
        kind: row.2,
        control: row.3,
        data: row.4,
        start: row.5,
        duration: row.6,
        inputs: row.7.map(io),
        outputs: row.8.map(io),
        attributes: attributes_of(py, row.9)?,
        offset: row.10,
    })
}

fn attribute_rows(py: Python<'_>, attributes: Vec<Attribute>) -> PyResult<Vec<AttributeRow<'_>>> {
    let rows = attributes.into_iter().map(|attribute| {
        let value = value_row(py, attribute.field, attribute.value)?;
        Ok((attribute.name, attribute.about, attribute.field, value))
    });
    rows.collect()
}

fn value_row(py: Python<'_>, field: u32, value: Value) -> PyResult<Bound<'_, PyAny>> {
    let list = match value {
        Value::None => return Ok(py.None().into_bound(py)),
        Value::Floats(all) => all.into_pyobject(py)?,
        Value::Signed(all) => all.into_pyobject(py)?,
        Value::Unsigned(all) => all.into_pyobject(py)?,
        Value::Flags(all) => all.into_pyobject(py)?,
        Value::Texts(all) => all.into_pyobject(py)?,
        Value::Blobs(all) => {
            let rows = all.iter().map(|one| PyBytes::new(py, one));
            rows.collect::<Vec<_>>().into_pyobject(py)?
        }
    };
    // A value alone; protobuf has the last where a field stands twice.
    if field % 2 == 1 {
        let last = list.len()?;
        return if last == 0 {
            Ok(py.None().into_bound(py))
        } else {
            list.get_item(last - 1)
        };
    }
    Ok(list)
}

fn attributes_of(py: Python<'_>, rows: Vec<AttributeRow<'_>>) -> PyResult<Vec<Attribute>> {
    let made = rows.into_iter().map(|(name, about, field, value)| {
        let value = value_of(py, field, &value)?;
        Ok(Attribute {
            name,
            about,
            field,
            value,
        })
    });
    made.collect()
}

fn value_of(py: Python<'_>, field: u32, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let one = field % 2 == 1;
    Ok(match field {
        0 => Value::None,
        3..=6 => Value::Floats(several(value, one)?),
        7..=10 | 15..=18 | 23..=26 => Value::Signed(several(value, one)?),
        11..=14 | 19..=22 => Value::Unsigned(several(value, one)?),
        27 | 28 => Value::Flags(several(value, one)?),
        29 | 30 if one || !value.is_instance_of::<PyString>() => Value::Texts(several(value, one)?),
        31 | 32 => Value::Blobs(several(value, one)?),
        _ => {
            let error = rainier_core::Error::OutOfRange {
                argument: "field".to_owned(),
                value: field.into(),
                low: 3,
                high: 32,
            };
            return Err(to_py(py, &error));
        }
    })
}

/// One value, or a list of them.
fn several<T: for<'a, 'py> FromPyObject<'a, 'py>>(
    value: &Bound<'_, PyAny>,
    one: bool,
) -> PyResult<Vec<T>>
where
    for<'a, 'py> <T as FromPyObject<'a, 'py>>::Error: Into<PyErr>,
{
    let take = |value: &Bound<'_, PyAny>| {
        value.extract::<T>().map_err(|error| {
            let error: PyErr = error.into();
            raise(
                value.py(),
                "InvalidType",
                &format!("attribute: got {value}, {error}"),
            )
        })
    };
    if one {
        return Ok(vec![take(value)?]);
    }
    value.try_iter()?.map(|row| take(&row?)).collect()
}
