//! Texts with damage: read or refused, never a panic, and soon. `MUTATIONS=10000` runs as many of each text as it says.

use rainier_formats::{hlo, program::Program, stablehlo};
use std::time::{Duration, Instant};

type Read = fn(&[u8], &dyn Fn() -> bool) -> rainier_formats::Result<Program>;

const TEXTS: [(&str, Read); 8] = [
    (
        include_str!("../../../tests/data/programs/cpu_nested.hlo.txt"),
        hlo::read,
    ),
    (
        include_str!("../../../tests/data/programs/cpu_switch.hlo.txt"),
        hlo::read,
    ),
    (
        include_str!("../../../tests/data/programs/tpu_ps_big.hlo.txt"),
        hlo::read,
    ),
    (SPELLINGS, hlo::read),
    (
        include_str!("../../../tests/data/programs/cpu_nested.stablehlo.mlir"),
        stablehlo::read,
    ),
    (
        include_str!("../../../tests/data/programs/cpu_switch.stablehlo.mlir"),
        stablehlo::read,
    ),
    (
        include_str!("../../../tests/data/programs/tpu_ring.stablehlo.mlir"),
        stablehlo::read,
    ),
    (
        include_str!("../../../tests/data/programs/tpu_ragged.stablehlo.mlir"),
        stablehlo::read,
    ),
];

/// Groups in each spelling, starts and ends, transfers.
const SPELLINGS: &str = r#"HloModule own, replica_count=2, num_partitions=4
%wrapped (x: f32[4]) -> f32[4] {
  %x = f32[4]{0} parameter(0)
  ROOT %i = f32[4]{0} all-to-all(%x), channel_id=1, replica_groups={{0,1},{2,3}}
}, execution_thread="moving"
ENTRY %main (p: f32[4]) -> f32[4] {
  %p = f32[4]{0} parameter(0)
  %a = f32[4]{0} all-reduce(%p), channel_id=1, replica_groups=[4,2]<=[2,4]T(1,0), use_global_device_ids=true, to_apply=%wrapped
  %b = f32[4]{0} all-reduce(%p), channel_id=1, replica_groups=mesh['a'=2,'b'=4], device_ids=([4,2]T(1,0)) {'b':(2)2,'a'}, use_global_device_ids=true, to_apply=%wrapped
  %c = (f32[4], (f32[16]{0:T(8)}, u32[])) all-gather-start(f32[4]{0} %p, /*index=1*/s4[2]{0:E(4)} %q), replica_groups={{0,1}}, dimensions={0}
  %s = (f32[4], u32[], token[]) send(%p, token[] %t), channel_id=2, is_host_transfer=true, frontend_attributes={_xla_megascale_target="{1,2}x{0:3}"}
  %d = ((f32[4]), f32[4], u32[]) async-start(%p), calls=%wrapped
  %w = f32[4]{0} while(%p), condition=%wrapped, body=%wrapped, backend_config={"known_trip_count":{"n":"7"}}
  ROOT %e = f32[<=4]{0} collective-permute(%p), source_target_pairs={{0,1},{1,0}}
}
"#;

/// Numbers that look random, the same in each run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

const JUNK: &[u8] = b"0123456789{}[]()<>\"'%@#=,:;-+*/\\ \n\t\0TExf\xff";

fn damage(text: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut made = text.to_vec();
    for _ in 0..=draw.below(3) {
        let at = draw.below(made.len());
        let end = (at + draw.below(40)).min(made.len());
        match draw.below(8) {
            0 => made.truncate(at),
            1 => drop(made.drain(at..end)),
            2 => {
                let part = made[at..end].to_vec();
                made.splice(at..at, part);
            }
            3 if at < made.len() => made[at] ^= 1 << draw.below(8),
            4 => made.insert(at, JUNK[draw.below(JUNK.len())]),
            5 => {
                // A number of its own, often too large.
                let digits = format!("{}", u64::MAX >> draw.below(64));
                made.splice(at..at, digits.into_bytes());
            }
            6 => {
                let open = JUNK[10 + draw.below(8)];
                made.splice(at..at, std::iter::repeat_n(open, 2000));
            }
            _ if at < made.len() => made[at] = JUNK[draw.below(JUNK.len())],
            _ => {}
        }
    }
    made
}

