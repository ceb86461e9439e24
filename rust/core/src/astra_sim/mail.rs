//! Messages on their way, alone or behind a consent, and what their arrival sets off.

use super::network;
use super::plan::fails;
use super::post::Reader;
use super::run::{Event, Held, Letter, Run, Sender};
use crate::error::Result;

impl Run<'_> {
    pub(super) fn delay(&self, from: u32, to: u32, bytes: u64) -> Result<u64> {
        if bytes == 0 {
            return Err(fails(
                "a message of 0 bytes",
                "give more bytes, or fewer preferred-dataset-splits",
            ));
        }
        network::alone(&self.ways, from, to, bytes).ok_or_else(|| {
            fails(
                &format!("rank {from} sends to itself"),
                "give another receiver",
            )
        })
    }

    pub(super) fn letter(&mut self, letter: Letter) -> u32 {
        self.messages += 1;
        if let Some(place) = self.unused.pop() {
            self.letters[place as usize] = letter;
            return place;
        }
        self.letters.push(letter);
        (self.letters.len() - 1) as u32
    }

    /// Puts a message on its way, behind a consent where the protocol asks for one.
    pub(super) fn send(
        &mut self,
        (from, to, bytes, tag): (u32, u32, u64, u64),
        sender: Sender,
    ) -> Result<()> {
        if !self.question.system.rendezvous {
            return self.post(from, to, (tag, from, bytes), sender);
        }
        self.held.push(Held::Send(from, to, bytes, tag, sender));
        let place = (self.held.len() - 1) as u32;
        self.expect(
            from,
            (tag + 1_000_000_000, to, 8192),
            Reader::Consent(place),
        )
    }

    /// Awaits a message.
    pub(super) fn receive(
        &mut self,
        (from, to, bytes, tag): (u32, u32, u64, u64),
        reader: Reader,
    ) -> Result<()> {
        if !self.question.system.rendezvous {
            return self.expect(to, (tag, from, bytes), reader);
        }
        self.held.push(Held::Receive(from, to, bytes, tag, reader));
        let place = (self.held.len() - 1) as u32;
        let key = (tag + 1_000_000_000, to, 8192);
        self.post(to, from, key, Sender::Consent(place))
    }

    fn expect(&mut self, to: u32, key: (u64, u32, u64), reader: Reader) -> Result<()> {
        if key.2 == 0 {
            self.delay(key.1, to, 0)?;
        }
        if self.ranks[to as usize].post.await_one(key, reader) {
            self.at(self.now, Event::Reader(reader));
        }
        Ok(())
    }

    fn post(&mut self, from: u32, to: u32, key: (u64, u32, u64), sender: Sender) -> Result<()> {
        let delay = self.delay(from, to, key.2)?;
        self.ranks[to as usize].post.send(key);
        let letter = self.letter(Letter { to, key, sender });
        if let Some(links) = &mut self.links {
            let mut made = Vec::new();
            links.send((from, to, key.2, letter), &mut made);
            self.on_links(made);
        } else {
            self.at(self.now.saturating_add(delay), Event::Letter(letter));
        }
        Ok(())
    }

    pub(super) fn arrive(&mut self, place: u32) -> Result<()> {
        let letter = self.letters[place as usize];
        self.unused.push(place);
        match letter.sender {
            Sender::None => {}
            Sender::Node(rank, node) => self.node_over(rank, node)?,
            Sender::Consent(place) => self.consented(place)?,
        }
        match self.ranks[letter.to as usize].post.arrive(letter.key) {
            Some(reader) => self.read(reader),
            None => Ok(()),
        }
    }

    pub(super) fn consented(&mut self, place: u32) -> Result<()> {
        match self.held[place as usize] {
            Held::Send(from, to, bytes, tag, sender) => {
                self.post(from, to, (tag, from, bytes), sender)
            }
            Held::Receive(from, to, bytes, tag, reader) => {
                self.expect(to, (tag, from, bytes), reader)
            }
        }
    }
}
