"""Published values of DeLong's method, the check of `formulas.py` against them, and a published example for other tests.

NETCAL has calibration errors by netcal, which needs PyTorch: `make.py --netcal` asks it again.

PROC_ASAH is what the tests of the R package pROC expect of its data set aSAH. That data set is under the GPL and not in this
repository; `make.py --asah FILE` reads it.

`delong-1988.csv` has the data of the example in DeLong, DeLong & Clarke-Pearson (1988) as the SAS/STAT User's Guide prints
them (The LOGISTIC Procedure, "Comparing Receiver Operating Characteristic Curves"): the 43 patients in whom no test is
missing. `benefits` is the guide's `popind`, and `kg_score` its `totscore` before `totscore = 10 - totscore`.
"""

import csv
import pathlib

import numpy as np
from scipy import stats

import formulas

HERE = pathlib.Path(__file__).parent
Z = formulas.Z

PROC_ASAH = {
    "source": "pROC (github.com/xrobin/pROC), tests/testthat: test-var.R, test-cov.R, test-roc.test.R",
    "variance": {"wfns": 0.00146991470882363, "ndka": 0.0031908105493913, "s100b": 0.00266868245717244},
    "covariance": {"wfns ndka": -0.000532967856762438, "ndka s100b": -0.000756164938056579, "wfns s100b": 0.00119615567376754},
    "z": {"wfns s100b": 2.20898359144091, "wfns ndka": 2.79777591868904, "ndka s100b": -1.39077002573558},
    "p": {"wfns s100b": 0.0271757822291882, "wfns ndka": 0.00514557970691098, "ndka s100b": 0.164295175223054},
    "interval_of_difference": {
        "wfns s100b": [0.0104061769564846, 0.174214419249478],
        "wfns ndka": [0.0634011709339876, 0.3600405634833566],
        "ndka s100b": [-0.2876917446341914, 0.0488706064228094],
    },
}

NETCAL = {
    "source": "netcal 1.4.0, netcal.metrics.ECE(bins, equal_intervals=False), first model, all rows: no confidences are equal",
    "error": {"first all 10": 0.11599632166666676, "first all 15": 0.12618555166666662},
}


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def delong_1988():
    """Areas of three scores of the same patients, and the tests of two against the third, singly and together."""
    rows = table(HERE / "delong-1988.csv")
    column = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    scores = np.array([column["albumin"], 10 - column["kg_score"], column["total_protein"]])
    area, covariance = formulas.delong(scores, column["benefits"] == 1)
    contrast = np.array([[1, -1, 0], [0, -1, 1]])
    difference, of_difference = contrast @ area, contrast @ covariance @ contrast.T
    single = difference**2 / np.diag(of_difference)
    both = difference @ np.linalg.solve(of_difference, difference)
    return {
        "data": "delong-1988.csv", "scores": "albumin; 10 - kg_score; total_protein", "positive": "benefits = 1",
        "area": area, "covariance": covariance, "contrast": contrast, "difference": difference,
        "standard_error_of_difference": np.sqrt(np.diag(of_difference)), "chi_square": single, "p": stats.chi2.sf(single, 1),
        "chi_square_of_both": both, "p_of_both": stats.chi2.sf(both, 2), "by": "formulas.delong; scipy.stats.chi2",
    }


def check_asah(path):
    """Holds `formulas.delong` against pROC's tests. The file has the columns outcome (Good, Poor), wfns, s100b and ndka."""
    rows = table(path)
    poor = np.array([row["outcome"] == "Poor" for row in rows])
    score = {name: np.array([float(row[name]) for row in rows]) for name in PROC_ASAH["variance"]}
    for pair, z in PROC_ASAH["z"].items():
        one, other = pair.split()
        area, covariance = formulas.delong(np.array([score[one], score[other]]), poor)
        error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        difference = area[0] - area[1]
        near = [(np.diag(covariance), [PROC_ASAH["variance"][one], PROC_ASAH["variance"][other]]),
                (covariance[0, 1], PROC_ASAH["covariance"][pair]), (difference / error, z),
                (2 * stats.norm.sf(abs(difference / error)), PROC_ASAH["p"][pair]),
                ([difference - Z * error, difference + Z * error], PROC_ASAH["interval_of_difference"][pair])]
        for ours, published in near:
            np.testing.assert_allclose(ours, published, rtol=1e-12)
    print(f"{path}: as pROC's tests expect, to 12 digits")


def check_netcal(p):
    """Holds NETCAL against netcal itself. It refuses the second model, whose equal confidences give equal edges."""
    from netcal.metrics import ECE

    for name, error in NETCAL["error"].items():
        bins = int(name.split()[-1])
        found = ECE(bins=bins, equal_intervals=False).measure(p.confidence("first"), p.hits("first").astype(int))
        np.testing.assert_allclose(found, error, rtol=1e-12)
    print("netcal: the same calibration errors")
