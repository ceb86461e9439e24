//! Pipelines: closed forms, bounds, and what every order of work must keep.

use proptest::prelude::*;
use rainier_core::pipeline::{
    Chunk, Event, Kind, Pipeline, Schedule, Scratch, at_least, closed, events, in_flight, simulate,
};
use rainier_core::{Control, Error};
use std::collections::BTreeMap;

/// A schedule with counts that it can have, from counts that are any.
fn shaped(schedule: Schedule, p: u32, v: u32, m: u32) -> (u32, u32, u32) {
    match schedule {
        Schedule::Interleaved => (p + 1, v + 1, (p + 1) * m.div_ceil(4)),
        Schedule::ZbV => (p, 2, m),
        Schedule::DualPipe => (2 * p, 1, 4 * p + 2 * (m - 1)),
        _ => (p, 1, m),
    }
}

fn pipeline(
    schedule: Schedule,
    counts: (u32, u32, u32),
    chunk: impl Fn(usize) -> Chunk,
    transfer: impl Fn(usize) -> f64,
) -> Pipeline {
    let (stages, virtual_stages, microbatches) = counts;
    let chunks = (stages * virtual_stages) as usize;
    Pipeline {
        schedule,
        stages,
        virtual_stages,
        microbatches,
        chunks: (0..chunks).map(chunk).collect(),
        transfer: (1..chunks).map(transfer).collect(),
    }
}

fn equal(schedule: Schedule, counts: (u32, u32, u32), times: (f64, f64, f64)) -> Pipeline {
    let (forward, backward, weights) = times;
    let chunk = Chunk {
        forward,
        backward,
        weights,
    };
    pipeline(schedule, counts, |_| chunk, |_| 0.0)
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    proptest::sample::select(Schedule::ALL.to_vec())
}

/// A time: often one of a few, or none.
fn time() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.01f64..3.0, 0.5f64..1.5]
}

/// Any pipeline, stages and transfers unlike each other.
fn uneven() -> impl Strategy<Value = Pipeline> {
    let times = proptest::collection::vec((time(), time(), time(), time()), 64);
    (any_schedule(), 1u32..7, 1u32..4, 1u32..20, times).prop_map(|(schedule, p, v, m, times)| {
        let chunk = |place: usize| Chunk {
            forward: times[place].0,
            backward: times[place].1,
            weights: times[place].2,
        };
        pipeline(schedule, shaped(schedule, p, v, m), chunk, |place| {
            times[place].3
        })
    })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1.0)
}

/// The stage of a chunk for a microbatch, written out.
fn home(line: &Pipeline, chunk: u32, microbatch: u32) -> u32 {
    match line.schedule {
        Schedule::Interleaved => chunk % line.stages,
        Schedule::ZbV => chunk.min(2 * line.stages - 1 - chunk),
        Schedule::DualPipe if microbatch >= line.microbatches / 2 => line.stages - 1 - chunk,
        _ => chunk,
    }
}

/// Each once, on its stage, none before what it needs, no two at once.
fn check(line: &Pipeline, all: &[Event]) {
    let seen: BTreeMap<(Code, u32, u32), &Event> = all
        .iter()
        .map(|event| ((code(event.kind), event.chunk, event.microbatch), event))
        .collect();
    let pairs = line.chunks.len() * line.microbatches as usize;
    assert_eq!((seen.len(), all.len()), (3 * pairs, 3 * pairs));
    let close = 1e-9;
    for event in all {
        let (c, k) = (event.chunk, event.microbatch);
        assert_eq!(event.stage, home(line, c, k));
        let chunk = line.chunks[c as usize];
        let (needs, delay, takes) = match event.kind {
            Kind::Forward if c == 0 => (None, 0.0, chunk.forward),
            Kind::Forward => (
                Some((0, c - 1, k)),
                line.transfer[c as usize - 1],
                chunk.forward,
            ),
            Kind::Backward if c as usize + 1 == line.chunks.len() => {
                (Some((0, c, k)), 0.0, chunk.backward)
            }
            Kind::Backward => (
                Some((1, c + 1, k)),
                line.transfer[c as usize],
                chunk.backward,
            ),
            Kind::Weights => (Some((1, c, k)), 0.0, chunk.weights),
        };
        assert!((event.end - event.start - takes).abs() < close);
        if let Some(needs) = needs {
            assert!(event.start >= seen[&needs].end + delay - close, "{event:?}");
        }
        if event.kind == Kind::Backward {
            assert!(event.start >= seen[&(0, c, k)].end - close);
        }
    }
    for pair in all.windows(2) {
        assert!(pair[0].stage < pair[1].stage || pair[0].end <= pair[1].start + close);
    }
}

