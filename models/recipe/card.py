"""Writes the figures of an evaluation into a model's card.

    python3 models/recipe/card.py CARD.md NAME=EVALUATION.json …

An evaluation is what `bedside evaluate --json` or `bedside calibrate --json` prints. In the card, what stands between the
lines `<!-- NAME -->` and `<!-- end NAME -->` is replaced by its tables: no figure is copied by hand. Intervals are of 95 %.

Urgent pictures that were missed are shown where `missed/` beside the card has them, as `missed.py` writes them, with what
`missed/words.csv` (`file,words`) says of each.
"""

import argparse
import csv
import json
import re
from pathlib import Path

LEVELS = ["no_sign", "unassessed", "refer", "urgent"]
NET_BENEFIT = """
Net benefit, in true positives among a thousand people whose pictures are assessed, for whoever would refer from the threshold
probability on. Referring nobody has 0: below that, it does better.

"""
TESTS = {"urgent": "urgent", "refer_or_urgent": "refer or urgent"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("card", type=Path)
    parser.add_argument("evaluations", nargs="+", metavar="NAME=EVALUATION.json")
    return parser.parse_args()


def value_of(measure):
    """The value of a measure, or None where it has none."""
    return None if isinstance(measure, dict) and ("undefined" in measure or "not_estimable" in measure) else measure


def reason(measure):
    if "undefined" in measure:
        return measure["undefined"]
    few = measure["not_estimable"]
    return f"not estimable: {few['patients']} of {few['needed']} patients"


def shown(measure, show):
    """A value, or why there is none."""
    found = value_of(measure)
    return reason(measure) if found is None else show(found)


def ranged(measure, show):
    """A value with its interval, or why there is none."""
    found = value_of(measure)
    if found is None:
        return reason(measure)
    interval = value_of(found["interval"])
    value = show(found["value"])
    if interval is None:
        return value
    dash = " to " if interval["lower"] < 0 else "–"
    return f"{value} ({show(interval['lower'])}{dash}{show(interval['upper'])})"


def percent(share):
    return f"{100 * share:.1f} %"


def decimals(places):
    return lambda value: f"{value:.{places}f}".replace("-", "−")


def thousand(share):
    return decimals(1)(1000 * share)


def rate(found):
    return f"{found['count']} of {found['pictures']}, {ranged(found['share'], percent)}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in lines) + "\n"


def flow(e):
    # On held-out patients quality and novelty are not applied: `calibrate` says so under "how".
    is_applied = all(name != "how" for name, _ in e["about"])
    rows = []
    for found in e["flow"]:
        source = found["source"] or "the set"
        rejected = rate(found["rejected"]) if is_applied else "not applied here; in use about 1 %"
        rows.append([source, found["pictures"], found["patients"], found["unreadable"], rejected])
    text = table(["source", "pictures", "patients", "unreadable", "rejected"], rows)
    by_label = e["flow"][0]["rejected_by_label"]
    rejected = [f"{label['label']} {rate(label['rejected'])}" for label in by_label]
    return text + ("\nRejected by label: " + "; ".join(rejected) + ".\n" if e["flow"][0]["rejected"]["count"] else "")


def triage(e):
    rows = [
        [f"{row['label'] or 'none of the labels'} ({row['refer_or_urgent']['pictures']})",
         *(at["count"] for at in row["at"]), ranged(row["at"][-1]["share"], percent), missed_people(e, row)]
        for row in e["triage"]
    ]
    return table(["picture shows", *LEVELS, "urgent, of all", "people below `urgent`"], rows)


def missed_people(e, row):
    """Of the people with an urgent label, those with a picture that ends below `urgent`; nothing for other labels."""
    if row["level"] != "urgent" or row["label"] is None:
        return ""
    people = {miss["patient"] or miss["file"] for miss in e["urgent_misses"] if row["label"] in miss["truth"]}
    return f"{len(people)} of {row['refer_or_urgent']['patients']}"


def detection(e):
    rows = [
        [TESTS[found["test"]], rate(found["sensitivity_of_all"]), rate(found["specificity_of_all"])]
        for found in e["detection"]
    ]
    text = table(["counts as found", "of the urgent", "of the others, not"], rows)
    # A result that every picture has tells nothing more, and neither does one that stands for the same pictures as the last.
    counts = [(found["sensitivity_of_all"]["count"], found["specificity_of_all"]["count"]) for found in e["detection"]]
    telling = [
        found for at, found in enumerate(e["detection"]) if counts[at][1] > 0 and counts[at] not in counts[at + 1 :]
    ]
    if not telling:
        return text
    rows = [
        [TESTS[found["test"]], percent(at["prevalence"]), ranged(at["positive"], percent), ranged(at["negative"], percent)]
        for found in telling
        for at in found["at"]
    ]
    text += "\n" + table(["result", "where so many are urgent", "right if it is", "right if it is not"], rows)
    rows = [
        [TESTS[found["test"]], percent(at["prevalence"]), percent(benefit["threshold"]), thousand(benefit["test"]),
         thousand(benefit["refer_all"]), ranged(benefit["difference"], thousand)]
        for found in telling
        for at in found["at"]
        for benefit in at["net_benefit"]
    ]
    head = ["result", "where so many are urgent", "threshold probability", "net benefit", "of referring all", "difference"]
    return text + NET_BENEFIT + table(head, rows)


def order(e):
    rows = []
    for found in e["ranking"]:
        calibration = next(c for c in e["calibration"] if c["of"] == found["of"])
        rows.append([
            found["of"], f"{found['positives']} of {found['positives'] + found['negatives']}",
            ranged(found["auc"], decimals(3)), ranged(calibration["slope"], decimals(2)),
            ranged(calibration["intercept"], decimals(2)),
        ])
    return table(["of", "pictures", "AUC", "calibration: slope", "intercept"], rows)


def misses(e):
    """Held-out thresholds differ from patient to patient, and state nothing together."""
    if all(found["stated"] is None for found in e["misses"]):
        return ""
    rows = []
    for found in e["misses"]:
        band = found["band"]
        bounds = "nothing stated" if band is None else f"{band['lower']}–{band['upper']}"
        answer = "" if band is None else ("inside" if band["is_inside"] else "**outside**")
        stated = percent(found["stated"]["miss"]) if found["stated"] else ""
        rows.append([found["label"], stated, f"{found['missed']} of {found['patients']}, "
                     f"{ranged(found['share'], percent)}", bounds, answer])
    return table(["patients below the threshold of", "stated", "found", "band of 95 %", ""], rows)


def novelty(e):
    rows = [[s["name"], s["accepted"]["pictures"], ranged(s["auroc"], decimals(3)),
             rate(next(f for f in e["flow"] if f["source"] == s["name"])["judged"])] for s in e["novelty"]["sources"]]
    return table(["pictures of something else", "given", "novelty's area", "ended with a verdict"], rows) if rows else ""


def subgroups(e):
    text = ""
    for by in e["subgroups"]:
        names = [area["of"] for area in by["parts"][0]["auc"]]
        rows = [
            [part["name"], part["pictures"], part["patients"], rate(part["found_urgent"]), rate(part["not_urgent"]),
             *(ranged(area["value"], decimals(3)) for area in part["auc"])]
            for part in by["parts"]
        ]
        head = [by["by"], "pictures", "patients", "urgent that end `urgent`", "others that do not",
                *(f"AUC: {name}" for name in names)]
        text += table(head, rows) + "\n"
    return text


def steadiness(e):
    moved = lambda s: ", ".join(f"{m['pictures']} from {m['from']} to {m['to']}" for m in s["shifts"])
    rows = [[s["how"], rate(s["changed"]), rate(s["lost"]), moved(s)] for s in e["steadiness"]]
    return table(["copy", "triage changes", "urgent that fall to `no_sign`", "how"], rows) if rows else ""


def comparison(e):
    found = e["comparison"]
    if found is None:
        return ""
    rows = [
        [pair["of"], *(shown(pair[side], decimals(3)) for side in ("first", "second")),
         ranged(pair["difference"], decimals(3))]
        for pair in found["auc"] + found["triage"]
    ]
    return table(["", "this model", found["against"], "difference"], rows)


def missed(e, folder):
    """Each urgent picture that was not called so, with its thumbnail and its words where there are any."""
    words = {}
    if (folder / "words.csv").exists():
        with open(folder / "words.csv", newline="") as file:
            words = {row["file"]: row["words"] for row in csv.DictReader(file)}
    rows = []
    for miss in e["urgent_misses"]:
        name = thumbnail_of(miss["file"])
        shown = f"![{miss['truth'][0]}]({folder.name}/{name})" if (folder / name).exists() else ""
        probability = "" if miss["probability"] is None else percent(miss["probability"])
        rows.append([shown, miss["file"], ", ".join(miss["truth"]), miss["triage"], probability, words.get(miss["file"], "")])
    return table(["", "picture", "shows", "answer", "probability of urgent", "what is seen"], rows) if rows else ""


def thumbnail_of(file):
    """The name of a picture's thumbnail."""
    return Path(file).with_suffix(".jpg").name


PARTS = {
    "Flow": flow,
    "Triage": triage,
    "Finding what is urgent": detection,
    "Order and calibration of the probabilities": order,
    "Misses beside what was stated": misses,
    "Something else": novelty,
    "Parts of the set": subgroups,
    "Steadiness": steadiness,
    "Beside another model": comparison,
}


def evaluation_of(path):
    """What `evaluate` printed, or the held-out part of what `calibrate` did."""
    found = json.loads(path.read_text())
    evaluation = found.get("held_out", found)
    if evaluation is None:
        raise SystemExit(f"{path}: has no evaluation on held-out patients; `missing` says why")
    return evaluation


def figures(e, folder):
    written = {title: part(e) for title, part in PARTS.items()}
    written["Urgent pictures that were missed"] = missed(e, folder)
    return "\n".join(f"**{title}.**\n\n{text}" for title, text in written.items() if text)


def main():
    args = arguments()
    card = args.card.read_text()
    for evaluation in args.evaluations:
        name, path = evaluation.split("=", 1)
        between = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end {name} -->)", re.DOTALL)
        if not between.search(card):
            raise SystemExit(f"{args.card}: has no lines <!-- {name} --> and <!-- end {name} -->")
        text = figures(evaluation_of(Path(path)), args.card.parent / "missed")
        card = between.sub(lambda _: f"\n{text}\n", card, count=1)
    args.card.write_text(card)


if __name__ == "__main__":
    main()
