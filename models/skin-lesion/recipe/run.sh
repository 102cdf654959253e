#!/bin/sh
# Makes the skin-lesion model: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR, as models/recipe/make.sh says. DATA holds isic2017.
folds=3
imagenet=efficientnet-lite0-57934424.pth
picture=ISIC_0012134.jpg
features=hardtanh_3_DequantizeLinear_Output,hardtanh_7_DequantizeLinear_Output,add_4_DequantizeLinear_Output
calibrate() {
    bedside calibrate "$@" --features "$features" --miss melanoma=0.03
}
. "$(dirname "$0")/../../recipe/make.sh"

# What decoding at a reduced scale changes is measured on copies that are large enough for it.
python3 "$tests/make_scores.py" enlarge "$data/isic2017" "$work/enlarged"
for draft in "" --draft; do
    python3 "$tests/make_scores.py" score "$data/isic2017/labels.csv" "$work/enlarged" --manifest "$model/manifest.json" \
        --float "$work/fold0.float.onnx" --int8 "$work/fold0.int8.onnx" $draft -o "$golden/enlarged${draft:+_draft}.csv"
done
cp "$work/fold0.float.onnx" "$golden/float.onnx"
