//! Operations of HLO: which move data between devices, which call computations, which are neither.

/// What an operation is to this reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    /// Works on its own device.
    Local,
    /// Moves data: our name for it, and whether it only starts here.
    Collective(&'static str, bool),
    /// The end of what was started, or a look at it.
    Waits,
    Fusion,
    While,
    Conditional,
    Call,
    AsyncStart,
    CustomCall,
    /// None that this reader has heard of.
    Unknown,
}

/// The operation by its name.
pub(super) fn opcode(name: &[u8]) -> Opcode {
    match name {
        b"fusion" => Opcode::Fusion,
        b"while" => Opcode::While,
        b"conditional" => Opcode::Conditional,
        b"call" => Opcode::Call,
        b"custom-call" => Opcode::CustomCall,
        b"async-start" => Opcode::AsyncStart,
        b"async-update" | b"async-done" | b"copy-done" => Opcode::Waits,
        name if is_local(name) => Opcode::Local,
        name => {
            let ends = |end: &[u8]| name.strip_suffix(end);
            if let Some(base) = ends(b"-start") {
                return match base {
                    b"custom-call" => Opcode::CustomCall,
                    base if is_local(base) => Opcode::Local,
                    base => moved(base).map_or(Opcode::Unknown, |op| Opcode::Collective(op, true)),
                };
            }
            if let Some(base) = ends(b"-done").or_else(|| ends(b"-update")) {
                let known = moved(base).is_some() || is_local(base) || base == b"custom-call";
                return if known {
                    Opcode::Waits
                } else {
                    Opcode::Unknown
                };
            }
            moved(name).map_or(Opcode::Unknown, |op| Opcode::Collective(op, false))
        }
    }
}

/// Our name of an operation that moves data between devices.
fn moved(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"all-reduce" => "all_reduce",
        b"all-gather" => "all_gather",
        b"reduce-scatter" => "reduce_scatter",
        b"all-to-all" => "all_to_all",
        b"collective-permute" => "collective_permute",
        b"collective-broadcast" => "broadcast",
        b"ragged-all-to-all" => "ragged_all_to_all",
        b"send" => "send",
        b"recv" => "recv",
        _ => return None,
    })
}

/// Whether it is an operation of one device (OpenXLA, `hlo/ir/hlo_opcode.h`): told by length, then letter by letter.
fn is_local(name: &[u8]) -> bool {
    matches!(
        name,
        b"abs"
            | b"acos"
            | b"acosh"
            | b"add"
            | b"add-dependency"
            | b"after-all"
            | b"and"
            | b"asin"
            | b"asinh"
            | b"atan2"
            | b"atanh"
            | b"batch-norm-grad"
            | b"batch-norm-inference"
            | b"batch-norm-training"
            | b"bitcast"
            | b"bitcast-convert"
            | b"broadcast"
            | b"cbrt"
            | b"ceil"
            | b"cholesky"
            | b"clamp"
            | b"compare"
            | b"complex"
            | b"composite-call"
            | b"concatenate"
            | b"constant"
            | b"convert"
            | b"convolution"
            | b"copy"
            | b"copy-start"
            | b"cosh"
            | b"cosine"
            | b"count-leading-zeros"
            | b"divide"
            | b"domain"
            | b"dot"
            | b"dynamic-reshape"
            | b"dynamic-slice"
            | b"dynamic-update-slice"
            | b"erf"
            | b"exponential"
            | b"exponential-minus-one"
            | b"fft"
            | b"floor"
            | b"gather"
            | b"get-dimension-size"
            | b"get-tuple-element"
            | b"imag"
            | b"infeed"
            | b"iota"
            | b"is-finite"
            | b"log"
            | b"log-plus-one"
            | b"logistic"
            | b"map"
            | b"maximum"
            | b"minimum"
            | b"multiply"
            | b"negate"
            | b"not"
            | b"opt-barrier"
            | b"or"
            | b"outfeed"
            | b"pad"
            | b"parameter"
            | b"partition-id"
            | b"popcnt"
            | b"power"
            | b"ragged-dot"
            | b"real"
            | b"reduce"
            | b"reduce-precision"
            | b"reduce-window"
            | b"remainder"
            | b"replica-id"
            | b"reshape"
            | b"reverse"
            | b"rng"
            | b"rng-bit-generator"
            | b"rng-get-and-update-state"
            | b"round-nearest-afz"
            | b"round-nearest-even"
            | b"rsqrt"
            | b"scaled-dot"
            | b"scan"
            | b"scatter"
            | b"select"
            | b"select-and-scatter"
            | b"set-dimension-size"
            | b"shift-left"
            | b"shift-right-arithmetic"
            | b"shift-right-logical"
            | b"sign"
            | b"sine"
            | b"sinh"
            | b"slice"
            | b"sort"
            | b"sqrt"
            | b"stochastic-convert"
            | b"subtract"
            | b"tan"
            | b"tanh"
            | b"topk"
            | b"transpose"
            | b"triangular-solve"
            | b"tuple"
            | b"xor"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(
            opcode(b"all-gather-start"),
            Opcode::Collective("all_gather", true)
        );
        assert_eq!(opcode(b"send"), Opcode::Collective("send", false));
        assert_eq!(opcode(b"recv-done"), Opcode::Waits);
        assert_eq!(opcode(b"slice-start"), Opcode::Local);
        assert_eq!(opcode(b"all-reducf"), Opcode::Unknown);
    }
}
