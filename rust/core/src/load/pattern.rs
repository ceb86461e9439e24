//! The textbook traffic patterns: one destination for each chip.

use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::random::SplitMix64;

/// Who sends to whom. An address is the coordinates of a chip along the axes of its domain, and the number of
/// its domain as one more when there are several; each address axis counts in a circle, lines too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// The coordinates inside the domain reversed, as numpy's `.T`; the domain stays. Shapes must read the
    /// same backwards.
    Transpose,
    /// ceil(size / 2) - 1 further along each address axis.
    Tornado,
    /// Chip N - 1 - i.
    BitComplement,
    /// So much further along each address axis.
    Neighbor {
        /// Steps along the axes of the domain, and optionally from domain to domain. `None`: 1 along each axis,
        /// same domain.
        shift: Option<Vec<i64>>,
    },
    /// A random permutation: Fisher and Yates's shuffle by [`SplitMix64`].
    Permutation {
        /// Seed of the generator.
        seed: u64,
    },
    /// The bits of the chip number reversed.
    BitReversal,
    /// The bits of the chip number turned left by one.
    Shuffle,
    /// The upper and the lower half of the bits of the chip number exchanged.
    BitTranspose,
}

/// The destination of each chip.
///
/// # Errors
/// [`Error::Unsupported`] if the pattern has no meaning on the machine: a transpose of a shape that changes, bit
/// patterns where the number of chips is no power of two; [`Error::Invalid`] for a shift of the wrong length.
pub fn destinations(machine: &Machine, pattern: &Pattern) -> Result<Vec<u32>> {
    super::check_dense(machine, 2)?;
    let chips = machine.num_chips();
    match pattern {
        Pattern::Transpose => transpose(machine),
        Pattern::Tornado => {
            let sizes = address_sizes(machine);
            let shift = sizes.iter().map(|&size| u64::from(size.div_ceil(2)) - 1);
            Ok(shifted(machine, &shift.collect::<Vec<_>>()))
        }
        Pattern::BitComplement => Ok((0..chips).rev().collect()),
        Pattern::Neighbor { shift } => neighbor(machine, shift.as_deref()),
        Pattern::Permutation { seed } => {
            let mut random = SplitMix64::new(*seed);
            let mut out: Vec<u32> = (0..chips).collect();
            for last in (1..chips).rev() {
                out.swap(last as usize, random.below(last + 1) as usize);
            }
            Ok(out)
        }
        Pattern::BitReversal => {
            let bits = address_bits(machine, "bit_reversal")?;
            let reverse = |chip: u32| (u64::from(chip.reverse_bits()) >> (32 - bits)) as u32;
            Ok((0..chips).map(reverse).collect())
        }
        Pattern::Shuffle => {
            let bits = address_bits(machine, "shuffle")?;
            let turn = |chip: u32| {
                let doubled = u64::from(chip) << 1;
                (doubled & (u64::from(chips) - 1) | doubled >> bits) as u32
            };
            Ok((0..chips).map(turn).collect())
        }
        Pattern::BitTranspose => {
            let bits = address_bits(machine, "bit_transpose")?;
            if bits % 2 == 1 {
                return Err(Error::unsupported(
                    format!("bit_transpose of {bits} address bits"),
                    "use a machine of 4, 16, 64, ... chips, or \"transpose\"",
                ));
            }
            let half = bits / 2;
            let low = (1u32 << half) - 1;
            Ok((0..chips)
                .map(|chip| (chip & low) << half | chip >> half)
                .collect())
        }
    }
}

/// Sizes of the address axes.
fn address_sizes(machine: &Machine) -> Vec<u32> {
    let axes = machine.domain().axes().iter().map(|axis| axis.size);
    let domains = Some(machine.num_domains()).filter(|&domains| domains > 1);
    axes.chain(domains).collect()
}

/// Each chip's address with `shift` (below the size of each axis) added in circles.
fn shifted(machine: &Machine, shift: &[u64]) -> Vec<u32> {
    let sizes = address_sizes(machine);
    let moved = |chip: u32| {
        let (mut rest, mut stride, mut out) = (chip, 1u64, 0);
        for (&size, &shift) in sizes.iter().zip(shift) {
            let at = (u64::from(rest % size) + shift) % u64::from(size);
            out += at * stride;
            stride *= u64::from(size);
            rest /= size;
        }
        out as u32
    };
    (0..machine.num_chips()).map(moved).collect()
}

fn neighbor(machine: &Machine, shift: Option<&[i64]>) -> Result<Vec<u32>> {
    let (sizes, axes) = (address_sizes(machine), machine.domain().axes().len());
    let shift = shift.map_or_else(|| vec![1; axes], <[i64]>::to_vec);
    if shift.len() != axes && shift.len() != sizes.len() {
        return Err(Error::invalid(
            "shift",
            format!("{} values", shift.len()),
            format!(
                "must have one for each of the {axes} axes, and may have one for the UltraServer"
            ),
        ));
    }
    let padded = shift.into_iter().chain([0]).zip(&sizes);
    let inside = padded.map(|(shift, &size)| shift.rem_euclid(i64::from(size)) as u64);
    Ok(shifted(machine, &inside.collect::<Vec<_>>()))
}

fn transpose(machine: &Machine) -> Result<Vec<u32>> {
    let domain = machine.domain();
    let sizes: Vec<u32> = domain.axes().iter().map(|axis| axis.size).collect();
    if sizes.iter().ne(sizes.iter().rev()) {
        return Err(Error::unsupported(
            format!("transpose of shape {sizes:?}"),
            "use a shape that reads the same backwards, or \"bit_transpose\"",
        ));
    }
    let moved = |chip: u32| {
        let (number, local) = machine.split(chip);
        let coordinates = (0..sizes.len()).map(|axis| domain.coordinate(local, axis));
        // Axis 0 is fastest; read first, it becomes slowest.
        let turned = coordinates
            .zip(&sizes)
            .fold(0, |out, (at, &size)| out * size + at);
        number * domain.chips() + turned
    };
    Ok((0..machine.num_chips()).map(moved).collect())
}

fn address_bits(machine: &Machine, name: &str) -> Result<u32> {
    let chips = machine.num_chips();
    if chips.is_power_of_two() {
        Ok(chips.trailing_zeros())
    } else {
        Err(Error::unsupported(
            format!("{name} over {chips} chips"),
            "use a machine whose number of chips is a power of two, or \"permutation\"",
        ))
    }
}
