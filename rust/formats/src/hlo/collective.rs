//! A collective of an HLO text as a row.

use super::instruction::Instruction;
use super::operands::Shapes;
use super::replica_groups;
use super::shape::{Array, bytes};
use crate::cursor::{Cursor, words};
use crate::error::Result;
use crate::program::{Collective, Groups, Ids, Mode, World, as_groups, as_pairs};
use memchr::memmem;
use std::collections::BTreeMap;

/// Groups of a program, each once.
pub(super) struct GroupTable<'a> {
    world: World,
    seen: BTreeMap<(&'a [u8], Mode), Option<usize>>,
    pub(super) groups: Vec<Groups>,
}

impl<'a> GroupTable<'a> {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            seen: BTreeMap::new(),
            groups: Vec::new(),
        }
    }

    fn add(&mut self, at: Cursor<'a>, mode: Mode, pairs: bool) -> Result<Option<usize>> {
        let key = (at.rest(), mode);
        if let Some(known) = self.seen.get(&key) {
            return Ok(*known);
        }
        let groups = if pairs {
            Some(as_pairs(replica_groups::pairs(at)?, mode, self.world, at)?)
        } else {
            as_groups(replica_groups::groups(at)?, mode, self.world, at)?
        };
        let number = groups.map(|groups| {
            self.groups.push(groups);
            self.groups.len() - 1
        });
        self.seen.insert(key, number);
        Ok(number)
    }

    /// The group of all, of an operation that names none.
    fn all(&mut self, mode: Mode, at: Cursor<'a>) -> Result<Option<usize>> {
        let key = (&b""[..], mode);
        if let Some(known) = self.seen.get(&key) {
            return Ok(*known);
        }
        let number = as_groups(Ids::All, mode, self.world, at)?.map(|groups| {
            self.groups.push(groups);
            self.groups.len() - 1
        });
        self.seen.insert(key, number);
        Ok(number)
    }
}

/// What [`row`] needs.
pub(super) struct Place<'a, 'b> {
    pub(super) text: &'a [u8],
    pub(super) start: usize,
    pub(super) op: &'static str,
    /// Only starts here.
    pub(super) starts: bool,
    pub(super) shapes: &'b Shapes<'a>,
}

/// The row of a collective; what the program around it says of it is added later.
pub(super) fn row<'a>(
    one: &Instruction<'a>,
    place: &Place<'a, '_>,
    table: &mut GroupTable<'a>,
) -> Result<Collective> {
    let at = Cursor::new(place.text, place.start, place.text.len());
    let mut arrays: Vec<Array> = Vec::new();
    for number in 0..one.operands.len() {
        // The buffer that results go to, and tables of offsets, are not sent.
        if place.op != "ragged_all_to_all" || number == 0 {
            arrays.extend_from_slice(&place.shapes.of(place.text, one, number)?.arrays);
        }
    }
    let results = results(one, place);
    let mut made = Collective {
        name: words(one.name),
        op: place.op,
        original: words(one.opcode),
        bytes_in: bytes(&arrays, at)?,
        bytes_out: bytes(results, at)?,
        asynchronous: Some(place.starts && !is_sync(one)),
        ..Collective::default()
    };
    made.groups = groups(one, place.op, at, table)?;
    made.dtype = one_dtype(
        if made.bytes_in == Some(0) {
            results
        } else {
            &arrays
        },
        &mut made.notes,
    );
    notes(one, place, &arrays, &mut made);
    Ok(made)
}

/// What comes out: of what only starts here, the tuple has the operands, the results, and its state.
fn results<'b>(one: &'b Instruction<'_>, place: &Place<'_, '_>) -> &'b [Array] {
    let whole = !place.starts || place.op == "all_reduce" || one.shape.elements() < 2;
    match one.shape.element(1) {
        Some(results) if !whole => results,
        _ => &one.shape.arrays,
    }
}

