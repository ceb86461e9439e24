//! The phases that a chunk goes through: which dimension, which algorithm, how many bytes.

use super::ask::{Collective, Com, Question, System, Way};
use super::circle::{Circle, sizes};
use super::tree::Tree;
use crate::error::{Error, Result};
use std::sync::Arc;

/// Who takes part in a phase.
#[derive(Debug, Clone)]
pub(super) enum Scene {
    Circle(Circle),
    Tree(Tree),
}

/// One phase of a chunk, of one member.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) scene: Scene,
    pub(super) com: Com,
    pub(super) way: Way,
    pub(super) bytes: u64,
    pub(super) queue: u32,
    pub(super) forward: bool,
}

/// Where a dimension's queues have got to.
#[derive(Debug, Clone, Copy)]
struct Turns {
    any: u32,
    first: u32,
    last: u32,
}

/// What a rank remembers between collectives.
#[derive(Debug)]
pub(super) struct Planner {
    rank: u32,
    queues: u32,
    turns: Vec<Turns>,
    /// By collective and dimension, trees handed out.
    trees: Vec<u32>,
}

/// One dimension as an algorithm sees it.
struct Level {
    way: Way,
    scene: Scene,
    members: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Pick {
    Any,
    First,
    Last,
}

impl Planner {
    pub(super) fn of(rank: u32, question: &Question) -> Self {
        let (dimensions, queues) = (question.network.len(), question.system.queues);
        let turns = Turns {
            any: 0,
            first: 0,
            last: queues / 2,
        };
        Self {
            rank,
            queues,
            turns: vec![turns; dimensions],
            trees: vec![0; 4 * dimensions],
        }
    }

    /// Phases of one chunk; none where no dimension takes part.
    pub(super) fn phases(
        &mut self,
        question: &Question,
        asked: &Collective,
        group: Option<&Arc<[u32]>>,
        chunk: u64,
    ) -> Result<Vec<Phase>> {
        let levels = self.levels(question, asked.com, group)?;
        // Four dimensions where the trace does not say, all of them for a group that is everyone.
        let everyone = vec![true; if group.is_some() { 10 } else { 4 }];
        let involved = match (&asked.involved, group) {
            (Some(involved), None) => involved.clone(),
            _ => everyone,
        };
        let live: Vec<usize> = (0..levels.len())
            .filter(|&at| levels[at].members != 1 && involved.get(at) == Some(&true))
            .collect();
        let mut phases = Vec::new();
        let mut size = chunk;
        let mut add = |planner: &mut Self, com, at: usize, pick| -> Result<()> {
            let level = &levels[at];
            let (queue, forward) = planner.queue(at, pick);
            let phase = planner.phase(level, (com, asked.com), at, size)?;
            size = match level.way {
                Way::Tree => size,
                way => sizes(com, way, size, level.members).1,
            };
            phases.push(Phase {
                queue,
                forward,
                ..phase
            });
            Ok(())
        };
        if asked.com == Com::AllReduce && !question.system.baseline {
            if let Some((&last, rest)) = live.split_last() {
                for &at in rest {
                    add(self, Com::ReduceScatter, at, Pick::First)?;
                }
                add(self, Com::AllReduce, last, Pick::First)?;
                for &at in rest.iter().rev() {
                    add(self, Com::AllGather, at, Pick::Last)?;
                }
            }
        } else if asked.com == Com::AllGather {
            for &at in live.iter().rev() {
                add(self, asked.com, at, Pick::Any)?;
            }
        } else {
            for &at in &live {
                add(self, asked.com, at, Pick::Any)?;
            }
        }
        Ok(phases)
    }

    fn phase(
        &mut self,
        level: &Level,
        (com, asked): (Com, Com),
        at: usize,
        size: u64,
    ) -> Result<Phase> {
        let mut scene = level.scene.clone();
        if let Scene::Tree(tree) = &mut scene {
            let turn = &mut self.trees[asked.place() * self.turns.len() + at];
            tree.root_last = *turn % 2 == 0;
            *turn = turn.wrapping_add(1);
        }
        if level.way == Way::Halving && com == Com::AllToAll {
            return Err(fails(
                "halvingDoubling has no all-to-all",
                "name direct or ring",
            ));
        }
        Ok(Phase {
            scene,
            com: if level.way == Way::Tree {
                Com::AllReduce
            } else {
                com
            },
            way: level.way,
            bytes: size,
            queue: 0,
            forward: true,
        })
    }

