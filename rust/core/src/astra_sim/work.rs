//! What ranks do: nodes of their traces, and the chunks of their collectives from phase to phase.

use super::ask::{Access, Collective, Com, Kind, Memory, Policy};
use super::circle::Member;
use super::plan::{Scene, fails};
use super::post::Reader;
use super::queues::{Chunk, Job, Part};
use super::run::{Call, Run, Sender};
use super::tree::Branch;
use crate::error::Result;
use std::sync::Arc;

impl Run<'_> {
    /// Begins what is free to begin, by its number.
    pub(super) fn issue(&mut self, rank: u32) -> Result<()> {
        let free: Vec<u32> = self.ranks[rank as usize]
            .progress
            .free
            .iter()
            .copied()
            .collect();
        let trace = self.ranks[rank as usize].trace as usize;
        let traces = self.traces;
        for at in free {
            let node = &traces[trace].nodes[at as usize];
            let progress = &mut self.ranks[rank as usize].progress;
            if !progress.may_begin(node) {
                continue;
            }
            progress.begin(at, node);
            self.begin_node(rank, at)?;
        }
        Ok(())
    }

    /// Notes the end of a rank whose trace is over.
    pub(super) fn look(&mut self, rank: u32) {
        let now = self.now;
        let row = &mut self.ranks[rank as usize];
        if row.finished.is_none() && row.progress.is_over() {
            row.finished = Some(now);
        }
    }

    fn begin_node(&mut self, rank: u32, at: u32) -> Result<()> {
        let trace = self.ranks[rank as usize].trace as usize;
        let node = &self.traces[trace].nodes[at as usize];
        let traced = if node.micros == 0 {
            1
        } else {
            node.micros.saturating_mul(1000)
        };
        if self.question.system.replay {
            self.count(rank, node.host, traced);
            self.after(rank, traced, Call::Node(at));
            return Ok(());
        }
        match &node.kind {
            Kind::Skip => self.skip(rank, at),
            Kind::Groups(groups) => {
                for (name, members) in groups {
                    self.name_group(rank, *name, members);
                }
                self.skip(rank, at);
            }
            Kind::Memory(bytes) => self.access(rank, at, *bytes)?,
            Kind::Compute(work) => self.compute(rank, at, (node.host, traced, *work))?,
            Kind::Send(to, bytes, tag) => {
                self.peer(*to)?;
                let message = (rank, *to, *bytes, u64::from(*tag) % 500_000_000);
                self.send(message, Sender::Node(rank, at))?;
            }
            Kind::Receive(from, bytes, tag) => {
                self.peer(*from)?;
                let message = (*from, rank, *bytes, u64::from(*tag) % 500_000_000);
                self.receive(message, Reader::Node(rank, at))?;
            }
            Kind::Collective(asked) => self.collective(rank, at, asked)?,
            Kind::Broadcast => {
                let job = self.job(rank, at, 1);
                self.after(rank, traced, Call::Broadcast(job));
            }
        }
        Ok(())
    }

    fn peer(&self, rank: u32) -> Result<()> {
        if rank < self.question.npus() {
            return Ok(());
        }
        let what = format!("a message of rank {rank} of {}", self.question.npus());
        Err(fails(&what, "name ranks of the network"))
    }

    fn count(&mut self, rank: u32, host: bool, took: u64) {
        if !host {
            let computing = &mut self.ranks[rank as usize].computing;
            *computing = computing.saturating_add(took);
        }
    }

    fn skip(&mut self, rank: u32, at: u32) {
        let row = &mut self.ranks[rank as usize];
        row.progress.end(at, &self.traces[row.trace as usize]);
    }

    fn name_group(&mut self, rank: u32, name: i64, members: &Arc<[u32]>) {
        let members = if members.is_empty() {
            (0..self.question.npus()).collect()
        } else {
            Arc::clone(members)
        };
        // Groups named in traces count their chunks from another number than those of the file.
        let first = (name.unsigned_abs() + 1).saturating_mul(1_000_000);
        let groups = &mut self.ranks[rank as usize].groups;
        groups.retain(|row| row.0 != name);
        groups.push((name, members, first));
    }

    fn compute(
        &mut self,
        rank: u32,
        at: u32,
        (host, traced, work): (bool, u64, Option<(u64, u64)>),
    ) -> Result<()> {
        let system = &self.question.system;
        let mut took = traced;
        if let (Some(peak), false) = (system.roofline, host) {
            let Some((operations, bytes)) = work else {
                return Err(fails(
                    "a roofline of a node without num_ops and tensor_size",
                    "state both in the trace, or set roofline-enabled to 0",
                ));
            };
            if bytes == 0 {
                self.skip(rank, at);
                return Ok(());
            }
            let memory = system.memory_bandwidth.unwrap_or(0.0);
            let rate = (memory * (operations as f64 / bytes as f64)).min(peak);
            if operations == 0 || rate <= 0.0 {
                return Err(fails(
                    "a roofline of 0 operations, or at 0 FLOP/s, divides by zero",
                    "state num_ops, local-mem-bw and peak-perf",
                ));
            }
            took = (operations as f64 / rate * 1e9) as u64;
        }
        self.count(rank, host, took);
        self.after(rank, took, Call::Node(at));
        Ok(())
    }

    fn access(&mut self, rank: u32, at: u32, bytes: u64) -> Result<()> {
        match self.question.memory {
            Memory::None => Err(fails(
                "remote memory is read or written, and there is none",
                "name a memory-type in the memory file",
            )),
            Memory::Own(access) => {
                self.after(rank, access.takes(bytes), Call::Node(at));
                Ok(())
            }
            Memory::Shared(access, npus) => {
                let memory = &mut self.memories[(rank / npus.max(1)) as usize];
                if memory.0 {
                    memory.1.push_back((rank, at, bytes));
                } else {
                    memory.0 = true;
                    self.after(rank, access.takes(bytes), Call::Node(at));
                    self.after(rank, access.takes(bytes), Call::Memory(at));
                }
                Ok(())
            }
        }
    }

    /// The next access of a memory that several share.
    pub(super) fn memory_free(&mut self, rank: u32, _node: u32) {
        let Memory::Shared(access, npus) = self.question.memory else {
            return;
        };
        let memory = &mut self.memories[(rank / npus.max(1)) as usize];
        let next = memory.1.pop_front();
        memory.0 = next.is_some();
        if let Some((rank, at, bytes)) = next {
            self.after(rank, access.takes(bytes), Call::Node(at));
            self.after(rank, access.takes(bytes), Call::Memory(at));
        }
    }

    /// A node is over; what waited for it begins.
    pub(super) fn node_over(&mut self, rank: u32, at: u32) -> Result<()> {
        if self.ranks[rank as usize].finished.is_some() {
            return Ok(());
        }
        self.skip(rank, at);
        self.issue(rank)?;
        self.look(rank);
        Ok(())
    }

    fn job(&mut self, rank: u32, node: u32, chunks: u64) -> u32 {
        self.jobs.push(Job {
            rank,
            node,
            chunks,
            done: 0,
        });
        (self.jobs.len() - 1) as u32
    }

    fn collective(&mut self, rank: u32, at: u32, asked: &Collective) -> Result<()> {
        let system = &self.question.system;
        let group = self.group_of(rank, asked)?;
        let (size, chunk) = cut(asked, u64::from(system.splits), self.question.npus())?;
        let count = size.div_ceil(chunk.max(1));
        let row = &mut self.ranks[rank as usize];
        let priority = match system.policy {
            Policy::Lifo => row.priorities,
            Policy::Fifo => -row.priorities,
            Policy::Explicit => i64::from(asked.priority),
        };
        row.priorities += 1;
        let job = self.job(rank, at, count);
        for _ in 0..count {
            let row = &mut self.ranks[rank as usize];
            let members = group.map(|place| Arc::clone(&row.groups[place].1));
            let phases = row
                .planner
                .phases(self.question, asked, members.as_ref(), chunk)?;
            if phases.is_empty() {
                // The peer waits for this collective for ever.
                self.jobs[job as usize].chunks = u64::MAX;
                break;
            }
            // A rank's own count goes on with chunks of groups too: ranks that are in fewer of them number the chunks of
            // all ranks otherwise, and wait for each other for ever.
            let mut number = row.chunks;
            row.chunks += 1;
            if let Some(place) = group {
                number = row.groups[place].2;
                row.groups[place].2 += 1;
            }
            self.chunks.push(Chunk {
                rank,
                number,
                job,
                priority,
                phases,
                next: 0,
                queue: None,
                begun: false,
                part: Part::None,
            });
            self.next_phase((self.chunks.len() - 1) as u32)?;
        }
        Ok(())
    }

    fn group_of(&self, rank: u32, asked: &Collective) -> Result<Option<usize>> {
        let Some(name) = asked.group else {
            return Ok(None);
        };
        let groups = &self.ranks[rank as usize].groups;
        match groups.iter().position(|row| row.0 == name) {
            Some(place) => Ok(Some(place)),
            None => Err(fails(
                &format!("group {name} of a collective of rank {rank} is nowhere named"),
                "name it in the file of groups",
            )),
        }
    }

    /// A chunk's phase is over, or it has just been made: what comes next.
    pub(super) fn next_phase(&mut self, place: u32) -> Result<()> {
        let chunk = &mut self.chunks[place as usize];
        let (rank, before) = (chunk.rank as usize, chunk.queue);
        chunk.part = Part::None;
        let over = chunk.next == chunk.phases.len();
        if over {
            let job = chunk.job;
            chunk.phases = Vec::new();
            self.chunk_over(job)?;
        }
        if let Some(queue) = before {
            self.ranks[rank].queues[queue as usize].remove(place);
        }
        if !over {
            self.enter(place, before);
        }
        if let Some(queue) = before {
            self.touch(queue, before);
            self.ranks[rank].queues[queue as usize].running -= 1;
            self.start(rank, queue)?;
        }
        if !over {
            if let Some(queue) = self.chunks[place as usize].queue {
                self.start(rank, queue)?;
            }
        }
        Ok(())
    }

    fn enter(&mut self, place: u32, before: Option<u32>) {
        let chunk = &mut self.chunks[place as usize];
        let phase = chunk.phases[chunk.next].clone();
        chunk.next += 1;
        chunk.begun = false;
        chunk.queue = Some(phase.queue);
        chunk.part = match phase.scene {
            Scene::Circle(circle) => Part::Circle(Member::of(
                circle,
                phase.com,
                phase.way,
                phase.bytes,
                phase.forward,
            )),
            Scene::Tree(tree) => Part::Tree(Branch::of(&tree, chunk.rank, phase.bytes)),
        };
        let rank = chunk.rank as usize;
        self.touch(phase.queue, before);
        self.ranks[rank].queues[phase.queue as usize].insert(place, &self.chunks);
    }

    /// Where one rank stands for all: two chunks that reach a queue at one moment from different places may do so in
    /// another order elsewhere.
    fn touch(&mut self, queue: u32, before: Option<u32>) {
        let last = &mut self.came[queue as usize];
        if self.now > 0 && last.0 == self.now && last.1 != before {
            self.ambiguous |= self.alike;
        }
        *last = (self.now, before);
    }

    fn start(&mut self, rank: usize, queue: u32) -> Result<()> {
        let most = self
            .question
            .system
            .active_chunks
            .div_ceil(self.question.system.queues);
        while let Some(place) = self.ranks[rank].queues[queue as usize].begin(most as usize) {
            self.chunks[place as usize].begun = true;
            self.act(place, |part, acts| match part {
                Part::Circle(member) => member.begin(acts),
                Part::Tree(branch) => branch.step(false, true, acts),
                Part::None => {}
            })?;
        }
        Ok(())
    }

    /// One more chunk of a collective is through; with the last one, its node is over.
    pub(super) fn chunk_over(&mut self, place: u32) -> Result<()> {
        let job = &mut self.jobs[place as usize];
        job.done += 1;
        if job.done != job.chunks {
            return Ok(());
        }
        let (rank, node) = (job.rank, job.node);
        self.node_over(rank, node)
    }
}

impl Access {
    fn takes(&self, bytes: u64) -> u64 {
        let took = (bytes as f64 / self.bandwidth as f64) as u64;
        self.latency.saturating_add(took)
    }
}

/// Bytes of a collective, and of each of its chunks, the last of which is as large as the others.
fn cut(asked: &Collective, splits: u64, npus: u32) -> Result<(u64, u64)> {
    let chunk = asked.bytes / splits;
    if asked.com != Com::AllGather && chunk < u64::from(npus) {
        let chunk = u64::from(npus);
        return Ok((splits * chunk, chunk));
    }
    if chunk == 0 && asked.bytes > 0 {
        return Err(fails(
            &format!(
                "an all-gather of {} bytes in {splits} splits is cut for ever",
                asked.bytes
            ),
            "give at least a byte for each of preferred-dataset-splits",
        ));
    }
    Ok((asked.bytes, chunk))
}
