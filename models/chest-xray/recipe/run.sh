#!/bin/sh
# Makes the chest X-ray model from the dataset and the ImageNet weights: run.sh DATASET_DIR WEIGHTS WORK_DIR
# It writes the manifest, the model and the reference scores into the repository.
# `python3` needs the packages of models/recipe/requirements.txt, and the last step needs `bedside` on the path.
# A step whose result is in WORK_DIR is skipped, so that an interrupted run continues.
set -eu

[ $# -eq 3 ] || { echo "usage: run.sh DATASET_DIR WEIGHTS WORK_DIR" >&2; exit 2; }
dataset=$1
weights=$2
work=$3
recipe=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$recipe")
shared=$(dirname "$model")/recipe
samples=$(dirname "$model")/samples
tests=$(dirname "$(dirname "$model")")/tests/golden
golden=$tests/chest-xray
mkdir -p "$work" "$golden"

# Waiting threads sleep and do not spin, so that other processes of a shared machine can run.
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
export PYTHONPATH="$recipe:$shared"

trained="$work/shipped.base.pt"
finished="$work/shipped.pt"
float="$work/shipped.float.onnx"
int8="$work/shipped.int8.onnx"

# Fold 0, a fifth of the train split, is held out.
[ -f "$trained" ] || python3 "$recipe/train.py" "$dataset" "$weights" -o "$trained" --fold 0
[ -f "$finished" ] || python3 "$recipe/finish.py" "$dataset" "$trained" -o "$finished" --fold 0
[ -f "$int8" ] || python3 "$recipe/quantize.py" "$dataset" "$finished" --float "$float" --int8 "$int8"
python3 "$recipe/agreement.py" "$dataset" "$float" "$int8" --fold 0
python3 "$recipe/snr.py" "$dataset" "$float" "$int8" --fold 0

python3 "$shared/calibrate.py" "$dataset" --int8 "$int8" --manifest "$model/manifest.json" \
    --folds "$int8" --out-of-fold "$work/held_out.csv"

python3 "$shared/learned.py" "$dataset" "$model/manifest.json" --fold 0

scores() { # labels, folder, result
    python3 "$tests/make_scores.py" score "$1" "$2" --manifest "$model/manifest.json" \
        --float "$float" --int8 "$int8" -o "$3"
}

scores "$samples/labels.csv" "$samples" "$golden/samples.csv"
scores "$dataset/labels.csv" "$dataset" "$golden/test_split.csv"
python3 "$shared/evaluate.py" "$golden/test_split.csv" "$model/manifest.json"

# The scores of the golden sample are those of ONNX Runtime.
picture=IM-0001-0001.jpeg
awk -F, -v picture="$picture" '
    NR == 1 { for (i = 4; i <= NF; i++) name[i] = $i; print "label,score" }
    $1 == picture && $3 == "int8" { for (i = 4; i <= NF; i++) print name[i] "," $i }
' "$golden/samples.csv" > "$work/golden.csv"
bedside pack "$int8" --manifest "$model/manifest.json" -o "$model/model.onnx" \
    --golden "$samples/$picture" --scores "$work/golden.csv"

# The calibration that is shipped, in place of the one that `calibrate.py` made to score with.
python3 "$shared/held_out.py" "$dataset" "$work/held_out_labels.csv" --fold 0
bedside calibrate "$model/model.onnx" --images "$dataset" --labels "$work/held_out_labels.csv" --group group \
    --features add_5_DequantizeLinear_Output --miss normal=0.02 -o "$work/calibrated.onnx"
mv "$work/calibrated.onnx" "$model/model.onnx"
