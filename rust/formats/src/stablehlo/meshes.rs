//! Meshes of a module, and groups that run over axes of one.

use super::syntax::symbol;
use crate::cursor::{Cursor, words};
use crate::error::Result;
use crate::program::{Axis, Devices, Ids, Mesh, over_axes};
use memchr::memmem;

/// Meshes by name.
#[derive(Default)]
pub(super) struct Meshes<'a>(Vec<(&'a [u8], Mesh)>);

impl<'a> Meshes<'a> {
    /// `@mesh = <["x"=2, "y"=4], device_ids=[...]>`, after `sdy.mesh`.
    pub(super) fn add(&mut self, mut at: Cursor<'a>) -> Result<()> {
        at.blanks();
        let name = symbol(&mut at)?;
        at.blanks();
        at.expect("=")?;
        at.blanks();
        at.expect("<")?;
        let mut axes = Vec::new();
        if at.eat(b"[") {
            at.blanks();
            while !at.eat(b"]") {
                if at.peek() != b'"' {
                    return Err(at.wrong("must be an axis, as in '\"x\"=4'"));
                }
                let axis = words(at.quoted()?);
                at.expect("=")?;
                axes.push((axis, at.count()?));
                at.blanks();
                at.eat(b",");
                at.blanks();
            }
        }
        let lengths: Vec<u64> = axes.iter().map(|(_, size)| *size).collect();
        let mut devices = Devices::Rule(lengths.clone(), (0..lengths.len() as u64).collect());
        at.blanks();
        at.eat(b",");
        at.blanks();
        if at.eat(b"device_ids=[") {
            let ids = at.counts(b']')?;
            devices = Devices::List(ids.into_iter().map(|id| id as i64).collect());
        }
        self.0.push((name, Mesh { axes, devices }));
        Ok(())
    }

    /// The mesh of a name.
    pub(super) fn get(&self, name: &[u8], at: Cursor<'_>) -> Result<&Mesh> {
        let found = self.0.iter().find(|(one, _)| *one == name);
        found.map(|(_, mesh)| mesh).ok_or_else(|| {
            at.wrong(format!(
                "must name a mesh of the text, not @{}",
                words(name)
            ))
        })
    }

    /// Axes longer than 1 of all meshes that are not among `named`.
    pub(super) fn others(&self, named: &[String]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (axis, size) in self.0.iter().flat_map(|(_, mesh)| &mesh.axes) {
            if *size > 1 && !named.contains(axis) && !found.contains(axis) {
                found.push(axis.clone());
            }
        }
        found
    }

    /// `#stablehlo.replica_group_mesh_axes<mesh = @mesh, axes = [...]>`.
    pub(super) fn groups(&self, at: Cursor<'_>) -> Result<Ids> {
        let text = at.rest();
        let Some(list) = memmem::rfind(text, b"axes = [") else {
            return Err(at.wrong("must name the axes of the groups: axes = [...]"));
        };
        let group = axes(&text[list..]);
        let inline;
        let mesh = match memchr::memchr(b'@', &text[..list]) {
            Some(name) => {
                let mut name = Cursor::new(at.text, at.at + name, at.end);
                self.get(symbol(&mut name)?, at)?
            }
            None => {
                inline = written_out(&text[..list], at)?;
                &inline
            }
        };
        over_axes(mesh, &group, at)
    }
}

/// A mesh in place: `#stablehlo.mesh<axes = [#stablehlo.mesh_axis<name = "x", size = 2>]>`.
fn written_out(text: &[u8], at: Cursor<'_>) -> Result<Mesh> {
    if memmem::find(text, b"device_ids").is_some() {
        return Err(at.wrong("must be a mesh without an order of devices, or a named one"));
    }
    let mut axes = Vec::new();
    for (name, rest) in quoted(text) {
        let size = memmem::find(rest, b"size = ").map(|found| &rest[found + 7..]);
        let mut number = Cursor::new(size.unwrap_or(b""), 0, size.map_or(0, <[u8]>::len));
        axes.push((
            name,
            number
                .count()
                .map_err(|_| at.wrong("must have the size of each axis"))?,
        ));
    }
    let lengths: Vec<u64> = axes.iter().map(|(_, size)| *size).collect();
    let order = (0..lengths.len() as u64).collect();
    Ok(Mesh {
        axes,
        devices: Devices::Rule(lengths, order),
    })
}

/// Texts in quotes, and what follows each up to the next.
fn quoted(text: &[u8]) -> Vec<(String, &[u8])> {
    let mut parts = text.split(|byte| *byte == b'"');
    parts.next();
    let mut found = Vec::new();
    while let Some(name) = parts.next() {
        found.push((words(name), parts.next().unwrap_or(b"")));
    }
    found
}

/// Axes in quotes, each perhaps with its part: `"y":(1)2`, `name = "y", sub_axis_info = (1)2`.
pub(super) fn axes(text: &[u8]) -> Vec<Axis> {
    let part = |rest: &[u8]| {
        let open = memchr::memchr(b'(', rest)?;
        let mut at = Cursor::new(rest, open + 1, rest.len());
        let before = at.count().ok()?;
        at.expect(")").ok()?;
        Some((before, at.count().ok()?))
    };
    let made = |(name, rest): (String, &[u8])| Axis {
        name,
        part: part(rest),
    };
    quoted(text).into_iter().map(made).collect()
}
