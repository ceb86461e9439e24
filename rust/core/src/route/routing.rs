//! The policies by which messages choose their links.

use super::order::{AxisOrder, DimensionOrder, TieRule};
use super::walk::spans_below;
use crate::error::{Error, Result};
use crate::machine::{Domain, Machine};

/// How messages choose their links inside a domain. Between domains every policy takes the NICs and the
/// fabric, whose bundles spray packets evenly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Routing {
    /// One axis after the other.
    DimensionOrder(DimensionOrder),
    /// Spread equally over all minimal paths; both ways round an even ring at half its size count.
    MinimalAdaptive,
    /// By way of a chip chosen uniformly from the domain, dimension order with split ties on both legs.
    /// Shares are the expectation.
    Valiant,
    /// As few non-minimal hops as damage asks for, then dimension order with split ties.
    WildFirst,
    /// Over the fewest live links; of several ways the one that first takes the lowest axis, `+` before `-`.
    Shortest,
    /// Up a breadth-first tree from the lowest chip, then down, over cables that live both ways (Autonet); of equally
    /// short ways those that spread the messages of all pairs.
    UpDown,
    /// Over the fewest live links; of several ways those that spread the messages of all pairs.
    Balanced,
}

impl Default for Routing {
    fn default() -> Self {
        Self::DimensionOrder(DimensionOrder::default())
    }
}

impl Routing {
    /// True if moving both ends of a message around rings moves its links along and changes no share.
    pub fn is_translation_invariant(&self) -> bool {
        match self {
            Self::DimensionOrder(order) => matches!(
                order.tie,
                TieRule::Split | TieRule::Positive | TieRule::Negative
            ),
            Self::UpDown | Self::Balanced => false,
            Self::MinimalAdaptive | Self::Valiant | Self::WildFirst | Self::Shortest => true,
        }
    }

    /// The dimension order that is the same on a whole domain: none of minimal-adaptive, Valiant, up*/down* and balanced
    /// routing, nor of shortest ways where a switch spans several axes and may be a short cut.
    pub(crate) fn order_on_whole(&self, domain: &Domain) -> Result<Option<AxisOrder>> {
        let axes = domain.axes();
        let tie = match self {
            Self::DimensionOrder(order) => return order.resolve(axes.len()).map(Some),
            Self::WildFirst => TieRule::Split,
            Self::Shortest if !axes.iter().any(spans_below) => TieRule::Positive,
            Self::Shortest | Self::MinimalAdaptive | Self::Valiant => return Ok(None),
            Self::UpDown | Self::Balanced => return Ok(None),
        };
        let order = DimensionOrder { tie, order: None };
        order.resolve(axes.len()).map(Some)
    }

    /// True for policies that send parts of a message over many paths, and do not go round damage.
    pub(crate) fn is_spread(&self) -> bool {
        matches!(self, Self::MinimalAdaptive | Self::Valiant)
    }

    /// True for policies whose routes hang on those of all pairs: a dead link may move any of them.
    pub(crate) fn is_counted(&self) -> bool {
        matches!(self, Self::UpDown | Self::Balanced)
    }

    /// Checks that the policy fits the machine.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an axis order that is no permutation of the machine's axes;
    /// [`Error::Unsupported`] for adaptive or Valiant routing in domains with switches or full meshes.
    pub fn check(&self, machine: &Machine) -> Result<()> {
        self.axis_order(machine).map(|_| ())
    }

    pub(crate) fn axis_order(&self, machine: &Machine) -> Result<AxisOrder> {
        let axes = machine.domain().axes();
        let name = match self {
            Self::DimensionOrder(order) => return order.resolve(axes.len()),
            Self::MinimalAdaptive => "minimal adaptive",
            Self::Valiant => "Valiant",
            Self::WildFirst | Self::Shortest | Self::UpDown | Self::Balanced => {
                return DimensionOrder::default().resolve(axes.len());
            }
        };
        match axes.iter().find(|axis| axis.size > 1 && !axis.is_cabled()) {
            None => DimensionOrder::default().resolve(axes.len()),
            Some(axis) => Err(Error::unsupported(
                format!(
                    "{name} routing over axis {}, which is not a ring or line",
                    axis.name
                ),
                "use dimension order (\"dor\"): a switch or full mesh has one minimal path",
            )),
        }
    }
}
