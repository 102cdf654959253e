# Makes a model from the data sets and the ImageNet weights. The `run.sh` of a model reads this file with its arguments, DATA
# WEIGHTS_DIR FOREIGN_DIR WORK_DIR, after it has set:
#   folds       how many parts of the patients are held out, each by a network of its own
#   imagenet    the file of ImageNet's weights in WEIGHTS_DIR
#   picture     the golden sample, of models/samples
#   calibrate   a function that adds the model's options to `bedside calibrate`
#
# DATA is the folder of the data sets. FOREIGN_DIR has a folder for each source of pictures that show something else. It writes
# the manifest, the model, the held-out logits and the reference scores into the repository. `python3` needs the packages of
# models/recipe/requirements.txt, and the last steps need `bedside` on the path. A step whose result is in WORK_DIR is skipped,
# so that an interrupted run continues.
set -eu

[ $# -eq 4 ] || { echo "usage: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR" >&2; exit 2; }
data=$1 weights=$2/$imagenet foreign=$3 work=$4
recipe=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$recipe")
shared=$(dirname "$model")/recipe
samples=$(dirname "$model")/samples
tests=$(dirname "$(dirname "$model")")/tests/golden
golden=$tests/$(basename "$model")
mkdir -p "$work" "$golden" "$recipe/held_out"
# The manifest is written at the end only.
manifest=$work/manifest.json
cp "$model/manifest.json" "$manifest"

# Waiting threads sleep and do not spin, so that other processes of a shared machine can run.
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
export PYTHONPATH="$recipe:$shared"

# The network that did not learn from the first part is the model: a part of the patients is kept out of all that it learned.
for fold in $(seq 0 $((folds - 1))); do
    name=$work/fold$fold
    [ -f "$name.pt" ] || python3 "$shared/train.py" "$data" "$weights" -o "$name.pt" --fold "$fold"
    [ -f "$name.int8.onnx" ] || python3 "$shared/quantize.py" "$data" "$name.pt" \
        --float "$name.float.onnx" --int8 "$name.int8.onnx" --fold "$fold"
done
python3 "$shared/learned.py" "$data" "$manifest" --fold 0

scores() { # labels, folder, result
    python3 "$tests/make_scores.py" score "$1" "$2" --manifest "$manifest" \
        --float "$work/fold0.float.onnx" --int8 "$work/fold0.int8.onnx" -o "$3"
}

python3 "$shared/split.py" "$data" "$work/test.csv" test
scores "$samples/labels.csv" "$samples" "$golden/samples.csv"
scores "$work/test.csv" "$data" "$golden/test_split.csv"

# The scores of the golden sample are those of ONNX Runtime.
awk -F, -v picture="$picture" '
    NR == 1 { for (i = 4; i <= NF; i++) name[i] = $i; print "label,score" }
    $1 == picture && $3 == "int8" { for (i = 4; i <= NF; i++) print name[i] "," $i }
' "$golden/samples.csv" > "$work/golden.csv"
bedside pack "$work/fold0.int8.onnx" --manifest "$manifest" -o "$work/packed.onnx" \
    --golden "$samples/$picture" --scores "$work/golden.csv"

# The other networks learned from other pictures than the manifest says: the column `fold` tells which they have not seen.
python3 -c 'import json, sys; m = json.load(sys.stdin); del m["provenance"]["training_sha256"]; json.dump(m, sys.stdout)' \
    < "$manifest" > "$work/fold.json"
networks=$work/packed.onnx
for fold in $(seq 1 $((folds - 1))); do
    bedside pack "$work/fold$fold.int8.onnx" --manifest "$work/fold.json" -o "$work/fold$fold.onnx"
    networks=$networks,$work/fold$fold.onnx
done
for fold in $(seq 0 $((folds - 1))); do
    [ -f "$work/logits$fold.csv" ] || python3 "$shared/held_out_logits.py" "$data" "$work/fold$fold.int8.onnx" \
        "$work/logits$fold.csv" --fold "$fold"
done
joined() { # the tables of all folds whose names begin so, as one that names the network of each row
    sed -n '1s/$/,network/p' "${1}0.csv"
    tail -n +2 "${1}0.csv" | sed 's/$/,model/'
    for fold in $(seq 1 $((folds - 1))); do tail -n +2 "$1$fold.csv" | sed "s/\$/,fold$fold/"; done
}
painted() { # the program that paints over something: writes the logits of the painted pictures, each by a network that has not seen it
    [ -d "$work/painted" ] || {
        rm -rf "$work/painting"
        python3 "$1" "$data" "$work/painting"
        mv "$work/painting" "$work/painted"
    }
    for fold in $(seq 0 $((folds - 1))); do
        [ -f "$work/painted$fold.csv" ] || python3 "$shared/held_out_logits.py" "$work/painted" "$work/fold$fold.int8.onnx" \
            "$work/painted$fold.csv" --fold "$fold"
    done
    joined "$work/painted" > "$recipe/held_out/painted.csv"
}
joined "$work/logits" > "$recipe/held_out/logits.csv"
python3 "$shared/held_out.py" "$data" "$work/train_val.csv"
calibrate "$work/packed.onnx" --images "$data" --labels "$work/train_val.csv" --group group --folds "$networks" \
    --foreign "$foreign" -o "$model/model.onnx"
python3 "$shared/take_over.py" "$model/model.onnx" "$manifest"
mv "$manifest" "$model/manifest.json"
