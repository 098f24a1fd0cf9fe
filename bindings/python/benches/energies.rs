//! The engine's own share of `energies.py`: scores a file of digits again for every line of its standard input, and prints the seconds
//! that it took and the sum of the energies.

use afterimage::cli;
use afterimage::gpu::{AdapterChoice, Executor, ExecutorOptions};
use afterimage::low_level::cache;
use afterimage::model::Model;
use std::path::Path;
use std::time::Instant;

fn main() {
    // SAFETY: the only thread so far is this one.
    unsafe { cli::prepare_environment() };
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .expect("a checkpoint, and a file of samples")
    };
    let model = Model::load(Path::new(&next())).expect("is whole");
    let bytes = std::fs::read(next()).expect("can be read");
    let values = bytes.chunks_exact(4);
    let x: Vec<f32> = values
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect();
    let count = x.len() / model.architecture().input().len();
    let options = ExecutorOptions {
        cache: cache::folder(),
        ..Default::default()
    };
    let mut executor = Executor::open(&AdapterChoice::Best, options).expect("an adapter");
    let mut evaluator = model.evaluator(&mut executor, count).expect("fits");
    for line in std::io::stdin().lines() {
        line.expect("is text");
        let start = Instant::now();
        let energies = evaluator.energies(&mut executor, &x).expect("computes");
        let took = start.elapsed().as_secs_f64();
        let sum: f64 = energies.into_iter().map(f64::from).sum();
        println!("{took} {sum}");
    }
}
