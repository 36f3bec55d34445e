#!/bin/bash
# Measure on the CUDA device that is here, from the source tree: no network and no installed package is needed.
#
#   scripts/gpu.sh [--plan] [--python BACKEND=PYTHON]... [RESULTS_FOLDER] [further pytest options]
#
# --plan only prints what would be measured and a guess of how long it takes. A run that is started again with the
# same folder measures only what that folder has not got of this code on this machine with these packages.
#
# The environment narrows and orders the work:
#   LEASE=a|b      a short, ordered list for a GPU that is lent for minutes (see below); else the profile "gpu"
#   NETWORKS, RUNTIMES, PRECISIONS, BATCHES, SUITES   lists in place of the profile's
#   DEVICE=cpu     a dry run, with SMALL=1 of narrow networks on small images
#   LIMIT_S=420    after so many seconds the run is ended in order, and the board is made of what is there
#   DOCTOR=0       do not ask each runtime what it lacks (that starts a process each)
#   PROBE=1        first measure the card itself (scripts/gpu_probe.py), PROBE_OPTIONS are its options
#   OUT=DIR        put one archive of the results there, in pieces of at most 16 MiB
#   PYTHON         the interpreter (python3); wheels that lie in .whl/ are put on a path of their own for it
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
device=${DEVICE:-cuda}
temporary=${TMPDIR:-/tmp}
export INCEPTION_BENCH_CACHE="${INCEPTION_BENCH_CACHE:-$temporary/inception_bench}"
# Only what the run needs: a host may have plug-ins of its own.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1

plan_only=
interpreters=()
while [ $# -gt 0 ]; do
  case $1 in
    --plan) plan_only=1; shift ;;
    --python) interpreters+=("$2"); shift 2 ;;
    *) break ;;
  esac
done
folder=${1:-results/gpu}
[ $# -gt 0 ] && shift

path=$PWD
if compgen -G '.whl/*.whl' >/dev/null; then
  site=$temporary/inception_bench-wheels
  "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$site" .whl/*.whl
  path=$path:$site
fi
export PYTHONPATH="$path${PYTHONPATH:+:$PYTHONPATH}"

# A list of lent minutes: what is worth most comes first, as the limit may end it.
small=()
[ "${SMALL:-0}" = 0 ] || small=(--inception-width-mults=0.125 --inception-input-sizes=75 --inception-threads=1)
cells=()
cell() { # NETWORK PIXELS RUNTIME PRECISION BATCH
  local scale=$2px
  [ ${#small[@]} -eq 0 ] || scale=75px-w0.125
  cells+=("suites/test_latency.py::test_latency[$1-$3-$device-$4-b$5-$scale]")
}
v3() { cell inception_v3 299 "$@"; }
case ${LEASE:-} in
  a)
    networks=inception_v3 runtimes=eager precisions=fp32,fp16 batches=1
    v3 eager fp32 1
    v3 eager fp16 1
    ;;
  b)
    networks=inception_v3,googlenet,inception_v4 batches=1,128 precisions=fp32,tf32,fp16,bf16
    runtimes='eager,eager_channels_last,torchscript,compile'
    v3 eager fp32 1
    v3 eager fp16 1
    v3 eager_channels_last fp16 1
    v3 torchscript fp16 1
    v3 eager fp32 128
    v3 eager tf32 128
    v3 eager fp16 128
    v3 eager bf16 128
    v3 compile fp16 1
    # At the papers' scale only, which a dry run has no time for.
    [ ${#small[@]} -gt 0 ] || cells+=("suites/test_training.py::test_step[inception_v3-299px-w1-quick-s0-digits]")
    cell googlenet 224 eager fp32 1
    cell inception_v4 299 eager fp32 1
    ;;
  '') networks=${NETWORKS:-} runtimes=${RUNTIMES:-} precisions=${PRECISIONS:-} batches=${BATCHES:-} ;;
  *) echo "LEASE=$LEASE is none; give a or b" >&2; exit 2 ;;
esac
[ ${#cells[@]} -gt 0 ] || read -ra cells <<<"${SUITES:-suites/test_latency.py}"

options=(--benchmark-only --inception-profile=gpu --inception-device="$device" --inception-results="$folder"
  ${small[@]+"${small[@]}"})
[ -z "$networks" ] || options+=(--inception-models="$networks")
[ -z "$runtimes" ] || options+=(--inception-backends="$runtimes")
[ -z "$precisions" ] || options+=(--inception-precisions="$precisions")
[ -z "$batches" ] || options+=(--inception-batch-sizes="$batches")
if [ ${#interpreters[@]} -gt 0 ]; then
  options+=(--inception-python="$(IFS=,; echo "${interpreters[*]}")")
fi
pytest=("$python" -m pytest -p pytest_benchmark.plugin -p inception_bench.plugin -p no:cacheprovider "${cells[@]}"
  "${options[@]}" "$@")

if [ -n "$plan_only" ]; then
  exec "${pytest[@]}" --collect-only
fi

mkdir -p "$folder"
begun=$SECONDS
if [ "${PROBE:-0}" != 0 ]; then
  # shellcheck disable=SC2086 - several options
  "$python" scripts/gpu_probe.py -o "$folder/probe.json" --device "$device" ${PROBE_OPTIONS:-} ||
    echo "the probe ended with exit code $?; measuring on" >&2
  echo "probe: $((SECONDS - begun)) s"
fi
if [ "${DOCTOR:-1}" != 0 ]; then
  doctor=()
  for interpreter in ${interpreters[@]+"${interpreters[@]}"}; do doctor+=(--python "$interpreter"); done
  "$python" -m inception_bench doctor --json ${doctor[@]+"${doctor[@]}"} >"$folder/doctor.json" || true
fi

limit=()
if [ -n "${LIMIT_S:-}" ]; then
  left=$((LIMIT_S - (SECONDS - begun)))
  # At the limit as by Ctrl-C: pytest ends the cell under way and writes the board of what is there.
  limit=(timeout --signal=INT --kill-after=30 "$((left > 10 ? left : 10))")
fi
code=0
${limit[@]+"${limit[@]}"} "${pytest[@]}" --inception-resume || code=$?
echo "all: $((SECONDS - begun)) s, exit code $code"

if [ -n "${OUT:-}" ]; then
  mkdir -p "$OUT"
  tar -C "$folder" -czf - . | split --bytes=16M --numeric-suffixes --suffix-length=1 - "$OUT/results.tar.gz."
  ls -l "$OUT"
fi
exit "$code"
