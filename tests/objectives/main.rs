//! The objectives: every head against its twin, the theorem that at a fresh snapshot all of them are maximum likelihood,
//! what the log-normaliser does, and runs from the command line.

#[path = "../common/checkpoint.rs"]
#[allow(dead_code)]
mod checkpoint;
#[path = "../common/mod.rs"]
mod common;

mod batch;
mod command_line;
mod drawn;
mod heads;
mod likelihood;
mod networks;
mod normalisers;
mod theorem;
