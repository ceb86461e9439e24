//! Traces there and back, and broken ones.

use super::{Attribute, Io, Node, Trace, Value, messages, read, write};
use crate::error::{Error, Place};

fn sample() -> Trace {
    let attribute = |name: &str, field, value| Attribute {
        name: name.to_owned(),
        about: String::new(),
        field,
        value,
    };
    let values = vec![
        attribute("a", 3, Value::Floats(vec![0.5])),
        attribute("b", 6, Value::Floats(vec![1.5, -2.0])),
        attribute("c", 7, Value::Signed(vec![-3])),
        attribute("d", 14, Value::Unsigned(vec![u64::MAX, 0])),
        attribute("e", 17, Value::Signed(vec![i64::MIN])),
        attribute("f", 20, Value::Unsigned(vec![7, 8])),
        attribute("g", 25, Value::Signed(vec![-9])),
        attribute("h", 28, Value::Flags(vec![true, false])),
        attribute("i", 30, Value::Texts(vec!["x".to_owned(), String::new()])),
        attribute("j", 31, Value::Blobs(vec![vec![255, 0]])),
    ];
    let node = |id, data: &[u64]| Node {
        id,
        name: format!("n{id}"),
        kind: 7,
        data: data.to_vec(),
        start: 1 << 40,
        duration: 300,
        inputs: Some(Io {
            values: "v".to_owned(),
            ..Io::default()
        }),
        attributes: values.clone(),
        ..Node::default()
    };
    Trace {
        version: "0.0.4".to_owned(),
        attributes: values.clone(),
        nodes: vec![node(1, &[]), node(2, &[1]), node(9, &[1, 2])],
        missing: 0,
        circle: None,
    }
}

#[test]
fn a_trace_comes_back() {
    let sample = sample();
    let mut found = read(&write(&sample), || false).expect("it was written here");
    assert_eq!(write(&found), write(&sample));
    found.nodes.iter_mut().for_each(|node| node.offset = 0);
    assert_eq!(found, sample);
    assert_eq!(messages(&write(&sample)), 4);
}

#[test]
fn every_shorter_file_is_refused_or_ends_between_nodes() {
    let whole = write(&sample());
    for length in 0..whole.len() {
        match read(&whole[..length], || false) {
            Ok(found) => assert!(found.nodes.len() < 3),
            Err(Error::At {
                place: Place::Byte(at),
                ..
            }) => assert!(at <= length as u64),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn circles_are_told_and_doubles_refused() {
    let mut sample = sample();
    sample.nodes[0].control = vec![9];
    let found = read(&write(&sample), || false).expect("circles are told");
    assert_eq!(found.circle, Some((1, 3)));
    sample.nodes[0].control = vec![77];
    assert_eq!(
        read(&write(&sample), || false).map(|found| found.missing),
        Ok(1)
    );
    sample.nodes[2].id = 1;
    assert!(read(&write(&sample), || false).is_err());
    // Eleven bytes of a number, and a length beyond the end.
    assert!(read(&[255; 11], || false).is_err());
    assert!(read(&[0, 255, 255, 3, 1], || false).is_err());
}

#[test]
fn bits_may_flip() {
    let whole = write(&sample());
    let mut state = 1u64;
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + state % 4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] ^= 1 << (state >> 60 & 7);
        }
        drop(read(&bytes, || false));
    }
}
