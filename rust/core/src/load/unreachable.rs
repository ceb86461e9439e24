//! Which of many messages damage cuts off.

use super::columns::IndexColumn;
use super::walked::Walked;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::route::{Routes, Routing};
use crate::{Control, threads};

/// Flows that one worker takes at a time.
const BLOCK: usize = 1 << 12;

/// For each message, true if no route joins its ends; `n_threads` 0 means one per core. [`Control::advance`] is told of
/// messages.
///
/// # Errors
/// [`Error::OutOfRange`] for chips outside the machine, [`Error::Invalid`] for columns of different lengths, those of
/// [`Routing::check`], [`Error::Unsupported`] for spread routing where damage is in the way, and [`Error::Cancelled`].
pub fn unreachable(
    machine: &Machine,
    src: IndexColumn,
    dst: IndexColumn,
    routing: &Routing,
    n_threads: usize,
    control: &Control,
) -> Result<Vec<bool>> {
    if src.len() != dst.len() {
        return Err(Error::invalid(
            "dst",
            format!("{} values", dst.len()),
            format!("must have as many as src ({})", src.len()),
        ));
    }
    routing.check(machine)?;
    for (name, column) in [("src", src), ("dst", dst)] {
        let bad =
            |&flow: &usize| !(0..i128::from(machine.num_chips())).contains(&column.value(flow));
        if let Some(flow) = (0..column.len()).find(bad) {
            machine.check_chip(format_args!("{name}[{flow}]"), column.value(flow))?;
        }
    }
    let threads = threads::resolve(n_threads)?;
    let walked = Walked::of(machine, routing, control)?;
    let routes = || walked.as_ref().map(|walked| (walked, walked.routes()));
    let work = |state: &mut State, block: usize| {
        control.check()?;
        let start = block * BLOCK;
        let end = (start + BLOCK).min(src.len());
        let mut cut = Vec::new();
        for flow in start..end {
            // Checked above.
            let (from, to) = (src.value(flow) as u32, dst.value(flow) as u32);
            if let Some((walked, routes)) = &state.routes {
                if walked.has(from, to) {
                    let routes = routes.as_ref().map_err(Clone::clone)?;
                    match routes.walk(from, to, control, &mut |_, _| {}) {
                        Err(Error::Unreachable { .. }) => cut.push(flow),
                        other => other?,
                    }
                }
            }
        }
        state.cut.extend(cut);
        control.advance((end - start) as u64);
        Ok(())
    };
    let init = || State {
        routes: routes(),
        cut: Vec::new(),
    };
    let done = threads::over_blocks(threads, src.len().div_ceil(BLOCK), init, work)?;
    let mut out = vec![false; src.len()];
    for flow in done.into_iter().flat_map(|state| state.cut) {
        out[flow] = true;
    }
    Ok(out)
}

struct State<'a> {
    routes: Option<(&'a Walked<'a>, Result<Routes<'a>>)>,
    cut: Vec<usize>,
}
