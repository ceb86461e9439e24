//! Collectives of the sdy dialect, which name axes and have types of whole arrays.

use super::meshes::{Meshes, axes};
use super::syntax::{item, ssa, symbol};
use super::types::tensor;
use crate::cursor::Cursor;
use crate::error::Result;
use crate::program::{Axis, Collective, Ids, over_axes};

/// Our name of an operation of the dialect; of slicing, which moves nothing, none.
pub(super) fn moved(op: &[u8]) -> Option<&'static str> {
    Some(match op {
        b"sdy.all_gather" => "all_gather",
        b"sdy.all_reduce" => "all_reduce",
        b"sdy.reduce_scatter" => "reduce_scatter",
        b"sdy.all_to_all" => "all_to_all",
        b"sdy.collective_permute" => "collective_permute",
        _ => return None,
    })
}

/// A collective of the dialect: its bytes are those of the type, cut by the axes of its sharding.
pub(super) fn row(
    op: &'static str,
    mut at: Cursor<'_>,
    meshes: &Meshes<'_>,
) -> Result<(Collective, Option<Ids>)> {
    let start = at;
    let mut moved: Vec<Axis> = Vec::new();
    at.blanks();
    if matches!(at.peek(), b'[' | b'{') {
        moved = axes(at.bracket()?);
    }
    at.blanks();
    if ssa(&mut at).is_empty() {
        return Err(at.wrong("must be an operand, as '%0'"));
    }
    at.blanks();
    at.expect("out_sharding=")?;
    let sharding = item(&mut at)?;
    let mut inside = sharding;
    inside.expect("<")?;
    let mesh = meshes.get(symbol(&mut inside)?, start)?;
    // Of what is replicated or not yet summed, each has all.
    let mut dims = inside;
    dims.take(|byte| byte != b'[');
    let cut = if dims.peek() == b'[' {
        axes(dims.bracket()?)
    } else {
        Vec::new()
    };
    at.take(|byte| byte != b':');
    at.expect(":")?;
    at.blanks();
    let whole = tensor(&mut at)?;
    let length = |axes: &[Axis]| -> Result<u64> {
        let mut all = 1u64;
        for axis in axes {
            let found = mesh.axes.iter().find(|(name, _)| *name == axis.name);
            let Some((_, length)) = found else {
                return Err(start.wrong(format!("must name axes of its mesh, not {:?}", axis.name)));
            };
            let size = axis.part.map_or(*length, |(_, size)| size);
            all = all
                .checked_mul(size)
                .filter(|all| *all > 0)
                .ok_or_else(|| start.wrong("must be axes of lengths >= 1"))?;
        }
        Ok(all)
    };
    let held = length(&cut)?;
    let out = whole.bytes().map(|bytes| bytes.div_ceil(held));
    let group = length(&moved)?;
    let bytes_in = match op {
        "all_gather" => out.map(|bytes| bytes.div_ceil(group)),
        "reduce_scatter" => out.and_then(|bytes| bytes.checked_mul(group)),
        _ => out,
    };
    let mut made = Collective {
        op,
        bytes_in,
        bytes_out: out,
        dtype: whole.dtype.map(|one| one.name.to_owned()),
        ..Collective::default()
    };
    made.notes
        .push("bytes are those of the whole array divided by the axes of its sharding".to_owned());
    if op == "collective_permute" {
        made.notes.push(
            "who sends to whom follows from both shardings: the compiled HLO tells".to_owned(),
        );
        return Ok((made, None));
    }
    Ok((made, Some(over_axes(mesh, &moved, start)?)))
}
