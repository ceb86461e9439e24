//! Programs whose instructions the performance gate counts, also of use under a profiler: one program, since each that is
//! linked optimises the whole core again. `counts collective|event_flows|random_flows ARGUMENTS`, as their files say.
#![allow(
    clippy::print_stdout,
    reason = "the output is there to keep the work from being optimised away"
)]

mod collective;
mod event_flows;
mod random_flows;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (name, arguments) = words.split_first().ok_or("see the head of main.rs")?;
    match name.as_str() {
        "collective" => collective::all_reduce(arguments),
        "event_flows" => event_flows::simulate(arguments),
        "random_flows" => Ok(random_flows::load(arguments)?),
        _ => Err("see the head of main.rs".into()),
    }
}