/// Whether a start and its end run as one, as GPU texts say.
fn is_sync(one: &Instruction<'_>) -> bool {
    one.attribute("backend_config").is_some_and(|config| {
        let said = memmem::find(config.rest(), b"\"is_sync\":");
        said.is_some_and(|at| {
            config.rest()[at + 10..]
                .trim_ascii_start()
                .starts_with(b"true")
        })
    })
}

fn groups<'a>(
    one: &Instruction<'a>,
    op: &str,
    at: Cursor<'a>,
    table: &mut GroupTable<'a>,
) -> Result<Option<usize>> {
    let channel = one.attribute("channel_id").is_some();
    let global = one.is_true("use_global_device_ids");
    let named = matches!(op, "all_reduce" | "all_gather" | "reduce_scatter");
    let mode = Mode::of(channel, global, named);
    match op {
        "send" | "recv" => Ok(None),
        "collective_permute" => match one.attribute("source_target_pairs") {
            Some(pairs) => table.add(pairs, mode, true),
            None => Err(at.wrong("must say who sends to whom: source_target_pairs=")),
        },
        _ => match one.attribute("replica_groups") {
            Some(groups) => table.add(groups, mode, false),
            None => table.all(mode, at),
        },
    }
}

/// The type that all arrays have.
fn one_dtype(arrays: &[Array], notes: &mut Vec<String>) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in arrays
        .iter()
        .filter_map(|array| array.dtype)
        .map(|one| one.name)
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // A transfer's own counter is a u32 beside its data.
    if let [name, "u32"] | [name] = names[..] {
        return Some(name.to_owned());
    }
    if !names.is_empty() {
        notes.push(format!("arrays of several types: {}", names.join(", ")));
    }
    None
}

fn notes(one: &Instruction<'_>, place: &Place<'_, '_>, arrays: &[Array], made: &mut Collective) {
    let mut note = |text: &str| made.notes.push(text.to_owned());
    if arrays.iter().any(|array| array.dynamic) {
        note("a dimension is dynamic: bytes are at most these");
    }
    match place.op {
        "ragged_all_to_all" => note(
            "bytes are those of the whole buffers: how much goes to whom is in the operands send_sizes, which only a run tells",
        ),
        "send" | "recv" => transfer(one, &mut note),
        _ => {}
    }
    if place.starts && made.asynchronous == Some(false) {
        note("starts and ends apart, but its backend_config has is_sync: nothing runs meanwhile");
    }
    let promoted = one
        .attribute("to_apply")
        .is_some_and(|name| memmem::find(name.rest(), b"promoted").is_some());
    let converted = promoted
        || one
            .operands
            .iter()
            .any(|operand| memmem::find(operand.name, b"convert").is_some());
    if converted && !one.shape.arrays.iter().any(|array| array.tiled) {
        note(
            "what goes in was converted just before: XLA on CPU widens types that it cannot send (bf16 to f32, f8 to f16, s4 to s8), and then bytes are those of the wider one; the StableHLO of the program has the narrow one",
        );
    }
}

fn transfer(one: &Instruction<'_>, note: &mut dyn FnMut(&str)) {
    if !one.is_true("is_host_transfer") {
        return;
    }
    note("goes to or comes from the host, and by it another slice: the text is of one slice alone");
    if let Some(attributes) = one.attribute("frontend_attributes") {
        for key in [
            "_xla_megascale_transfer_type",
            "_xla_megascale_target",
            "_xla_host_transfer_rendezvous",
        ] {
            if let Some(at) = memmem::find(attributes.rest(), key.as_bytes()) {
                let start = attributes.at + at + key.len() + 1;
                let mut value =
                    Cursor::new(attributes.text, start.min(attributes.end), attributes.end);
                if let Ok(value) = value.value() {
                    let shown = &value[..value.len().min(120)];
                    note(&format!("{key} is {}", words(shown)));
                }
            }
        }
    }
    note("bytes_out counts 4 bytes of the transfer's own counter (u32[])");
}
