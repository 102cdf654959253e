#!/bin/sh
# Makes the skin-photo model from the data sets and the ImageNet weights: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR
# DATA holds pad_ufes and isic2017. FOREIGN_DIR has a folder for each source of pictures that show something else.
# It writes the manifest, the model and the reference scores into the repository.
# `python3` needs the packages of models/recipe/requirements.txt, and the last steps need `bedside` on the path.
# A step whose result is in WORK_DIR is skipped, so that an interrupted run continues.
set -eu

[ $# -eq 4 ] || { echo "usage: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR" >&2; exit 2; }
data=$1
weights=$2/mobilenet_v2_1.0_224_float.onnx
foreign=$3
work=$4
recipe=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$recipe")
shared=$(dirname "$model")/recipe
samples=$(dirname "$model")/samples
tests=$(dirname "$(dirname "$model")")/tests/golden
golden=$tests/skin-photo
mkdir -p "$work" "$golden" "$recipe/held_out"
# The manifest is written at the end only.
manifest=$work/manifest.json
cp "$model/manifest.json" "$manifest"

# Waiting threads sleep and do not spin, so that other processes of a shared machine can run.
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
export PYTHONPATH="$recipe:$shared"

folds="0 1 2 3 4"
for fold in $folds; do
    name=$work/fold$fold
    [ -f "$name.pt" ] || python3 "$shared/train.py" "$data" "$weights" -o "$name.pt" --fold "$fold"
    [ -f "$name.int8.onnx" ] || python3 "$shared/quantize.py" "$data" "$name.pt" \
        --float "$name.float.onnx" --int8 "$name.int8.onnx" --fold "$fold"
done

# The network of fold 0 is the model: a fifth of the patients is kept out of all that it learned from.
python3 "$shared/learned.py" "$data" "$manifest" --fold 0

scores() { # labels, folder, result
    python3 "$tests/make_scores.py" score "$1" "$2" --manifest "$manifest" \
        --float "$work/fold0.float.onnx" --int8 "$work/fold0.int8.onnx" -o "$3"
}

scores "$samples/labels.csv" "$samples" "$golden/samples.csv"
scores "$data/pad_ufes/labels.csv" "$data/pad_ufes" "$golden/test_split.csv"

# The scores of the golden sample are those of ONNX Runtime.
picture=PAT_1113_458_387.jpg
awk -F, -v picture="$picture" '
    NR == 1 { for (i = 4; i <= NF; i++) name[i] = $i; print "label,score" }
    $1 == picture && $3 == "int8" { for (i = 4; i <= NF; i++) print name[i] "," $i }
' "$golden/samples.csv" > "$work/golden.csv"
bedside pack "$work/fold0.int8.onnx" --manifest "$manifest" -o "$work/packed.onnx" \
    --golden "$samples/$picture" --scores "$work/golden.csv"

# A fold's network learned from other pictures than the manifest says: the column `fold` tells which it has not seen.
python3 -c 'import json, sys; m = json.load(sys.stdin); del m["provenance"]["training_sha256"]; json.dump(m, sys.stdout)' \
    < "$manifest" > "$work/fold.json"
networks=$work/packed.onnx
for fold in $folds; do
    python3 "$shared/held_out_logits.py" "$data" "$work/fold$fold.int8.onnx" "$work/logits$fold.csv" --fold "$fold"
    [ "$fold" = 0 ] && continue
    bedside pack "$work/fold$fold.int8.onnx" --manifest "$work/fold.json" -o "$work/fold$fold.onnx"
    networks=$networks,$work/fold$fold.onnx
done
head -n 1 "$work/logits0.csv" > "$recipe/held_out/logits.csv"
for fold in $folds; do
    tail -n +2 "$work/logits$fold.csv" >> "$recipe/held_out/logits.csv"
done
python3 "$shared/held_out.py" "$data" "$work/pad_ufes_train_val.csv"
bedside calibrate "$work/packed.onnx" --images "$data" --labels "$work/pad_ufes_train_val.csv" --group group \
    --folds "$networks" --foreign "$foreign" --features FEATURES \
    --miss melanoma=0.1 --miss squamous_cell_carcinoma=0.1 \
    --contrast cancer=melanoma,squamous_cell_carcinoma,basal_cell_carcinoma -o "$model/model.onnx"
python3 "$shared/take_over.py" "$model/model.onnx" "$manifest"
mv "$manifest" "$model/manifest.json"
