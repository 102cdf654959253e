#!/bin/sh
# Makes the skin-lesion model from the dataset and the ImageNet weights: run.sh DATASET_DIR WEIGHTS_DIR FOREIGN_DIR WORK_DIR
# FOREIGN_DIR has a folder for each source of pictures that show something else.
# It writes the manifest, the model and the reference scores into the repository.
# `python3` needs the packages of models/recipe/requirements.txt, and the last steps need `bedside` on the path.
# A step whose result is in WORK_DIR is skipped, so that an interrupted run continues.
set -eu

[ $# -eq 4 ] || { echo "usage: run.sh DATASET_DIR WEIGHTS_DIR FOREIGN_DIR WORK_DIR" >&2; exit 2; }
dataset=$1
weights=$2/mobilenet_v2_1.0_224_float.onnx
foreign=$3
work=$4
recipe=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$recipe")
shared=$(dirname "$model")/recipe
samples=$(dirname "$model")/samples
tests=$(dirname "$(dirname "$model")")/tests/golden
golden=$tests/skin-lesion
mkdir -p "$work" "$recipe/held_out"
# The manifest is written at the end only.
manifest=$work/manifest.json
cp "$model/manifest.json" "$manifest"

# Waiting threads sleep and do not spin, so that other processes of a shared machine can run.
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
export PYTHONPATH="$recipe:$shared"

trained() { # name, then `--fold N` or nothing
    name=$1
    shift
    [ -f "$work/$name.pt" ] || python3 "$recipe/train.py" "$dataset" "$weights" -o "$work/$name.pt" "$@"
    [ -f "$work/$name.int8.onnx" ] || python3 "$recipe/quantize.py" "$dataset" "$work/$name.pt" \
        --float "$work/$name.float.onnx" --int8 "$work/$name.int8.onnx" "$@"
}

trained all
for fold in 0 1 2; do
    trained "fold$fold" --fold "$fold"
done

python3 "$shared/learned.py" "$dataset" "$manifest"

scores() { # labels, folder, result, then `--draft` or nothing
    python3 "$tests/make_scores.py" score "$1" "$2" --manifest "$manifest" \
        --float "$work/all.float.onnx" --int8 "$work/all.int8.onnx" -o "$3" ${4:+"$4"}
}

python3 "$tests/make_scores.py" enlarge "$dataset" "$work/enlarged"
scores "$samples/labels.csv" "$samples" "$golden/samples.csv"
scores "$dataset/labels.csv" "$dataset" "$golden/test_split.csv"
scores "$dataset/labels.csv" "$work/enlarged" "$golden/enlarged.csv"
scores "$dataset/labels.csv" "$work/enlarged" "$golden/enlarged_draft.csv" --draft
cp "$work/all.float.onnx" "$golden/float.onnx"
python3 "$shared/evaluate.py" "$golden/test_split.csv" "$manifest"

# The scores of the golden sample are those of ONNX Runtime.
picture=ISIC_0012134.jpg
awk -F, -v picture="$picture" '
    NR == 1 { for (i = 4; i <= NF; i++) name[i] = $i; print "label,score" }
    $1 == picture && $3 == "int8" { for (i = 4; i <= NF; i++) print name[i] "," $i }
' "$golden/samples.csv" > "$work/golden.csv"
bedside pack "$work/all.int8.onnx" --manifest "$manifest" -o "$work/packed.onnx" \
    --golden "$samples/$picture" --scores "$work/golden.csv"

# A fold's network learned from other pictures than the manifest says: the column `fold` tells which it has not seen.
python3 -c 'import json, sys; m = json.load(sys.stdin); del m["provenance"]["training_sha256"]; json.dump(m, sys.stdout)' \
    < "$manifest" > "$work/fold.json"
for fold in 0 1 2; do
    bedside pack "$work/fold$fold.int8.onnx" --manifest "$work/fold.json" -o "$recipe/held_out/fold$fold.onnx"
    python3 "$shared/held_out_logits.py" "$dataset" "$work/fold$fold.int8.onnx" "$recipe/held_out/fold$fold.csv" --fold "$fold"
done
python3 "$shared/held_out.py" "$dataset" "$work/isic2017_train_val.csv"
bedside calibrate "$work/packed.onnx" --images "$dataset" --labels "$work/isic2017_train_val.csv" --group group \
    --folds "$recipe/held_out/fold0.onnx,$recipe/held_out/fold1.onnx,$recipe/held_out/fold2.onnx" --foreign "$foreign" \
    --features hardtanh_7_DequantizeLinear_Output,add_9_DequantizeLinear_Output -o "$model/model.onnx"
python3 "$shared/take_over.py" "$model/model.onnx" "$manifest"
mv "$manifest" "$model/manifest.json"
