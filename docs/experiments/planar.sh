#!/bin/sh
# The experiment on a planar set: sh docs/experiments/planar.sh 8gaussians|pinwheel [--collect | --tasks | …], from the repository's
# folder. About 25 s of processor time a cell on one thread.
set -eu
set_name=$1
shift
exec "${AFTERIMAGE:-target/release/afterimage}" sweep "$set_name" --vary snapshot.interval=1,2,5,10,50,100,500,adaptive --budget both --most-reuse 5 \
  --only density --samples 0 --tolerance 1e-3 --seeds "${SEEDS:-3}" --out "docs/experiments/$set_name" \
  --set run.steps=800 --set optimiser.rate=6e-3 --set objective.noise_ratio=1 --set run.sample_every=0 --set run.sample_steps=10 --set sampler.probe=0 --set sampler.diagnose=0 \
  --row 'contrastive divergence: objective.generator=contrastive-divergence,snapshot.interval=1,objective.normaliser=zero' \
  --row 'fixed noise: snapshot.kind=gaussian' \
  --row 'moving average of 0.9: snapshot.kind=ema,snapshot.decay=0.9' \
  --row 'adaptive re-use: snapshot.interval=adaptive,sampler.reuse=adaptive,run.steps=3000' \
  --row 'K = 1 for as long as K = 5: snapshot.interval=1,run.steps=2400' "$@"
