//! The square planes of groups that are boxes, and the lines that cross them.

use crate::collective::program::layout::LocalBox;
use crate::collective::program::placement::Placement;
use crate::machine::Domain;

/// The square planes of groups that are boxes of three sides, and the lines that cross them.
pub(super) fn planes(domain: &Domain, local: &Placement) -> Option<(Placement, Placement)> {
    let (mut planes, mut lines) = (Vec::new(), Vec::new());
    for group in local.local_groups()? {
        let shape = LocalBox::of(domain, group)?;
        let [k0, k1, k2] = shape.sizes()[..] else {
            return None;
        };
        if k0 != k1 || k0 < 3 {
            return None;
        }
        let chip = |at: u32, z: u32| shape.chip(domain, &[at % k0, at / k0, z]);
        planes.extend((0..k2).map(|z| (0..k0 * k1).map(|at| chip(at, z)).collect()));
        lines.extend((0..k0 * k1).map(|at| (0..k2).map(|z| chip(at, z)).collect()));
    }
    Some((
        Placement::Local(planes.into()),
        Placement::Local(lines.into()),
    ))
}
