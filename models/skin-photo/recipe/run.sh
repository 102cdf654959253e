#!/bin/sh
# Makes the skin-photo model: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR, as models/recipe/make.sh says. DATA holds pad_ufes
# and isic2017.
folds=5
imagenet=mobilenet_v2_1.0_224_float.onnx
picture=PAT_1113_458_387.jpg
calibrate() {
    bedside calibrate "$@" --features hardtanh_7_DequantizeLinear_Output,add_9_DequantizeLinear_Output --miss melanoma=0.1 --miss squamous_cell_carcinoma=0.1 --action 0 \
        --contrast cancer=melanoma,squamous_cell_carcinoma,basal_cell_carcinoma
}
. "$(dirname "$0")/../../recipe/make.sh"

# The same pictures with the ink of pens painted over, by the networks that have not learned from them.
python3 "$recipe/ink.py" "$data" "$work/painted"
for fold in $(seq 0 $((folds - 1))); do
    python3 "$shared/held_out_logits.py" "$work/painted" "$work/fold$fold.int8.onnx" "$work/painted$fold.csv" --fold "$fold"
done
joined "$work/painted" > "$recipe/held_out/painted.csv"