    /// The next queue of a dimension, and the direction of its ring.
    fn queue(&mut self, at: usize, pick: Pick) -> (u32, bool) {
        let (queues, base) = (self.queues, at as u32 * self.queues);
        let turns = &mut self.turns[at];
        match pick {
            Pick::Any => {
                let queue = turns.any;
                turns.any = (queue + 1) % queues;
                (base + queue, queues == 1 || queue < queues / 2)
            }
            Pick::First => {
                let queue = turns.first;
                turns.first = if queue + 1 >= queues / 2 {
                    0
                } else {
                    queue + 1
                };
                (base + queue, true)
            }
            Pick::Last => {
                let queue = turns.last;
                turns.last = if queue + 1 >= queues {
                    queues / 2
                } else {
                    queue + 1
                };
                (base + queue, false)
            }
        }
    }

    fn levels(
        &self,
        question: &Question,
        com: Com,
        group: Option<&Arc<[u32]>>,
    ) -> Result<Vec<Level>> {
        let named = named(&question.system, com)?;
        match group {
            Some(members) if members.len() as u64 != u64::from(question.npus()) => {
                // A group of fewer ranks is a ring of its own, whatever several dimensions name.
                let way = if named.len() > 1 {
                    Way::Ring
                } else {
                    named[0].way
                };
                Ok(vec![self.group_level(way, members)?])
            }
            _ => self.dimensions(question, com),
        }
    }

    fn group_level(&self, way: Way, members: &Arc<[u32]>) -> Result<Level> {
        let Some(mine) = members.iter().position(|&npu| npu == self.rank) else {
            let what = format!(
                "rank {} runs a collective of a group that it is not in",
                self.rank
            );
            return Err(fails(
                &what,
                "put the rank into the group, or take the collective out of its trace",
            ));
        };
        if way == Way::Tree {
            return Err(fails(
                "doubleBinaryTree in a group of ranks",
                "name ring or direct",
            ));
        }
        let size = members.len() as u32;
        Ok(Level {
            way,
            members: size,
            scene: Scene::Circle(Circle {
                start: 0,
                stride: 1,
                size,
                mine: mine as u32,
                members: Some(Arc::clone(members)),
            }),
        })
    }

    fn dimensions(&self, question: &Question, com: Com) -> Result<Vec<Level>> {
        let named = named(&question.system, com)?;
        let (mut levels, mut stride) = (Vec::new(), 1u32);
        for (row, implementation) in question.network.iter().zip(named) {
            let size = row.size;
            if implementation.one {
                let circle = Circle {
                    start: 0,
                    stride: 1,
                    size: question.npus(),
                    mine: self.rank,
                    members: None,
                };
                levels.push(Level {
                    way: implementation.way,
                    members: circle.size,
                    scene: Scene::Circle(circle),
                });
                break;
            }
            let mine = (self.rank / stride) % size;
            let start = self.rank - mine * stride;
            let scene = if implementation.way == Way::Tree {
                if !size.is_power_of_two() {
                    let what = format!("doubleBinaryTree over {size} members");
                    return Err(fails(&what, "its trees have a power of two of members"));
                }
                Scene::Tree(Tree {
                    start,
                    stride,
                    size,
                    root_last: true,
                })
            } else {
                Scene::Circle(Circle {
                    start,
                    stride,
                    size,
                    mine,
                    members: None,
                })
            };
            levels.push(Level {
                way: implementation.way,
                members: size,
                scene,
            });
            stride *= size;
        }
        Ok(levels)
    }
}

fn named(system: &System, com: Com) -> Result<&[super::ask::Implementation]> {
    let named = &system.implementations[com.place()];
    if named.is_empty() {
        let what = format!("an {} without an algorithm", com.name());
        return Err(fails(
            &what,
            &format!("name some in {}-implementation", com.name()),
        ));
    }
    Ok(named)
}

/// What stops the peer too.
pub(super) fn fails(what: &str, instead: &str) -> Error {
    Error::Unsupported {
        what: format!("ASTRA-sim has no answer: {what}"),
        instead: instead.to_owned(),
    }
}
