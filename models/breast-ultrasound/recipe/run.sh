#!/bin/sh
# Makes the breast-ultrasound model: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR, as models/recipe/make.sh says. DATA holds
# bus_bra and busi.
folds=5
imagenet=mobilenet_v2_1.0_224_float.onnx
picture=bus_0004-l.jpg
features=hardtanh_3_DequantizeLinear_Output,hardtanh_7_DequantizeLinear_Output,add_5_DequantizeLinear_Output
calibrate() {
    bedside calibrate "$@" --features "$features" --color gray --miss malignant=0.05 \
        --contrast malignancy=malignant/benign
}
. "$(dirname "$0")/../../recipe/make.sh"

# The same frames with callipers and words painted over, by the networks that have not learned from them.
painted "$recipe/callipers.py"
