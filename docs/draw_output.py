"""Draws docs/output.svg: a sample picture beside what `bedside classify` prints about it.

    python3 docs/draw_output.py target/release/bedside models/samples/PICTURE.jpg

The picture is given by its path from the repository's root. The command runs with the skin-lesion model.
"""

import base64
import html
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# In pixels: the side of the picture, the height of a line, the margin, and the width of a letter.
SIDE, LINE, MARGIN, LETTER = 224, 19, 20, 7.85


def output_lines(binary, picture):
    command = [binary, "classify", picture, "--model", "models/skin-lesion/model.onnx"]
    command += ["--answer", "dermatoscope=yes", "--answer", "mole_like=yes"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.rstrip().splitlines()


def style(line):
    """The SVG attributes of a line: verdict and triage are emphasized, and secondary lines are dimmed."""
    if line.startswith("  Triage"):
        return 'font-weight="bold" fill="#ff8a80"' if "URGENT" in line else 'font-weight="bold" fill="#ffd54f"'
    if line.startswith("  Verdict"):
        return 'font-weight="bold" fill="#ffffff"'
    return 'fill="#9fb3bd"' if line.startswith(("  Time", "  Model", "  Finding", "Research")) else 'fill="#e6edf0"'


def main(binary, picture):
    lines = output_lines(binary, picture)
    left = MARGIN * 2 + SIDE
    width = round(left + LETTER * max(map(len, lines)) + MARGIN)
    height = max(SIDE, LINE * len(lines)) + MARGIN * 2
    photo = base64.b64encode((ROOT / picture).read_bytes()).decode()
    text = "\n".join(
        f'<text xml:space="preserve" x="{left}" y="{MARGIN + 14 + LINE * i}" {style(line)}>{html.escape(line)}</text>'
        for i, line in enumerate(lines))
    (ROOT / "docs/output.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#17212b"/>\n'
        f'<image x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" href="data:image/jpeg;base64,{photo}"/>\n'
        f"{text}\n</svg>\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
