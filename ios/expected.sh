#!/usr/bin/env bash
# Prints what the command says of the samples and of the tests' pictures, one line of JSON a picture: the results that the Swift tests expect.
#
#   ios/expected.sh COMMAND [OPTION…]
#
# COMMAND is `bedside`, and options are those of `bedside classify`. Run it from the root of the repository.
set -euo pipefail

command=$1
shift
options=("$@")

classify() { # model, answers, pictures
    local answers=()
    for answer in $2; do answers+=(--answer "$answer"); done
    "$command" classify --model "models/$1/model.onnx" "${answers[@]}" --json ${options[@]+"${options[@]}"} "${@:3}"
}

classify skin-photo "adult=yes one_spot=yes plain_skin=yes untouched=yes burns=yes" models/samples/PAT_*.jpg
classify skin-lesion "dermatoscope=yes mole_like=yes" models/samples/ISIC_*.jpg tests/pictures/ISIC_*.jpg
classify breast-ultrasound "adult=yes still_frame=yes native_breast=yes" models/samples/{bus,normal}_*
classify chest-xray "age=3 frontal_file=yes" models/samples/*.jpeg
