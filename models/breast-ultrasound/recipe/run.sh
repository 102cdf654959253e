#!/bin/sh
# Makes the breast-ultrasound model: run.sh DATA WEIGHTS_DIR FOREIGN_DIR WORK_DIR, as models/recipe/make.sh says. DATA holds
# bus_bra and busi.
folds=5
imagenet=mobilenet_v2_1.0_224_float.onnx
picture=bus_0004-l.jpg
calibrate() {
    bedside calibrate "$@" --features hardtanh_7_DequantizeLinear_Output,add_9_DequantizeLinear_Output --color gray --contrast malignancy=malignant/benign
}
. "$(dirname "$0")/../../recipe/make.sh"
