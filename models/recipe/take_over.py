"""Writes what `bedside calibrate` put into a model into the manifest beside it, which is for people and diffs.

    python3 models/recipe/take_over.py MODEL.onnx manifest.json
"""

import argparse
import json
from pathlib import Path

import onnx

# The calibration's fields in the order of docs/model-file.md; others follow.
ORDER = ["graph_sha256", "fitted_on", "unit", "temperature", "scale", "bias", "prevalence", "thresholds", "action", "no_sign",
         "quality", "novelty"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, help="the calibrated model")
    parser.add_argument("manifest", type=Path, help="manifest.json, whose `calibration` and `provenance` are replaced")
    args = parser.parse_args()
    metadata = {entry.key: entry.value for entry in onnx.load(args.model).metadata_props}
    packed = json.loads(metadata["bedside"])
    calibration = packed["calibration"]
    fields = sorted(calibration, key=lambda field: ORDER.index(field) if field in ORDER else len(ORDER))
    manifest = json.loads(args.manifest.read_text())
    manifest["calibration"] = {field: calibration[field] for field in fields}
    manifest["provenance"] = packed["provenance"]
    args.manifest.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
