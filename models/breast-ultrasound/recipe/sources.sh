#!/bin/sh
# Measures networks that did not learn from one scanner of BUS-BRA, or not from BUSI, on what they did not learn from:
# sources.sh DATA WEIGHTS_DIR WORK_DIR
# It writes their logits into held_out/, and prints the areas. An interrupted run continues. No test split is read.
set -eu

[ $# -eq 3 ] || { echo "usage: sources.sh DATA WEIGHTS_DIR WORK_DIR" >&2; exit 2; }
data=$1 weights=$2/mobilenet_v2_1.0_224_float.onnx work=$3
recipe=$(cd "$(dirname "$0")" && pwd)
shared=$recipe/../../recipe
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0 PYTHONPATH="$recipe:$shared"
mkdir -p "$work" "$recipe/held_out"

without() { # name, then COLUMN=START of what is left out
    name=$work/without_$1
    logits=$recipe/held_out/without_$1.csv
    [ -f "$name.pt" ] || python3 "$shared/train.py" "$data" "$weights" -o "$name.pt" --fold "$2"
    [ -f "$name.int8.onnx" ] || python3 "$shared/quantize.py" "$data" "$name.pt" \
        --float "$name.float.onnx" --int8 "$name.int8.onnx" --fold "$2"
    python3 "$shared/held_out_logits.py" "$data" "$name.int8.onnx" "$logits" --fold "$2"
    echo "without $2:"
    python3 "$shared/patients.py" "$logits" --of malignant --against benign
}

without logiq5 "device=GE Logiq 5"
without logiq7 "device=GE Logiq 7"
without aplio "device=Toshiba"
without busi "set=busi"
