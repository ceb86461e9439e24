//! A layout that fits what is served.

use super::service::Service;
use crate::error::{Error, Result};
use crate::workload::{Axes, Layout};

/// A layout that fits, with the chips that act together.
#[derive(Debug, Clone)]
pub struct Cut<'a> {
    /// What is served.
    pub service: &'a Service,
    /// How it is cut.
    pub layout: &'a Layout,
    /// Which chips act together.
    pub axes: Axes,
}

impl<'a> Cut<'a> {
    /// Checks a layout on so many ranks.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names what does not fit and what does; [`Error::Unsupported`] for what has no model.
    pub fn new(service: &'a Service, layout: &'a Layout, ranks: u64) -> Result<Self> {
        service.check()?;
        let named = [
            ("tp", layout.tp),
            ("pp", layout.pp),
            ("dp", layout.dp),
            ("ep", layout.ep),
            ("etp", layout.etp),
        ];
        for (name, value) in named {
            if value == 0 {
                return Err(Error::invalid(name, value, "must be at least 1"));
            }
        }
        if layout.cp > 1 {
            return Err(Error::unsupported(
                "ranks that share a sequence (cp > 1) in serving",
                "use cp=1",
            ));
        }
        if layout.ranks() != ranks {
            let allowed = format!("must be such that tp x pp x dp is the {ranks} ranks");
            return Err(Error::invalid("dp", layout.dp, allowed));
        }
        shapes(service, layout)?;
        let axes = Axes::of(layout, service.model.experts.is_some())?;
        Ok(Self {
            service,
            layout,
            axes,
        })
    }

    /// Ranks that share the experts of a layer.
    pub(super) fn expert_ranks(&self) -> f64 {
        f64::from(self.layout.ep) * f64::from(self.layout.etp)
    }

    /// Whether the ranks that share experts are those that share all else.
    pub(super) fn experts_within(&self) -> bool {
        self.layout.ep * self.layout.etp == self.layout.tp
    }
}

fn shapes(service: &Service, layout: &Layout) -> Result<()> {
    let model = &service.model;
    if model.heads < layout.tp {
        let allowed = format!("must be at most the {} heads", model.heads);
        return Err(Error::invalid("tp", layout.tp, allowed));
    }
    if layout.pp as usize > model.layers.len() {
        let allowed = format!("must be at most the {} layers", model.layers.len());
        return Err(Error::invalid("pp", layout.pp, allowed));
    }
    let count = match &model.experts {
        Some(experts) => experts.count,
        None if layout.ep > 1 => {
            return Err(Error::invalid(
                "ep",
                layout.ep,
                "must be 1: the model has no experts",
            ));
        }
        None => return Ok(()),
    };
    if layout.ep > count {
        let allowed = format!("must be at most the {count} experts");
        return Err(Error::invalid("ep", layout.ep, allowed));
    }
    let (own, all) = (layout.ep * layout.etp, layout.tp * layout.dp);
    if all % own != 0 {
        let allowed = format!("must be such that ep x etp divides tp x dp, {all}");
        return Err(Error::invalid("ep", layout.ep, allowed));
    }
    Ok(())
}
