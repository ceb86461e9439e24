//! Types of elements by the names that HLO and MLIR have for them, and how many bits each takes.

/// A type of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dtype {
    /// HLO's name.
    pub(crate) name: &'static str,
    /// Bits of one element.
    pub(crate) bits: u64,
}

/// HLO's name, MLIR's names, bits (OpenXLA, `xla_data.proto` and StableHLO's specification, "Types").
const KNOWN: [(&str, &[&str], u64); 32] = [
    ("pred", &["i1"], 8),
    ("s1", &[], 1),
    ("s2", &["i2", "si2"], 2),
    ("s4", &["i4", "si4"], 4),
    ("s8", &["i8", "si8"], 8),
    ("s16", &["i16", "si16"], 16),
    ("s32", &["i32", "si32"], 32),
    ("s64", &["i64", "si64"], 64),
    ("u1", &[], 1),
    ("u2", &["ui2"], 2),
    ("u4", &["ui4"], 4),
    ("u8", &["ui8"], 8),
    ("u16", &["ui16"], 16),
    ("u32", &["ui32"], 32),
    ("u64", &["ui64"], 64),
    ("f4e2m1fn", &["f4E2M1FN"], 4),
    ("f6e2m3fn", &["f6E2M3FN"], 6),
    ("f6e3m2fn", &["f6E3M2FN"], 6),
    ("f8e3m4", &["f8E3M4"], 8),
    ("f8e4m3", &["f8E4M3"], 8),
    ("f8e4m3b11fnuz", &["f8E4M3B11FNUZ"], 8),
    ("f8e4m3fn", &["f8E4M3FN"], 8),
    ("f8e4m3fnuz", &["f8E4M3FNUZ"], 8),
    ("f8e5m2", &["f8E5M2"], 8),
    ("f8e5m2fnuz", &["f8E5M2FNUZ"], 8),
    ("f8e8m0fnu", &["f8E8M0FNU"], 8),
    ("bf16", &["bf16"], 16),
    ("f16", &["f16"], 16),
    ("f32", &["f32"], 32),
    ("f64", &["f64"], 64),
    ("c64", &["complex<f32>"], 64),
    ("c128", &["complex<f64>"], 128),
];

/// The type of a name as HLO or MLIR spells it.
pub(crate) fn dtype(name: &[u8]) -> Option<Dtype> {
    KNOWN
        .iter()
        .find(|(hlo, mlir, _)| {
            hlo.as_bytes() == name || mlir.iter().any(|one| one.as_bytes() == name)
        })
        .map(|(name, _, bits)| Dtype { name, bits: *bits })
}
