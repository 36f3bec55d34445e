#!/bin/bash
# Measure every network on every runtime in every precision on the CUDA device that is here.
#
#   scripts/gpu.sh [--python BACKEND=PYTHON]... [RESULTS_FOLDER] [further pytest options]
#
# Needs neither a network nor an installed package: it runs from the source tree with $PYTHON (default python3).
# It resumes: started again with the same folder, it measures only what is not there yet. Runtimes that are not
# ready are rows with a reason. NETWORKS, RUNTIMES, PRECISIONS and BATCHES in the environment narrow the run;
# SUITES="suites/test_training.py" with --inception-width-mults=1 --inception-data=fashion-mnist:PATH trains instead.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
interpreters=()
while [ "${1:-}" = --python ]; do
  interpreters+=("$2")
  shift 2
done
folder=${1:-results/gpu}
[ $# -gt 0 ] && shift
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
# Only what the run needs: a host may have plug-ins of its own.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1

mkdir -p "$folder"
doctor=()
for interpreter in ${interpreters[@]+"${interpreters[@]}"}; do doctor+=(--python "$interpreter"); done
"$python" -m inception_bench doctor --json ${doctor[@]+"${doctor[@]}"} >"$folder/doctor.json" || true

options=(
  --benchmark-only
  --inception-device=cuda
  --inception-models="${NETWORKS:-all}"
  --inception-backends="${RUNTIMES:-all}"
  --inception-precisions="${PRECISIONS:-fp32,tf32,bf16,fp16}"
  --inception-batch-sizes="${BATCHES:-1,8,32,128}"
  --inception-results="$folder"
  --inception-resume
)
if [ ${#interpreters[@]} -gt 0 ]; then
  options+=(--inception-python="$(IFS=,; echo "${interpreters[*]}")")
fi
exec "$python" -m pytest -p pytest_benchmark.plugin -p inception_bench.plugin -p no:cacheprovider \
  ${SUITES:-suites/test_latency.py} "${options[@]}" "$@"
