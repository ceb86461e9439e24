//! The run: events in order of time, then of their making, as the peer has them.

use super::ask::{Memory, Question};
use super::circle::Act;
use super::network::{Event as OnLink, Links, Way};
use super::plan::{Planner, fails};
use super::post::{Post, Reader};
use super::queues::{Chunk, Job, Part, Queue};
use super::trace::{Progress, Trace};
use crate::control::Control;
use crate::error::Result;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What a rank has asked to be told later.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    /// A chunk's endpoint is through; the memory takes some bytes first.
    Bundle(u32, Option<u64>),
    /// A node of its trace is over.
    Node(u32),
    /// A broadcast is over.
    Broadcast(u32),
    /// A memory that several share is free again.
    Memory(u32),
}

/// What happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Calls(u32),
    Letter(u32),
    Reader(Reader),
    Link(OnLink),
}

/// A message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub(super) to: u32,
    pub(super) key: (u64, u32, u64),
    pub(super) sender: Sender,
}

/// Who is told that a message has arrived, on its sending side.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sender {
    None,
    Node(u32, u32),
    /// The consent to receive: the message itself is awaited now.
    Consent(u32),
}

/// A message that waits for a consent, or what is awaited after one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held {
    Send(u32, u32, u64, u64, Sender),
    Receive(u32, u32, u64, u64, Reader),
}

/// A memory that several ranks share: whether it is at work, and who waits: rank, node, bytes.
type SharedMemory = (bool, VecDeque<(u32, u32, u64)>);

/// One rank.
#[derive(Debug)]
pub(super) struct Rank {
    pub(super) trace: u32,
    pub(super) progress: Progress,
    pub(super) planner: Planner,
    pub(super) queues: Vec<Queue>,
    pub(super) calls: BTreeMap<u64, Vec<Call>>,
    pub(super) post: Post,
    pub(super) chunks: u64,
    pub(super) priorities: i64,
    pub(super) groups: Vec<(i64, Arc<[u32]>, u64)>,
    pub(super) computing: u64,
    pub(super) finished: Option<u64>,
}

/// All of it.
pub(super) struct Run<'a> {
    pub(super) question: &'a Question,
    pub(super) traces: &'a [Trace],
    pub(super) ways: Vec<Way>,
    pub(super) links: Option<Links>,
    pub(super) ranks: Vec<Rank>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) jobs: Vec<Job>,
    pub(super) letters: Vec<Letter>,
    pub(super) unused: Vec<u32>,
    pub(super) held: Vec<Held>,
    pub(super) memories: Vec<SharedMemory>,
    later: BTreeMap<u64, Vec<Event>>,
    current: VecDeque<Event>,
    pub(super) now: u64,
    /// One rank stands for all.
    pub(super) alike: bool,
    /// By queue, the moment and the queue from which chunks came last; with another at the same moment, ranks may
    /// differ.
    pub(super) came: Vec<(u64, Option<u32>)>,
    pub(super) ambiguous: bool,
    acts: Vec<Vec<Act>>,
    pub(super) messages: u64,
}

impl<'a> Run<'a> {
    pub(super) fn of(question: &'a Question, traces: &'a [Trace], alike: bool) -> Self {
        let ways: Vec<Way> = question.network.iter().map(Way::of).collect();
        let count = if alike { 1 } else { question.npus() };
        let queues = question.network.len() * question.system.queues as usize;
        let shared = match question.memory {
            Memory::Shared(_, npus) => question.npus().div_ceil(npus.max(1)),
            _ => 0,
        };
        Self {
            links: question.system.aware.then(|| Links::of(ways[0])),
            ways,
            ranks: (0..count)
                .map(|rank| Rank::of(rank, question, traces, queues))
                .collect(),
            question,
            traces,
            chunks: Vec::new(),
            jobs: Vec::new(),
            letters: Vec::new(),
            unused: Vec::new(),
            held: Vec::new(),
            memories: (0..shared).map(|_| (false, VecDeque::new())).collect(),
            later: BTreeMap::new(),
            current: VecDeque::new(),
            now: 0,
            alike,
            came: vec![(u64::MAX, None); queues],
            ambiguous: false,
            acts: Vec::new(),
            messages: 0,
        }
    }

    /// Runs until nothing happens any more.
    pub(super) fn go(&mut self, control: &Control) -> Result<()> {
        for rank in 0..self.ranks.len() as u32 {
            self.issue(rank)?;
            self.look(rank);
        }
        let mut steps = 0;
        loop {
            while let Some(event) = self.current.pop_front() {
                control.check_at(steps)?;
                steps += 1;
                self.happen(event)?;
            }
            if self.ambiguous {
                return Ok(());
            }
            let Some((time, events)) = self.later.pop_first() else {
                return Ok(());
            };
            if time == 0 {
                return Err(fails(
                    "something that takes 0 ns at the beginning stops its event queue",
                    "give endpoint-delay 1 ns at least",
                ));
            }
            self.now = time;
            self.current = events.into();
        }
    }

