//! StableHLO and MHLO: programs as MLIR text, before the compiler's work (`lowered.as_text()`), an operation a line.

mod collective;
mod counting;
mod dense;
mod line;
mod loops;
mod meshes;
mod op;
mod parts;
mod scan;
mod sharded;
mod syntax;
mod table;
mod types;

use crate::cursor::words;
use crate::error::{Error, Result};
use crate::program::{Calls, Item, Program, Times, put_runs};
use scan::Scan;

/// The collectives of a StableHLO text in the order in which they first run. `stop` is asked now and then.
///
/// # Errors
/// [`Error::At`] where the text is not one whole module; [`Error::Stopped`].
pub fn read(text: &[u8], stop: &dyn Fn() -> bool) -> Result<Program> {
    let mut scan = Scan::new(text, stop);
    scan.run()?;
    if let Some(at) = scan.parts.missing() {
        let allowed = "must call functions of the text; the text may be cut short";
        return Err(Error::in_text(text, at, allowed));
    }
    if !scan.parts.has_functions() {
        let allowed = "must have a function, as in 'func.func @main()'";
        return Err(Error::in_text(text, text.len(), allowed));
    }
    let mut notes = notes(&scan);
    let entry = match scan.parts.function(b"main") {
        Some(main) => main,
        None => {
            notes.push(
                "there is no @main: each function that nothing calls counts as run once".to_owned(),
            );
            let calls = scan.parts.roots().into_iter().map(|to| Item::Call {
                to,
                times: Times::Once,
                at: 0,
            });
            let calls: Vec<Item> = calls.collect();
            let root = scan.parts.add();
            scan.parts.items[root] = calls;
            root
        }
    };
    let calls = Calls {
        text,
        parts: &scan.parts.items,
    };
    let followed = calls.follow(entry)?;
    let mut collectives = Vec::with_capacity(scan.rows.len());
    for (number, part) in followed.order {
        let mut made = std::mem::take(&mut scan.rows[number]);
        put_runs(&mut made, followed.runs[part].as_ref(), "its function");
        collectives.push(made);
    }
    for mut made in scan.rows {
        if !made.op.is_empty() {
            put_runs(&mut made, None, "its function");
            collectives.push(made);
        }
    }
    Ok(Program {
        name: words(scan.name),
        replicas: scan.world.replicas,
        partitions: scan.world.partitions,
        collectives,
        groups: scan.table.groups,
        notes,
    })
}

/// What holds for all of a program.
fn notes(scan: &Scan<'_, '_>) -> Vec<String> {
    let mut notes = vec![
        "ranks are positions in the program (replica times partitions plus partition), not numbers of chips".to_owned(),
        "this is the program before the compiler, which may merge, split, move or replace its collectives: the compiled HLO has those that run".to_owned(),
    ];
    if scan.sharded && scan.rows.is_empty() {
        notes.push("the text has shardings but no collectives: only the compiler decides which these become; read the HLO text that it makes (lowered.compile().as_text())".to_owned());
    } else if scan.sharded {
        notes.push(
            "arrays have shardings: the compiler may add collectives for those to the ones here"
                .to_owned(),
        );
    }
    notes
}
