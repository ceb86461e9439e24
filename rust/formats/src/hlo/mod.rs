//! HLO text, as XLA's compilers print it before or after their work (`as_text()`, `--xla_dump_to`).

mod collective;
mod computations;
mod counts;
mod instruction;
mod names;
mod opcodes;
mod operands;
mod replica_groups;
mod shape;

use crate::cursor::words;
use crate::error::{Error, Result};
use crate::program::Program;
use computations::Scan;

/// The collectives of an HLO text in the order in which they first run. `stop` is asked now and then.
///
/// # Errors
/// [`Error::At`] where the text is not one whole module; [`Error::Stopped`].
pub fn read(text: &[u8], stop: &dyn Fn() -> bool) -> Result<Program> {
    let module = Scan::new(text, stop).run()?;
    let Some(entry) = module.entry else {
        let allowed = "must have an ENTRY computation before it ends; the text may be cut short";
        return Err(Error::in_text(text, text.len(), allowed));
    };
    let mut program = counts::collectives(text, &module, entry, stop)?;
    program.name = words(module.name);
    program.replicas = module.world.replicas;
    program.partitions = module.world.partitions;
    if !module.unknown.is_empty() {
        let names: Vec<String> = module.unknown.iter().map(|name| words(name)).collect();
        program.notes.push(format!(
            "operations that this reader does not know, without groups: {}",
            names.join(", ")
        ));
    }
    Ok(program)
}
