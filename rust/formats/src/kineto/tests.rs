use super::time::nanoseconds;
use super::{Kind, read};
use crate::Error;

fn never() -> bool {
    false
}

#[test]
fn times_keep_their_last_nanosecond() {
    assert_eq!(
        nanoseconds("4903880620307.147"),
        Some(4_903_880_620_307_147)
    );
    assert_eq!(
        nanoseconds("1790857026000000"),
        Some(1_790_857_026_000_000_000)
    );
    assert_eq!(nanoseconds("0.7"), Some(700));
    assert_eq!(nanoseconds("-1.5"), Some(-1500));
    assert_eq!(nanoseconds("1e3"), Some(1_000_000));
    assert_eq!(nanoseconds("0.0006"), Some(1));
    assert_eq!(nanoseconds("99999999999999999999"), None);
    assert_eq!(nanoseconds("[]"), None);
    assert_eq!(nanoseconds(""), None);
}

#[test]
fn events_that_count_are_kept_and_nested() {
    let text = br#"{"schemaVersion": 1, "traceEvents": [
        {"ph":"X","cat":"cpu_op","name":"aten::mm","pid":1,"tid":1,"ts":1,"dur":2,"args":{"a":[[[]]]}},
        {"args":{"x":1},"ph":"X","name":"c10d::allreduce_","pid":1,"tid":1,"ts":10.001,"dur":5},
        {"ph":"X","cat":"user_annotation","name":"nccl:all_reduce","pid":1,"tid":1,"ts":11,"dur":1},
        {"ph":"X","cat":"user_annotation","name":"gloo:all_reduce","pid":1,"tid":2,"ts":11,"dur":1},
        {"ph":"M","name":"c10d::no","ts":1}], "distributedInfo": {"rank": 3}}"#;
    let trace = read(text, &never).unwrap();
    assert_eq!(trace.count, 5);
    let kinds: Vec<_> = trace.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Operator, Kind::Label, Kind::Label]);
    assert_eq!(trace.events[0].start_ns, Some(10_001));
    assert_eq!(trace.events[1].within, Some(0));
    assert_eq!(trace.events[2].within, None);
    let (start, end) = trace.events[0].args.unwrap();
    assert_eq!(&text[start..end], br#"{"x":1}"#);
    let (start, end) = trace.parts[1].1;
    assert_eq!(&text[start..end], br#"{"rank": 3}"#);
}

#[test]
fn what_is_broken_names_its_place() {
    let quote = br#"{"traceEvents": [{"name": "a", "args": {"desc": "my "own" group"}}]}"#;
    let Err(Error::At {
        place,
        got,
        allowed,
    }) = read(quote, &never)
    else {
        panic!("it must be refused");
    };
    assert_eq!(place.to_string(), "line 1, column 54");
    assert!(got.starts_with("'o'"), "{got}");
    assert!(allowed.contains("byte 52"), "{allowed}");
    for text in [
        &b"{\"traceEvents\": [{\"name\": \"c10d::a\", \"ts\": []}]}"[..],
        b"{\"traceEvents\": {}}",
        b"{\"a\": []}",
        b"[{]",
        b"",
        b"[1]",
        b"{\"traceEvents\": []} x",
        b"{\"traceEvents\": [], \"traceEvents\": []}",
        b"[{\"name\": \"\xff\"}]",
    ] {
        assert!(matches!(read(text, &never), Err(Error::At { .. })));
    }
}

#[test]
fn deep_nesting_takes_no_stack() {
    let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
    let text = format!("[{{\"name\": \"c10d::a\", \"args\": {deep}}}]");
    assert_eq!(read(text.as_bytes(), &never).unwrap().events.len(), 1);
    assert!(read(deep.as_bytes(), &never).is_err());
}

#[test]
fn it_stops_when_asked() {
    let text = format!("[{}{{}}]", "{},".repeat(5000));
    assert_eq!(read(text.as_bytes(), &|| true), Err(Error::Stopped));
}
