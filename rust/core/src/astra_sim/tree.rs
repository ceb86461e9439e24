//! Double binary trees: all bytes to the root of one tree and back; the next chunk takes the other.

use super::circle::Act;

/// One of two trees over `size` members, a power of two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree {
    pub(super) start: u32,
    pub(super) stride: u32,
    pub(super) size: u32,
    /// The root is the last member instead of the first.
    pub(super) root_last: bool,
}

/// Where a member is in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Root { child: u32 },
    Between { up: u32, left: u32, right: u32 },
    Leaf { up: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    TwoChildren,
    OneChild,
    ToParent,
    FromParent,
    ToChildren,
    End,
}

/// One member's part.
#[derive(Debug)]
pub(super) struct Branch {
    role: Role,
    state: State,
    bytes: u64,
    reductions: u32,
}

impl Tree {
    /// Its children by place in the full tree below the root, which has the places 0 to size - 2 in order.
    fn role(&self, npu: u32) -> Role {
        let place = (npu - self.start) / self.stride;
        let at = |place: u32| self.start + self.stride * place;
        let (root, shift) = if self.root_last {
            (self.size - 1, 0)
        } else {
            (0, 1)
        };
        // In order, the height of a node is the number of its trailing ones.
        let top = self.size / 2 - 1;
        if place == root {
            return Role::Root {
                child: at(top + shift),
            };
        }
        let inner = place - shift;
        let height = inner.trailing_ones();
        let half = 1u32 << height;
        let up = if inner == top {
            root
        } else if (inner >> (height + 1)) & 1 == 0 {
            inner + half + shift
        } else {
            inner - half + shift
        };
        if height == 0 {
            return Role::Leaf { up: at(up) };
        }
        Role::Between {
            up: at(up),
            left: at(inner - half / 2 + shift),
            right: at(inner + half / 2 + shift),
        }
    }
}

impl Branch {
    pub(super) fn of(tree: &Tree, npu: u32, bytes: u64) -> Self {
        Self {
            role: tree.role(npu),
            state: State::Begin,
            bytes,
            reductions: 0,
        }
    }

    /// Goes on: `arrived` with a message, else with the endpoint, or at the beginning.
    pub(super) fn step(&mut self, arrived: bool, begin: bool, acts: &mut Vec<Act>) {
        match self.role {
            Role::Leaf { up } => self.leaf(up, acts),
            Role::Between { up, left, right } => {
                self.between((up, left, right), arrived, begin, acts);
            }
            Role::Root { child } => self.root(child, acts),
        }
    }

    fn leaf(&mut self, up: u32, acts: &mut Vec<Act>) {
        match self.state {
            State::Begin => {
                acts.push(Act::Bundle(None));
                self.state = State::ToParent;
            }
            State::ToParent => {
                acts.push(Act::Send(up, self.bytes));
                acts.push(Act::Receive(up, self.bytes));
                self.state = State::FromParent;
            }
            State::FromParent => {
                acts.push(Act::Bundle(None));
                self.state = State::End;
            }
            _ => acts.push(Act::Exit),
        }
    }

    fn between(
        &mut self,
        (up, left, right): (u32, u32, u32),
        arrived: bool,
        begin: bool,
        acts: &mut Vec<Act>,
    ) {
        let bytes = self.bytes;
        match self.state {
            State::Begin => {
                self.state = State::TwoChildren;
                acts.push(Act::Receive(left, bytes));
                acts.push(Act::Receive(right, bytes));
            }
            State::TwoChildren if arrived => {
                acts.push(Act::Bundle(Some(bytes)));
                self.state = State::OneChild;
            }
            State::OneChild if arrived => {
                acts.push(Act::Bundle(Some(bytes)));
                self.state = State::ToParent;
            }
            _ if self.reductions < 1 && !arrived && !begin => self.reductions += 1,
            State::ToParent => {
                self.state = State::FromParent;
                acts.push(Act::Send(up, bytes));
                acts.push(Act::Receive(up, bytes));
            }
            State::FromParent if arrived => {
                acts.push(Act::Bundle(Some(bytes)));
                self.state = State::ToChildren;
            }
            State::ToChildren => {
                acts.push(Act::Send(left, bytes));
                acts.push(Act::Send(right, bytes));
                acts.push(Act::Exit);
            }
            _ => {}
        }
    }

    fn root(&mut self, child: u32, acts: &mut Vec<Act>) {
        match self.state {
            State::Begin => {
                self.state = State::OneChild;
                acts.push(Act::Receive(child, self.bytes));
            }
            State::OneChild => {
                acts.push(Act::Bundle(Some(self.bytes)));
                self.state = State::ToChildren;
            }
            State::ToChildren => {
                acts.push(Act::Send(child, self.bytes));
                acts.push(Act::Exit);
            }
            _ => {}
        }
    }
}