    fn happen(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Calls(rank) => self.call(rank),
            Event::Letter(place) => self.arrive(place),
            Event::Reader(reader) => self.read(reader),
            Event::Link(event) => {
                let mut made = Vec::new();
                let Some(links) = &mut self.links else {
                    return Ok(());
                };
                let arrived = links.step(event, &mut made);
                self.on_links(made);
                arrived.map_or(Ok(()), |letter| self.arrive(letter))
            }
        }
    }

    pub(super) fn at(&mut self, time: u64, event: Event) {
        if time == self.now && self.now > 0 {
            self.current.push_back(event);
        } else {
            self.later.entry(time).or_default().push(event);
        }
    }

    pub(super) fn on_links(&mut self, made: Vec<(u64, OnLink)>) {
        for (delay, event) in made {
            self.at(self.now.saturating_add(delay), Event::Link(event));
        }
    }

    /// Asks for a call after some time; all those of a rank at one moment come in one go.
    pub(super) fn after(&mut self, rank: u32, delay: u64, call: Call) {
        let time = self.now.saturating_add(delay);
        let calls = &mut self.ranks[rank as usize].calls;
        if let Some(row) = calls.get_mut(&time) {
            row.push(call);
            return;
        }
        calls.insert(time, vec![call]);
        self.at(time, Event::Calls(rank));
    }

    fn call(&mut self, rank: u32) -> Result<()> {
        let mut at = 0;
        loop {
            let calls = self.ranks[rank as usize].calls.get(&self.now);
            let Some(&call) = calls.and_then(|calls| calls.get(at)) else {
                break;
            };
            at += 1;
            match call {
                Call::Bundle(chunk, Some(bytes)) => {
                    let delay = self.memory_delay(bytes)?;
                    self.after(rank, delay, Call::Bundle(chunk, None));
                }
                Call::Bundle(chunk, None) => self.act(chunk, |part, acts| match part {
                    Part::Circle(member) => member.ready(acts),
                    Part::Tree(branch) => branch.step(false, false, acts),
                    Part::None => {}
                })?,
                Call::Node(node) => self.node_over(rank, node)?,
                Call::Broadcast(job) => self.chunk_over(job)?,
                Call::Memory(node) => self.memory_free(rank, node),
            }
        }
        self.ranks[rank as usize].calls.remove(&self.now);
        Ok(())
    }

    fn memory_delay(&self, bytes: u64) -> Result<u64> {
        let Some(rate) = self.question.system.memory_bandwidth else {
            return Err(fails(
                "a reduction without local-mem-bw divides by zero",
                "name local-mem-bw in the system file",
            ));
        };
        Ok(((bytes as f64 / rate * 1e9) as u64).saturating_mul(3))
    }

    /// Lets a chunk's algorithm go on, and does what it asks for.
    pub(super) fn act(
        &mut self,
        place: u32,
        step: impl FnOnce(&mut Part, &mut Vec<Act>),
    ) -> Result<()> {
        let mut acts = self.acts.pop().unwrap_or_default();
        let chunk = &mut self.chunks[place as usize];
        let (rank, number) = (chunk.rank, chunk.number);
        step(&mut chunk.part, &mut acts);
        let fast = matches!(&chunk.part, Part::Circle(member) if member.is_fast());
        let delay = if fast {
            10
        } else {
            self.question.system.endpoint_delay
        };
        // Between the tags of point-to-point messages and those of consents.
        let tag = number % 500_000_000 + 500_000_000;
        for &act in &acts {
            match act {
                Act::Bundle(bytes) => self.after(rank, delay, Call::Bundle(place, bytes)),
                Act::Trade { to, from, bytes } if self.alike => {
                    self.trade(place, tag, (to, from, bytes))?;
                }
                Act::Trade { to, from, bytes } => {
                    self.send((rank, to, bytes, tag), Sender::None)?;
                    self.receive((from, rank, bytes, tag), Reader::Chunk(place))?;
                }
                Act::Send(to, bytes) => self.send((rank, to, bytes, tag), Sender::None)?,
                Act::Receive(from, bytes) => {
                    self.receive((from, rank, bytes, tag), Reader::Chunk(place))?;
                }
                Act::Exit => self.next_phase(place)?,
            }
        }
        acts.clear();
        self.acts.push(acts);
        Ok(())
    }

    /// Where all ranks do the same at the same time, what comes in left when what goes out does.
    fn trade(&mut self, place: u32, tag: u64, (to, from, bytes): (u32, u32, u64)) -> Result<()> {
        let delay = self.delay(0, to, bytes)?;
        let key = (tag, from, bytes);
        let post = &mut self.ranks[0].post;
        post.send(key);
        let _ = post.await_one(key, Reader::Chunk(place));
        let letter = self.letter(Letter {
            to: 0,
            key,
            sender: Sender::None,
        });
        self.at(self.now.saturating_add(delay), Event::Letter(letter));
        Ok(())
    }

    pub(super) fn read(&mut self, reader: Reader) -> Result<()> {
        match reader {
            Reader::Chunk(chunk) => self.act(chunk, |part, acts| match part {
                Part::Circle(member) => member.arrived(acts),
                Part::Tree(branch) => branch.step(true, false, acts),
                Part::None => {}
            }),
            Reader::Node(rank, node) => self.node_over(rank, node),
            Reader::Consent(place) => self.consented(place),
        }
    }
}

impl Rank {
    fn of(rank: u32, question: &Question, traces: &[Trace], queues: usize) -> Self {
        let trace = question.trace_of[rank as usize];
        Self {
            trace,
            progress: traces[trace as usize].begin(),
            planner: Planner::of(rank, question),
            queues: (0..queues).map(|_| Queue::default()).collect(),
            calls: BTreeMap::new(),
            post: Post::default(),
            chunks: 0,
            priorities: 0,
            groups: question
                .groups
                .iter()
                .map(|(name, members)| {
                    (
                        *name,
                        Arc::clone(members),
                        name.unsigned_abs().saturating_mul(1_000_000),
                    )
                })
                .collect(),
            computing: 0,
            finished: None,
        }
    }
}