type Code = u8;

fn code(kind: Kind) -> Code {
    match kind {
        Kind::Forward => 0,
        Kind::Backward => 1,
        Kind::Weights => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn closed_forms_are_what_the_simulation_finds(
        schedule in any_schedule(),
        (p, v, m) in (1u32..9, 1u32..5, 1u32..40),
        times in (time(), time(), time()),
        like in any::<bool>(),
    ) {
        let (f, b, w) = times;
        let times = match (schedule, like) {
            (Schedule::ZbV, true) => (f, f, f),
            (Schedule::DualPipe, true) => (f, f, w.min(f)),
            _ => (f, b, w),
        };
        let line = equal(schedule, shaped(schedule, p, v, m), times);
        let ran = simulate(&line, &Control::default()).unwrap();
        if let Some(seconds) = closed(&line) {
            prop_assert!(near(seconds, ran.seconds), "{line:?}: {seconds} {ran:?}");
        }
        let holds = match schedule {
            Schedule::ZbH1 => line.microbatches >= line.stages,
            Schedule::ZbH2 => line.microbatches >= 2 * line.stages - 1,
            Schedule::ZbV | Schedule::DualPipe => like,
            _ => true,
        };
        prop_assert!(closed(&line).is_some() || !holds);
    }

    #[test]
    fn uneven_pipelines(line in uneven()) {
        let control = Control::default();
        let ran = simulate(&line, &control).unwrap();
        let floor = at_least(&line);
        prop_assert!(floor <= ran.seconds && ran.seconds <= ran.makespan, "{floor} {ran:?}");
        if line.schedule == Schedule::GPipe {
            prop_assert!(near(closed(&line).unwrap(), ran.seconds));
        }
        if !line.schedule.splits() {
            prop_assert_eq!(ran.seconds, ran.makespan);
        }
        let all = events(&line, &control).unwrap();
        check(&line, &all);
        let last = all.iter().fold(0.0, |last: f64, event| last.max(event.end));
        prop_assert_eq!(last, ran.makespan);
        for stage in 0..line.stages {
            let own = all.iter().filter(|event| event.stage == stage);
            let busy: f64 = own.map(|event| event.end - event.start).sum();
            let place = stage as usize;
            prop_assert!((ran.idle[place] + busy - ran.seconds).abs() < 1e-9);
            let held = in_flight(
                line.schedule, line.stages, line.virtual_stages, line.microbatches, stage,
            );
            prop_assert_eq!(ran.in_flight[place], held, "{:?}", line);
        }
    }

    #[test]
    fn slower_is_never_faster(line in uneven(), place in any::<prop::sample::Index>(), by in 0.0f64..2.0) {
        let before = simulate(&line, &Control::default()).unwrap();
        let mut slower = line.clone();
        let place = place.index(line.chunks.len());
        slower.chunks[place].forward += by;
        slower.chunks[place].weights += by / 2.0;
        if let Some(transfer) = slower.transfer.get_mut(place) {
            *transfer += by;
        }
        let after = simulate(&slower, &Control::default()).unwrap();
        prop_assert!(after.makespan >= before.makespan);
    }

    #[test]
    fn room_that_is_used_again_changes_nothing(lines in proptest::collection::vec(uneven(), 1..5)) {
        let mut scratch = Scratch::default();
        for line in lines.iter().chain(&lines).flat_map(|line| [line, line]) {
            let alone = simulate(line, &Control::default()).unwrap();
            prop_assert_eq!(scratch.simulate(line, &Control::default()).unwrap(), &alone);
        }
    }
}

#[test]
fn bounds_of_equal_stages_are_reached() {
    for schedule in [Schedule::GPipe, Schedule::OneF1B, Schedule::Interleaved] {
        let line = equal(
            schedule,
            (4, 1 + u32::from(schedule == Schedule::Interleaved), 12),
            (1.0, 1.5, 0.5),
        );
        let seconds = simulate(&line, &Control::default()).unwrap().seconds;
        let floor = at_least(&line);
        assert!(
            floor <= seconds && floor > seconds * (1.0 - 1e-8),
            "{schedule:?}"
        );
    }
}

/// F = 1, B = 2 with W = 1 in it: 1F1B idles 19.0 % of a step, interleaved over 4 chunks 5.5 %, ZB-H1 7.2 %, `DualPipe`
/// 6.8 % (16 stages, 64 microbatches).
#[test]
fn known_shares_of_bubbles() {
    let share = |schedule, v: u32| {
        let part = f64::from(v);
        let line = equal(schedule, (16, v, 64), (1.0 / part, 1.0 / part, 1.0 / part));
        let ran = simulate(&line, &Control::default()).unwrap();
        (1000.0 * ran.idle[0] / ran.seconds).round() / 10.0
    };
    assert_eq!(share(Schedule::GPipe, 1), 19.0);
    assert_eq!(share(Schedule::OneF1B, 1), 19.0);
    assert_eq!(share(Schedule::Interleaved, 4), 5.5);
    assert_eq!(share(Schedule::ZbH1, 1), 7.2);
    assert_eq!(share(Schedule::ZbH2, 1), 0.0);
    assert_eq!(share(Schedule::ZbV, 2), 0.0);
    assert_eq!(share(Schedule::DualPipe, 1), 6.8);
}

#[test]
fn what_cannot_be_run_is_refused_by_name() {
    let refused = |line: &Pipeline| match simulate(line, &Control::default()) {
        Err(Error::Invalid { argument, .. }) => argument,
        other => panic!("{other:?} of {line:?}"),
    };
    let counts = |schedule, p, v, m| refused(&equal(schedule, (p, v, m), (1.0, 1.0, 1.0)));
    assert_eq!(counts(Schedule::GPipe, 2, 2, 4), "virtual_stages");
    assert_eq!(counts(Schedule::ZbV, 2, 1, 4), "virtual_stages");
    assert_eq!(counts(Schedule::Interleaved, 2, 1, 4), "virtual_stages");
    assert_eq!(counts(Schedule::Interleaved, 1, 2, 4), "stages");
    assert_eq!(counts(Schedule::Interleaved, 4, 2, 6), "microbatches");
    assert_eq!(counts(Schedule::DualPipe, 3, 1, 8), "stages");
    assert_eq!(counts(Schedule::DualPipe, 4, 1, 6), "microbatches");
    assert_eq!(counts(Schedule::DualPipe, 4, 1, 9), "microbatches");
    assert_eq!(counts(Schedule::DualPipe, 4, 2, 8), "virtual_stages");
    assert_eq!(counts(Schedule::OneF1B, 4, 1, u32::MAX), "microbatches");
    let mut empty = equal(Schedule::OneF1B, (1, 1, 1), (1.0, 1.0, 1.0));
    empty.stages = u32::MAX;
    assert_eq!(refused(&empty), "stages");
    assert_eq!((at_least(&empty), closed(&empty)), (0.0, None));
    let whole = equal(Schedule::OneF1B, (2, 1, 4), (1.0, 1.0, 1.0));
    let changed = |change: fn(&mut Pipeline)| {
        let mut line = whole.clone();
        change(&mut line);
        refused(&line)
    };
    assert_eq!(changed(|line| line.stages = 0), "stages");
    assert_eq!(changed(|line| line.virtual_stages = 0), "virtual_stages");
    assert_eq!(changed(|line| line.microbatches = 0), "microbatches");
    assert_eq!(changed(|line| line.chunks.truncate(1)), "chunks");
    assert_eq!(changed(|line| line.transfer.clear()), "transfer");
    assert_eq!(
        changed(|line| line.chunks[1].weights = f64::NAN),
        "chunks[1].weights"
    );
    assert_eq!(changed(|line| line.transfer[0] = -1.0), "transfer[0]");
    assert_eq!(changed(|line| line.chunks[0].forward = f64::MAX), "chunks");
    assert!(matches!(
        Schedule::named("2f2b"),
        Err(Error::Unknown { .. })
    ));
    for schedule in Schedule::ALL {
        assert_eq!(Schedule::named(schedule.name()).unwrap(), schedule);
    }
}

#[test]
fn a_cancelled_simulation_stops() {
    let control = Control::default();
    control.cancel();
    for stages in [1, 64] {
        let line = equal(
            Schedule::OneF1B,
            (stages, 1, 1 << 18 >> stages.ilog2()),
            (1.0, 1.0, 1.0),
        );
        assert_eq!(simulate(&line, &control), Err(Error::Cancelled));
    }
}
