//! A collective of a StableHLO text as a row.

use super::dense::{as_ids, table};
use super::meshes::Meshes;
use super::op::Op;
use super::types::Tensor;
use crate::cursor::Cursor;
use crate::error::Result;
use crate::program::{Collective, Ids, Mode};

/// Our name of an operation that moves data, by its name without the dialect.
pub(super) fn moved(base: &[u8]) -> Option<&'static str> {
    Some(match base {
        b"all_reduce" => "all_reduce",
        b"all_gather" => "all_gather",
        b"reduce_scatter" => "reduce_scatter",
        b"all_to_all" => "all_to_all",
        b"collective_permute" => "collective_permute",
        b"collective_broadcast" => "broadcast",
        b"ragged_all_to_all" => "ragged_all_to_all",
        b"send" => "send",
        b"recv" => "recv",
        _ => return None,
    })
}

/// Who takes part, as the text has it.
pub(super) enum Who<'a> {
    Groups(Ids, Mode, Cursor<'a>),
    Pairs(Vec<i64>, Mode, Cursor<'a>),
    Unknown,
}

/// The row of a collective, and who takes part.
pub(super) fn row<'a>(
    op: &'static str,
    one: &Op<'a>,
    at: Cursor<'a>,
    meshes: &Meshes<'_>,
) -> Result<(Collective, Who<'a>)> {
    let named = matches!(op, "all_reduce" | "all_gather" | "reduce_scatter");
    let mode = Mode::of(
        one.channel()? > 0,
        one.is_true("use_global_device_ids"),
        named,
    );
    let operands = match op {
        // The buffer that results go to, and tables of offsets, are not sent.
        "ragged_all_to_all" => &one.operands[..one.operands.len().min(1)],
        _ => &one.operands[..],
    };
    let mut made = Collective {
        op,
        bytes_in: bytes(operands),
        bytes_out: bytes(&one.results),
        ..Collective::default()
    };
    let typed = if made.bytes_in == Some(0) {
        &one.results[..]
    } else {
        operands
    };
    made.dtype = dtype(typed, &mut made.notes);
    notes(op, one, operands, &mut made.notes);
    let who = match op {
        "send" | "recv" => Who::Unknown,
        "collective_permute" => pairs(one, mode, &mut made.notes)?,
        _ => groups(one, mode, meshes, &mut made.notes, at)?,
    };
    Ok((made, who))
}

fn bytes(tensors: &[Tensor]) -> Option<u64> {
    tensors
        .iter()
        .try_fold(0u64, |all, one| all.checked_add(one.bytes()?))
        .filter(|all| *all <= i64::MAX as u64)
}

fn dtype(tensors: &[Tensor], notes: &mut Vec<String>) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in tensors
        .iter()
        .filter_map(|one| one.dtype)
        .map(|one| one.name)
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if let [name] = names[..] {
        return Some(name.to_owned());
    }
    if !names.is_empty() {
        notes.push(format!("arrays of several types: {}", names.join(", ")));
    }
    None
}

fn notes(op: &str, one: &Op<'_>, operands: &[Tensor], notes: &mut Vec<String>) {
    let mut note = |text: &str| notes.push(text.to_owned());
    if operands.iter().chain(&one.results).any(|one| one.dynamic) {
        note("a size is dynamic: bytes are at most these, and unknown where it has no bound");
    }
    if operands
        .iter()
        .filter_map(|one| one.dtype)
        .any(|one| one.bits < 8)
    {
        note("elements of less than a byte are counted as packed");
    }
    if op == "ragged_all_to_all" {
        note(
            "bytes are those of the whole buffers: how much goes to whom is in the operands send_sizes, which only a run tells",
        );
    }
    if one.is_true("is_host_transfer") {
        note("goes to or comes from the host");
    }
}

fn pairs<'a>(one: &Op<'a>, mode: Mode, notes: &mut Vec<String>) -> Result<Who<'a>> {
    let Some(at) = one.attribute("source_target_pairs") else {
        notes.push("the text does not say who sends to whom".to_owned());
        return Ok(Who::Unknown);
    };
    match table(at)? {
        Some((ids, 2)) => Ok(Who::Pairs(ids, mode, at)),
        Some((ids, _)) if ids.is_empty() => Ok(Who::Pairs(ids, mode, at)),
        Some(_) => Err(at.wrong("must be pairs of a source and a target")),
        None => Ok(left_out(notes)),
    }
}

fn left_out<'a>(notes: &mut Vec<String>) -> Who<'a> {
    notes.push(
        "who takes part was left out of the text: print it with all of its constants".to_owned(),
    );
    Who::Unknown
}

fn groups<'a>(
    one: &Op<'a>,
    mode: Mode,
    meshes: &Meshes<'_>,
    notes: &mut Vec<String>,
    start: Cursor<'a>,
) -> Result<Who<'a>> {
    let Some(at) = one.attribute("replica_groups") else {
        return Ok(Who::Groups(Ids::All, mode, start));
    };
    if at.rest().starts_with(b"#") {
        return Ok(Who::Groups(meshes.groups(at)?, mode, at));
    }
    match table(at)? {
        None => Ok(left_out(notes)),
        Some((ids, columns)) => Ok(Who::Groups(as_ids(&ids, columns, at)?, mode, at)),
    }
}
