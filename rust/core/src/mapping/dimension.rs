//! The dimensions of a machine that the axes of a mesh are laid over.

use crate::machine::{AxisKind, Machine};

/// One dimension: an axis of the domain, or a way to count domains.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// "x", or what is counted: "ultraservers", "groups of 16", "sites".
    pub name: String,
    /// Members.
    pub size: u32,
    /// Chips of a domain, or domains, between two neighbours.
    pub step: u32,
    /// True for an axis of the domain.
    pub inside: bool,
    /// False where every two members are as good as every other two, such as ports of a switch.
    pub ordered: bool,
    /// True for a ring, of which parts may be run through backwards.
    pub ring: bool,
}

/// The dimensions of a machine, the fastest first; those of one member are left out.
///
/// Fabric groups cut the domains of a site into dimensions, where they divide each other; sites of unlike sizes are
/// cut into blocks that divide all of them.
pub fn dimensions(machine: &Machine) -> Vec<Dimension> {
    let mut found = inside(machine);
    found.extend(outside(machine));
    found.retain(|dimension| dimension.size > 1);
    found
}

fn inside(machine: &Machine) -> Vec<Dimension> {
    let axes = machine.domain().axes();
    let mut step = 1;
    let mut found = Vec::with_capacity(axes.len() + 4);
    for axis in axes {
        // Tiers of a switch, and one that spans other axes, tell its members apart.
        let ordered = match &axis.kind {
            AxisKind::Ring | AxisKind::Line => true,
            AxisKind::FullMesh => false,
            AxisKind::Switch { spans_below, tiers } => *spans_below || !tiers.is_empty(),
        };
        found.push(Dimension {
            name: axis.name.clone(),
            size: axis.size,
            step,
            inside: true,
            ordered,
            ring: matches!(axis.kind, AxisKind::Ring),
        });
        step *= axis.size;
    }
    found
}

fn outside(machine: &Machine) -> Vec<Dimension> {
    let plain = |name: String, size: u32, step: u32, ordered: bool| Dimension {
        name,
        size,
        step,
        inside: false,
        ordered,
        ring: false,
    };
    let sites = machine.sites();
    let block = sites.iter().fold(0, |block, site| gcd(block, site.domains));
    let groups = sites
        .iter()
        .flat_map(|site| &site.tiers)
        .map(|tier| tier.group);
    let mut cuts: Vec<u32> = groups
        .filter(|&group| group < block)
        .chain([1, block])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut found = Vec::new();
    if cuts.windows(2).all(|pair| pair[1] % pair[0] == 0) {
        found.extend(cuts.windows(2).map(|pair| {
            let name = match pair[0] {
                1 => "ultraservers".to_owned(),
                below => format!("groups of {below}"),
            };
            plain(name, pair[1] / pair[0], pair[0], false)
        }));
    } else {
        found.push(plain("ultraservers".to_owned(), block, 1, true));
    }
    let blocks = machine.num_domains() / block;
    let name = if blocks as usize == sites.len() {
        "sites".to_owned()
    } else {
        format!("blocks of {} ultraservers", grouped(block))
    };
    found.push(plain(name, blocks, block, true));
    found
}

/// A number with commas between thousands.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The greatest common divisor; that of 0 and a number is the number.
pub(super) fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
