#!/bin/sh
# The experiment on digits: sh docs/experiments/digits.sh [--collect | --tasks | …], from the repository's folder. About 150 s of
# processor time a cell on one thread.
set -eu
exec "${AFTERIMAGE:-target/release/afterimage}" sweep digits --vary snapshot.interval=1,2,5,10,50,100,500,adaptive --budget both --most-reuse 5 \
  --only samples --samples 640 --seeds "${SEEDS:-3}" --out docs/experiments/digits \
  --set sampler.steps=3 --set optimiser.rate=1e-3 --set objective.normaliser=profiled --set run.batch=64 --set run.steps=1200 \
  --set optimiser.average=0.995 --set data.noise=0.2 --set data.noise_start=0 --set sampler.buffer=1024 \
  --set run.sample_steps=250 --set run.sample_every=0 --set sampler.probe=0 \
  --row 'contrastive divergence: objective.generator=contrastive-divergence,snapshot.interval=1,objective.normaliser=zero' \
  --row 'fixed noise: snapshot.kind=gaussian' \
  --row 'moving average of 0.9: snapshot.kind=ema,snapshot.decay=0.9' \
  --row 'adaptive re-use: snapshot.interval=adaptive,sampler.reuse=adaptive,run.steps=1500' \
  --row 'K = 1 with batch 32: snapshot.interval=1,run.batch=32,run.steps=2400' \
  --row 'K = 1 for as long as K = 5: snapshot.interval=1,run.steps=2000' "$@"
