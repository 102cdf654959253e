#!/bin/sh
# Makes the skin-photo model: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR, as models/recipe/make.sh says. DATA holds pad_ufes
# and isic2017.
folds=5
imagenet=mobilenet_v2_1.0_224_float.onnx
picture=PAT_1113_458_387.jpg
features=hardtanh_3_DequantizeLinear_Output,hardtanh_7_DequantizeLinear_Output,add_5_DequantizeLinear_Output
calibrate() {
    bedside calibrate "$@" --features "$features" --color rgb --miss melanoma=0.15 --miss squamous_cell_carcinoma=0.15 --action 0.07 \
        --contrast cancer=melanoma,squamous_cell_carcinoma,basal_cell_carcinoma
}
. "$(dirname "$0")/../../recipe/make.sh"

# The same pictures with the ink of pens painted over, by the networks that have not learned from them.
painted "$recipe/ink.py"
