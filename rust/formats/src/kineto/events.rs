//! Goes over the events of a trace, and keeps those that speak of collectives.

use super::rows::{Event, Kind, Span, Trace};
use super::time::nanoseconds;
use crate::Error;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Events between two looks whether to stop.
const LOOK_EVERY: u64 = 4096;
/// The other parts of a trace that are of use.
const PARTS: [&str; 5] = [
    "distributedInfo",
    "baseTimeNanoseconds",
    "schemaVersion",
    "traceName",
    "deviceProperties",
];
const BACKENDS: [&str; 7] = ["nccl:", "gloo:", "mpi:", "ucc:", "xccl:", "hccl:", "rccl:"];
const CALLERS: [&str; 4] = [
    "_c10d_functional",
    "_dtensor::",
    "symm_mem::",
    "c10d_functional::",
];
const KERNELS: [&str; 3] = ["ncclKernel", "ncclDevKernel", "rcclGenericKernel"];

/// Reads one text.
pub(super) struct Reader<'a> {
    text: &'a str,
    stop: &'a dyn Fn() -> bool,
    pub(super) trace: Trace,
    pub(super) names: BTreeMap<String, u32>,
    lanes: BTreeMap<(String, String), u32>,
    /// Why it was refused, where that is not for the JSON.
    pub(super) refusal: Option<Error>,
}

type Json<'a> = serde_json::Deserializer<serde_json::de::StrRead<'a>>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, stop: &'a dyn Fn() -> bool) -> Self {
        Self {
            text,
            stop,
            trace: Trace::default(),
            names: BTreeMap::new(),
            lanes: BTreeMap::new(),
            refusal: None,
        }
    }

    /// Reads the outermost value.
    pub(super) fn top(&mut self, json: &mut Json<'a>) -> serde_json::Result<()> {
        json.deserialize_any(Top(self))
    }

    fn span(&self, raw: &str) -> Span {
        let start = raw.as_ptr() as usize - self.text.as_ptr() as usize;
        (start, start + raw.len())
    }

    fn refuse<E: serde::de::Error>(&mut self, raw: &str, allowed: &str) -> E {
        let (start, _) = self.span(raw);
        self.refusal = Some(Error::in_text(self.text.as_bytes(), start, allowed));
        E::custom("refused")
    }

    /// Takes an event whose fields are known.
    fn take<E: serde::de::Error>(&mut self, fields: &Fields<'a>) -> Result<(), E> {
        self.trace.count += 1;
        if self.trace.count % LOOK_EVERY == 0 && (self.stop)() {
            self.refusal = Some(Error::Stopped);
            return Err(E::custom("stopped"));
        }
        let Some(name) = fields.name.map(RawValue::get) else {
            return Ok(());
        };
        let Some(kind) = kind_of(name, fields) else {
            return Ok(());
        };
        let Ok(name) = serde_json::from_str::<String>(name) else {
            return Ok(());
        };
        let event = Event {
            kind,
            name: number(&mut self.names, name),
            lane: number(&mut self.lanes, (own(fields.pid), own(fields.tid))),
            start_ns: self.time(fields.ts)?,
            duration_ns: self.time(fields.dur)?,
            args: fields.args.map(|raw| self.span(raw.get())),
            within: None,
        };
        self.trace.events.push(event);
        Ok(())
    }

    fn time<E: serde::de::Error>(&mut self, raw: Option<&'a RawValue>) -> Result<Option<i64>, E> {
        let Some(raw) = raw.map(RawValue::get) else {
            return Ok(None);
        };
        match nanoseconds(raw) {
            Some(time) => Ok(Some(time)),
            None => Err(self.refuse(raw, "must be a time in microseconds")),
        }
    }
}

fn own(raw: Option<&RawValue>) -> String {
    raw.map_or("", RawValue::get).to_owned()
}

/// The number of something among those seen so far.
fn number<K: Ord>(seen: &mut BTreeMap<K, u32>, key: K) -> u32 {
    let next = seen.len() as u32;
    *seen.entry(key).or_insert(next)
}

