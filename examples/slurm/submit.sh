#!/bin/sh
# Does a sweep as a Slurm job array, a task a cell, and compares the cells when all have ended:
#
#     sh examples/slurm/submit.sh 8gaussians --vary snapshot.interval=1,10 --out /a/folder/that/all/nodes/see
#
# The arguments are those of `afterimage sweep`. The same command again hands out what is still to be done. AFTERIMAGE names
# the program, which all nodes must see under that path; OPTIONS are options of sbatch for each task, such as
# OPTIONS='--partition=gpu --gres=gpu:1 --time=60'.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
AFTERIMAGE=$(command -v "${AFTERIMAGE:-afterimage}")
export AFTERIMAGE

tasks=$(mktemp "$PWD/sweep-tasks-XXXXXX")
"$AFTERIMAGE" sweep "$@" --tasks >"$tasks"
count=$(wc -l <"$tasks")
if [ "$count" -eq 0 ]; then
    rm "$tasks"
    exec "$AFTERIMAGE" sweep "$@" --collect
fi
# shellcheck disable=SC2086 # OPTIONS are several words
job=$(sbatch --parsable ${OPTIONS:-} --array="1-$count" "$here/cell.sbatch" "$tasks")
# Also where cells have failed: what they failed with is in the table.
last=$(sbatch --parsable --dependency="afterany:$job" "$here/collect.sbatch" "$tasks" "$@")
echo "$count cells are job $job, and their comparison is job $last"
