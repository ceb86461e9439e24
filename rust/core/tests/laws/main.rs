//! Laws and closed forms of the core: one program, so that it is compiled and linked once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod executor;

mod astra_sim;
mod collectives;
mod damage;
mod damage_cases;
mod damaged;
mod draws;
mod efficiency;
mod faults;
mod link_names;
mod loads;
mod mutations;
mod neuron;
mod patterns;
mod pipelines;
mod routes;
mod sample;
mod schedules;
mod synthesize;
mod together;
