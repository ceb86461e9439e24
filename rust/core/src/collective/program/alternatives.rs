//! What an algorithm writes where the best stages depend on the size: alternatives, chosen when a size is known.
//!
//! Programs are written for one byte of data. All that they send is proportional to the size, so only the choice among
//! alternatives has to be made anew for another size.

use super::least::Least;
use super::schedule::Stage;
use crate::Result;
use crate::collective::pattern::context::Context;
use std::sync::Arc;

/// Stages, or how to choose them.
pub(crate) enum Program {
    /// The same for every size, one after another.
    Stages(Vec<Stage>),
    /// One after another.
    Sequence(Vec<Program>),
    /// The first that is faster by link loads than those before it, by more than this part.
    Fastest { cases: Vec<Program>, gain: f64 },
    /// One of many, made when a size asks for it.
    OneOf(OneOf),
    /// The fastest by link loads, the first of equal ones; each is made when it can be that.
    Cheapest(Cheapest),
}

/// Alternatives by number, of which some may not apply.
pub(crate) struct Cheapest {
    /// What each takes at least by link loads.
    pub(crate) leasts: Vec<Least>,
    pub(crate) make: MakeProgram,
}

/// Writes the program of an alternative by its number.
pub(crate) type MakeProgram = Arc<dyn Fn(&Context, usize) -> Result<Program> + Send + Sync>;

/// Writes an alternative by its number.
pub(crate) type Make = Arc<dyn Fn(&Context, usize) -> Result<Vec<Stage>> + Send + Sync>;

/// One of many alternatives, by number.
pub(crate) struct OneOf {
    /// Which, by size in bytes.
    pub(crate) which: Arc<dyn Fn(f64) -> usize + Send + Sync>,
    pub(crate) make: Make,
}