/// What kind of event speaks of a collective, by its name in quotes; None where it does not.
fn kind_of(quoted: &str, fields: &Fields<'_>) -> Option<Kind> {
    if fields.ph.is_some_and(|ph| ph.get() != "\"X\"") {
        return None;
    }
    let name = quoted.strip_prefix('"')?;
    let category = fields.cat.map_or("", |cat| cat.get().trim_matches('"'));
    if category.starts_with("gpu_") {
        return None;
    }
    if name.starts_with("record_param_comms") {
        Some(Kind::Params)
    } else if name.starts_with("c10d::") {
        Some(Kind::Operator)
    } else if CALLERS.iter().any(|start| name.starts_with(start)) {
        Some(Kind::Functional)
    } else if BACKENDS.iter().any(|start| name.starts_with(start)) {
        Some(Kind::Label)
    } else if name.starts_with("ProfilerStep#") {
        Some(Kind::Step)
    } else {
        let kernel = category.eq_ignore_ascii_case("kernel");
        (kernel && KERNELS.iter().any(|start| name.contains(start))).then_some(Kind::Kernel)
    }
}

/// Fields of an event, as they are written.
#[derive(Default)]
struct Fields<'a> {
    ph: Option<&'a RawValue>,
    cat: Option<&'a RawValue>,
    name: Option<&'a RawValue>,
    pid: Option<&'a RawValue>,
    tid: Option<&'a RawValue>,
    ts: Option<&'a RawValue>,
    dur: Option<&'a RawValue>,
    args: Option<&'a RawValue>,
}

/// A key by what is to be done with its value.
enum Key {
    Ph,
    Cat,
    Name,
    Pid,
    Tid,
    Ts,
    Dur,
    Args,
    Events,
    Part(usize),
    Other,
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Key, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;
    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a key")
    }
    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "ph" => Key::Ph,
            "cat" => Key::Cat,
            "name" => Key::Name,
            "pid" => Key::Pid,
            "tid" => Key::Tid,
            "ts" => Key::Ts,
            "dur" => Key::Dur,
            "args" => Key::Args,
            "traceEvents" => Key::Events,
            _ => match PARTS.iter().position(|&part| part == key) {
                Some(part) => Key::Part(part),
                None => Key::Other,
            },
        })
    }
}

/// The outermost value: an object with events, or the events alone.
struct Top<'r, 'a>(&'r mut Reader<'a>);

impl<'a> Visitor<'a> for Top<'_, 'a> {
    type Value = ();
    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object with traceEvents, or a list of events")
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Key::Events => {
                    if std::mem::replace(&mut found, true) {
                        return Err(A::Error::custom("traceEvents stands twice"));
                    }
                    map.next_value_seed(Events(self.0))?;
                }
                Key::Part(part) => {
                    let raw: &'a RawValue = map.next_value()?;
                    let span = self.0.span(raw.get());
                    self.0.trace.parts.push((PARTS[part].to_owned(), span));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if found {
            Ok(())
        } else {
            Err(A::Error::custom("an object without traceEvents"))
        }
    }
    fn visit_seq<A: SeqAccess<'a>>(self, seq: A) -> Result<(), A::Error> {
        Events(self.0).visit_seq(seq)
    }
}

/// The list of events.
struct Events<'r, 'a>(&'r mut Reader<'a>);

impl<'a> DeserializeSeed<'a> for Events<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Events<'_, 'a> {
    type Value = ();
    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list of events")
    }
    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(OneEvent(self.0))?.is_some() {}
        Ok(())
    }
}

/// One event.
struct OneEvent<'r, 'a>(&'r mut Reader<'a>);

impl<'a> DeserializeSeed<'a> for OneEvent<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for OneEvent<'_, 'a> {
    type Value = ();
    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an event, an object")
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let field = match key {
                Key::Ph => &mut fields.ph,
                Key::Cat => &mut fields.cat,
                Key::Name => &mut fields.name,
                Key::Pid => &mut fields.pid,
                Key::Tid => &mut fields.tid,
                Key::Ts => &mut fields.ts,
                Key::Dur => &mut fields.dur,
                Key::Args => &mut fields.args,
                Key::Events | Key::Part(_) | Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = Some(map.next_value()?);
        }
        self.0.take(&fields)
    }
}
