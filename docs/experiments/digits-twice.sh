#!/bin/sh
# Noise used twice against K = 1, five seeds at equal evaluations and at equal processor time: sh docs/experiments/digits-twice.sh
# [--collect | --tasks | …], from the repository's folder. About 150 s of processor time a cell on one thread.
set -eu
exec "${AFTERIMAGE:-target/release/afterimage}" sweep digits --vary snapshot.interval=1,2 --budget gradients --most-reuse 5 \
  --only samples --samples 640 --seeds "${SEEDS:-5}" --out docs/experiments/digits-twice \
  --set sampler.steps=3 --set optimiser.rate=1e-3 --set objective.normaliser=profiled --set run.batch=64 --set run.steps=1200 \
  --set optimiser.average=0.995 --set data.noise=0.2 --set data.noise_start=0 --set sampler.buffer=1024 \
  --set run.sample_steps=250 --set run.sample_every=0 --set sampler.probe=0 \
  --row 'K = 1 with batch 32: snapshot.interval=1,run.batch=32,run.steps=2400' \
  --row 'K = 1 for as long as K = 2: snapshot.interval=1,run.steps=1540' "$@"
