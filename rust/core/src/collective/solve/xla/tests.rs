//! Every row of what the compiler was seen to choose.

use super::choice::{Choice, choose};
use super::group::Group;
use super::tables::Rules;
use crate::machine::TpuPart;
use crate::operation::Operation::{self, AllGather, AllReduce, AllToAll, ReduceScatter, SendRecv};

const ROWS: &str = include_str!("choices.csv");

/// A line of the table by its columns.
struct Row<'a> {
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    fn all() -> impl Iterator<Item = Row<'static>> {
        let lines = ROWS.lines().filter(|line| !line.starts_with('#'));
        lines.skip(1).map(|line| Row {
            cells: line.split(',').collect(),
        })
    }

    fn cell(&self, name: &str) -> &'a str {
        let header = ROWS.lines().find(|line| !line.starts_with('#'));
        let column = header.and_then(|line| line.split(',').position(|column| column == name));
        self.cells[column.expect("a column of the table")]
    }

    fn part(&self) -> TpuPart {
        let part = self.cell("topology").split(':').next();
        TpuPart::from_name(part.unwrap_or_default()).expect("a part")
    }

    /// Chips along x, y, z.
    fn sizes(&self) -> Vec<u32> {
        let shape = self.cell("topology").split(':').nth(1);
        let sizes = shape.expect("a shape").split('x');
        sizes.map(|size| size.parse().expect("a size")).collect()
    }

    fn group(&self) -> Group {
        let sizes = self.sizes();
        let axes = self
            .cell("axes")
            .bytes()
            .map(|axis| usize::from(axis - b'x'));
        let taken = axes.filter(|&axis| axis < sizes.len() && sizes[axis] > 1);
        let sides: Vec<(usize, u32)> = taken.map(|axis| (axis, sizes[axis])).collect();
        let chips = sides.iter().map(|side| side.1).product();
        Group::spanning(&sizes, &sides, chips)
    }

    fn operation(&self) -> Operation {
        match self.cell("op") {
            "psum" | "pmax" => AllReduce,
            "psum_scatter" => ReduceScatter,
            "all_gather" => AllGather,
            "all_to_all" => AllToAll,
            "ppermute" => SendRecv,
            other => panic!("{other}"),
        }
    }

    /// The least and the most bytes that it holds for.
    fn bytes(&self) -> Vec<f64> {
        let ends = [self.cell("bytes"), self.cell("to")].into_iter();
        let ends = ends.filter(|end| !end.is_empty());
        ends.map(|end| end.parse().expect("bytes")).collect()
    }

    fn choice(&self, bytes: f64) -> Choice {
        let element = if self.cell("dtype") == "f32" {
            4.0
        } else {
            2.0
        };
        choose(
            Rules::of(self.part()),
            &self.group(),
            self.operation(),
            bytes,
            element,
        )
    }

    fn is_handed_on(&self, bytes: f64) -> bool {
        let from = Rules::of(self.part()).handed_on_from;
        let moves = !matches!(self.operation(), AllToAll | SendRecv);
        moves && from.is_some_and(|least| bytes >= least)
    }
}

fn listed<T: ToString>(lists: &[Vec<T>]) -> String {
    let words = |list: &Vec<T>| {
        let words: Vec<String> = list.iter().map(T::to_string).collect();
        words.join(" ")
    };
    lists.iter().map(words).collect::<Vec<_>>().join(";")
}

/// A choice in the cells of the table.
fn cells(choice: &Choice) -> Vec<(&'static str, String)> {
    let count = |number: usize| match choice.rings.is_empty() {
        true => String::new(),
        false => number.to_string(),
    };
    vec![
        ("remains", choice.remains.to_owned()),
        ("emitter", choice.emitter.to_owned()),
        ("strategy", choice.strategy.to_owned()),
        ("colours", count(choice.rings.len())),
        ("phases", count(choice.rings.first().map_or(0, Vec::len))),
        ("rotations", listed(&choice.rotations)),
    ]
}

#[test]
fn every_row_is_what_the_compiler_chose() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for row in Row::all() {
        for bytes in row.bytes() {
            tried += 1;
            assert_eq!(row.is_handed_on(bytes), row.cell("remains") == "handed on");
            if row.is_handed_on(bytes) {
                continue;
            }
            let choice = row.choice(bytes);
            let mut expected = cells(&choice);
            // Rows that were looked for by size, and all of tpu7x, do not have these.
            if !row.cell("rings").is_empty() {
                expected.push(("rings", listed(&choice.rings)));
            }
            if !row.cell("multistep").is_empty() {
                let steps = choice.multistep.iter().map(|&step| u8::from(step));
                expected.push(("multistep", listed(&[steps.collect()])));
            }
            for (name, value) in expected {
                if row.cell(name) != value {
                    let line = row.cells.join(",");
                    wrong.push(format!("{line} at {bytes}: {name} is {value}"));
                }
            }
        }
    }
    assert!(tried > 600);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
