#!/bin/sh
# Makes the chest X-ray model from the dataset and the ImageNet weights: run.sh DATASET_DIR WEIGHTS FOREIGN_DIR WORK_DIR
# FOREIGN_DIR has a folder for each source of pictures that show something else.
# It writes the manifest, the model and the reference scores into the repository.
# `python3` needs the packages of models/recipe/requirements.txt, and the last steps need `bedside` on the path.
# A step whose result is in WORK_DIR is skipped, so that an interrupted run continues.
set -eu

[ $# -eq 4 ] || { echo "usage: run.sh DATASET_DIR WEIGHTS FOREIGN_DIR WORK_DIR" >&2; exit 2; }
dataset=$1
weights=$2
foreign=$3
work=$4
recipe=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$recipe")
shared=$(dirname "$model")/recipe
samples=$(dirname "$model")/samples
tests=$(dirname "$(dirname "$model")")/tests/golden
golden=$tests/chest-xray
mkdir -p "$work" "$golden" "$recipe/held_out"
# The manifest is written at the end only.
manifest=$work/manifest.json
cp "$model/manifest.json" "$manifest"

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

python3 "$shared/learned.py" "$dataset" "$manifest" --fold 0

scores() { # labels, folder, result
    python3 "$tests/make_scores.py" score "$1" "$2" --manifest "$manifest" \
        --float "$float" --int8 "$int8" -o "$3"
}

scores "$samples/labels.csv" "$samples" "$golden/samples.csv"
scores "$dataset/labels.csv" "$dataset" "$golden/test_split.csv"
python3 "$shared/evaluate.py" "$golden/test_split.csv" "$manifest"

# The scores of the golden sample are those of ONNX Runtime.
picture=IM-0001-0001.jpeg
awk -F, -v picture="$picture" '
    NR == 1 { for (i = 4; i <= NF; i++) name[i] = $i; print "label,score" }
    $1 == picture && $3 == "int8" { for (i = 4; i <= NF; i++) print name[i] "," $i }
' "$golden/samples.csv" > "$work/golden.csv"
bedside pack "$int8" --manifest "$manifest" -o "$work/packed.onnx" \
    --golden "$samples/$picture" --scores "$work/golden.csv"

python3 "$shared/held_out_logits.py" "$dataset" "$int8" "$recipe/held_out/fold0.csv" --fold 0
python3 "$shared/held_out.py" "$dataset" "$work/kermany_held_out.csv" --fold 0
bedside calibrate "$work/packed.onnx" --images "$dataset" --labels "$work/kermany_held_out.csv" --group group \
    --foreign "$foreign" --features add_5_DequantizeLinear_Output --miss normal=0.02 --color gray --resaved -o "$model/model.onnx"
python3 "$shared/take_over.py" "$model/model.onnx" "$manifest"
mv "$manifest" "$model/manifest.json"