#[test]
fn damaged_texts_are_read_or_refused() {
    let most = std::env::var("MUTATIONS")
        .ok()
        .and_then(|text| text.parse().ok());
    let most = most.unwrap_or(400);
    let mut refused = 0u64;
    let mut slowest = Duration::ZERO;
    for (number, (text, read)) in TEXTS.iter().enumerate() {
        assert!(read(text.as_bytes(), &|| false).is_ok(), "text {number}");
        let mut draw = Draw(0x9e37_79b9_7f4a_7c15 + number as u64);
        for _ in 0..most {
            let made = damage(text.as_bytes(), &mut draw);
            let began = Instant::now();
            match read(&made, &|| false) {
                Ok(program) => assert!(program.collectives.len() < 100),
                Err(_) => refused += 1,
            }
            slowest = slowest.max(began.elapsed());
        }
    }
    let all = most * TEXTS.len() as u64;
    assert!(refused > all / 20, "{refused} of {all} refused");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[test]
fn a_reader_stops_when_asked() {
    let mut text = String::from("HloModule long\n\n%c (x: f32[]) -> f32[] {\n");
    for line in 0..40_000 {
        text.push_str(&format!("  %a{line} = f32[] add(%x, %x)\n"));
    }
    text.push_str("}\n\nENTRY %main (x: f32[]) -> f32[] {\n  ROOT %x = f32[] parameter(0)\n}\n");
    assert!(hlo::read(text.as_bytes(), &|| false).is_ok());
    let stopped = hlo::read(text.as_bytes(), &|| true);
    assert_eq!(stopped, Err(rainier_formats::Error::Stopped));
}

#[test]
fn hostile_texts_end_soon() {
    let megabyte = 1 << 20;
    let texts: Vec<(Vec<u8>, Read)> = vec![
        (vec![b'('; megabyte], hlo::read),
        (
            b"HloModule "
                .iter()
                .copied()
                .chain(vec![b'x'; megabyte])
                .collect(),
            hlo::read,
        ),
        (
            format!("HloModule m, a={}", "{".repeat(megabyte)).into_bytes(),
            hlo::read,
        ),
        (calls(20_000, false).into_bytes(), hlo::read),
        (calls(20_000, true).into_bytes(), hlo::read),
        (
            "module {\n".repeat(megabyte / 9).into_bytes(),
            stablehlo::read,
        ),
        ("}\n".repeat(megabyte / 2).into_bytes(), stablehlo::read),
        (vec![b'"'; megabyte], stablehlo::read),
        (loops(10_000).into_bytes(), stablehlo::read),
    ];
    for (number, (text, read)) in texts.iter().enumerate() {
        let began = Instant::now();
        let _ = read(text, &|| false);
        let most = Duration::from_secs(1 + text.len() as u64 / (1 << 20));
        assert!(
            began.elapsed() < most,
            "text {number}: {:?}",
            began.elapsed()
        );
    }
}

/// Computations that each call the next twice, and the last perhaps the first: runs double, 2^20000 of them.
fn calls(count: usize, circle: bool) -> String {
    let mut text = String::from("HloModule m\n");
    for one in 0..count {
        let next = if one + 1 < count {
            one + 1
        } else if circle {
            0
        } else {
            one
        };
        let head = if one == 0 { "ENTRY " } else { "" };
        text.push_str(&format!(
            "{head}%c{one} (x: f32[]) -> f32[] {{\n  %x = f32[] parameter(0)\n"
        ));
        if next != one {
            for call in 0..2 {
                text.push_str(&format!("  %r{call} = f32[] call(%x), to_apply=%c{next}\n"));
            }
        }
        text.push_str("  ROOT %s = f32[] all-reduce(%x), replica_groups={}\n}\n");
    }
    text
}

/// Loops within loops.
fn loops(count: usize) -> String {
    let mut text = String::from("module {\nfunc.func @main(%a: tensor<f32>) {\n");
    for one in 0..count {
        text.push_str(&format!(
            "%c{one} = stablehlo.constant dense<{one}> : tensor<i32>\n%r{one} = stablehlo.while(%i = %c{one}) : tensor<i32>\ncond {{\n}} do {{\n"
        ));
    }
    text.push_str(&"}\n".repeat(count + 2));
    text
}
