//! `replica_groups` and `source_target_pairs` in each of their spellings.

use crate::cursor::Cursor;
use crate::error::Result;
use crate::program::{Axis, Devices, Ids, Mesh, over_axes};

/// Groups as the text has them.
pub(super) fn groups(mut at: Cursor<'_>) -> Result<Ids> {
    match at.peek() {
        b'{' => {
            let (ids, sizes) = lists(&mut at)?;
            done(&mut at)?;
            Ok(if ids.is_empty() {
                Ids::All
            } else {
                Ids::Lists(ids, sizes)
            })
        }
        b'[' => rule(at),
        b'm' => mesh(at),
        _ => Err(at.wrong(
            "must be groups: lists as '{{0,1},{2,3}}', an iota as '[4,2]<=[8]', or axes of a mesh",
        )),
    }
}

/// Pairs of source and target, one after the other.
pub(super) fn pairs(mut at: Cursor<'_>) -> Result<Vec<i64>> {
    let start = at;
    let (ids, sizes) = lists(&mut at)?;
    done(&mut at)?;
    match sizes.iter().all(|size| *size == 2) {
        true => Ok(ids),
        false => Err(start.wrong("must be pairs of a source and a target, as '{{0,1},{1,0}}'")),
    }
}

fn done(at: &mut Cursor<'_>) -> Result<()> {
    at.blanks();
    match at.rest() {
        b"" => Ok(()),
        _ => Err(at.wrong("must be the end of the groups")),
    }
}

/// `{{0,1},{2,3}}`.
fn lists(at: &mut Cursor<'_>) -> Result<(Vec<i64>, Vec<u64>)> {
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    at.expect("{")?;
    at.blanks();
    while !at.eat(b"}") {
        at.expect("{")?;
        let before = ids.len();
        at.blanks();
        while !at.eat(b"}") {
            ids.push(at.count()? as i64);
            at.blanks();
            if !at.eat(b",") && at.peek() != b'}' {
                return Err(at.wrong("must be ',' or '}' after an id"));
            }
            at.blanks();
        }
        match ids.len() - before {
            0 if at.peek() != b'}' || !sizes.is_empty() => {
                return Err(at.wrong("must be groups of at least one id each"));
            }
            0 => {}
            size => sizes.push(size as u64),
        }
        at.blanks();
        if !at.eat(b",") && at.peek() != b'}' {
            return Err(at.wrong("must be ',' or '}' after a group"));
        }
        at.blanks();
    }
    Ok((ids, sizes))
}

/// `[dims]`, and `T(perm)` where it follows.
fn layout(at: &mut Cursor<'_>) -> Result<(Vec<u64>, Vec<u64>)> {
    at.expect("[")?;
    let dims = at.counts(b']')?;
    let perm = if at.eat(b"T(") {
        at.counts(b')')?
    } else {
        (0..dims.len() as u64).collect()
    };
    Ok((dims, perm))
}

/// `[groups,size]<=[dims]T(perm)` (OpenXLA, `hlo/ir/tile_assignment.h`).
fn rule(start: Cursor<'_>) -> Result<Ids> {
    let mut at = start;
    at.expect("[")?;
    let tile = at.counts(b']')?;
    at.expect("<=")?;
    let (dims, perm) = layout(&mut at)?;
    done(&mut at)?;
    let [count, size] = tile[..] else {
        return Err(start.wrong("must have two numbers on the left: groups, and ids of each"));
    };
    // A mesh of one axis says the same, and is checked.
    let total = crate::program::product(dims.iter().copied(), start)?;
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    if count.checked_mul(size) != Some(total)
        || !sorted.into_iter().eq(0..dims.len() as u64)
        || dims.len() > 64
    {
        return Err(start.wrong(
            "must have the same product on both sides, at most 64 axes, and T(...) of each axis once",
        ));
    }
    Ok(Ids::Iota(count, size, dims, perm))
}

/// `mesh['a'=4,'b'=2], device_ids=([2,4]T(1,0)) {'a'}`.
fn mesh(start: Cursor<'_>) -> Result<Ids> {
    let mut at = start;
    at.expect("mesh[")?;
    let mut axes = Vec::new();
    at.blanks();
    while !at.eat(b"]") {
        let name = axis_name(&mut at)?;
        at.blanks();
        at.expect("=")?;
        axes.push((name, at.count()?));
        at.blanks();
        at.eat(b",");
        at.blanks();
    }
    let repeated = (1..axes.len()).any(|n| axes[..n].iter().any(|(name, _)| *name == axes[n].0));
    if repeated || axes.len() > 64 {
        return Err(start.wrong("must name each axis of the mesh once, of at most 64"));
    }
    let total: Vec<u64> = axes.iter().map(|(_, size)| *size).collect();
    let mut devices = Devices::Rule(total.clone(), (0..total.len() as u64).collect());
    at.blanks();
    if at.eat(b",") {
        at.blanks();
        at.expect("device_ids=(")?;
        devices = device_ids(&mut at)?;
        at.blanks();
    }
    at.expect("{")?;
    let mut group = Vec::new();
    at.blanks();
    while !at.eat(b"}") {
        group.push(part(&mut at)?);
        at.blanks();
        at.eat(b",");
        at.blanks();
    }
    done(&mut at)?;
    over_axes(&Mesh { axes, devices }, &group, start)
}

/// A layout of all devices, or one by one; the closing parenthesis is stepped over.
fn device_ids(at: &mut Cursor<'_>) -> Result<Devices> {
    at.blanks();
    if at.peek() != b'[' {
        let ids = at.counts(b')')?;
        return Ok(Devices::List(ids.into_iter().map(|id| id as i64).collect()));
    }
    let (dims, perm) = layout(at)?;
    at.blanks();
    at.expect(")")?;
    Ok(Devices::Rule(dims, perm))
}

fn axis_name(at: &mut Cursor<'_>) -> Result<String> {
    let start = *at;
    let quote = at.peek();
    let name = if matches!(quote, b'\'' | b'"') {
        at.at += 1;
        let name = at.take(|byte| byte != quote && byte != b'\n');
        if !at.eat(&[quote]) {
            return Err(start.wrong("must be a name in quotes that are closed"));
        }
        name
    } else {
        at.name()
    };
    match name {
        b"" => Err(start.wrong("must be the name of an axis, as in \"'axis_0'\"")),
        name => Ok(crate::cursor::words(name)),
    }
}

/// An axis, or a part of one: `'a':(2)4` is of size 4 with 2 that are slower.
fn part(at: &mut Cursor<'_>) -> Result<Axis> {
    let mut name = axis_name(at)?;
    // The part may stand within the quotes.
    let mut part = None;
    if let Some((axis, rest)) = name.clone().split_once(":(") {
        let wrong = || at.wrong("must be a part of an axis, as in \"'a':(2)4\"");
        let (before, size) = rest.split_once(')').ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        part = Some((number(before)?, number(size)?));
        name = axis.to_owned();
    } else if at.eat(b":(") {
        let before = at.count()?;
        at.expect(")")?;
        part = Some((before, at.count()?));
    }
    Ok(Axis { name, part })
}
