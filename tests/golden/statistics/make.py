"""Writes the synthetic CSV files of this folder, and `expected.json` with what libraries and formulas make of them.

    pip install -r requirements.txt
    python make.py
    python make.py --asah aSAH.csv       # also holds DeLong's method against pROC's tests; aSAH.csv is exported from R
    python make.py --netcal              # also asks netcal, which must be installed, for the errors of published.py

Values come from numpy, scipy, scikit-learn and statsmodels, or from `formulas.py` where these have no function. Each part of
`expected.json` names its functions under `by`. README.md has the formulas, the rules for ties and the sources. A check that
fails ends the run before `expected.json` is written. Numbers are written with 12 digits.
"""

import json
import pathlib
import re
import sys
from importlib import metadata

import numpy as np
import statsmodels.api as sm
from scipy import integrate, optimize, special, stats
from sklearn import calibration, covariance, metrics, neighbors
from statsmodels.stats.proportion import proportion_confint

import data
import formulas
import published

HERE = pathlib.Path(__file__).parent
Z = formulas.Z
LABELS = data.LABELS
close = np.testing.assert_allclose


class Predictions:
    """The columns of predictions.csv as arrays."""

    def __init__(self):
        column = data.read("predictions")
        self.group, self.device = column["group"], column["device"]
        self.label = np.array([LABELS.index(name) for name in column["label"]])
        self.model = {model: np.array([column[f"{model}_{name}"].astype(float) for name in LABELS]).T for model in data.MODELS}

    def confidence(self, model):
        return self.model[model].max(axis=1)

    def hits(self, model):
        """Where the most probable label is the true one. Of equal labels, the first in the file's order is taken."""
        return (self.model[model].argmax(axis=1) == self.label).astype(float)


def interval(low_high):
    return [float(value) for value in low_high]


def counts(p):
    return {
        "rows": len(p.label), "patients": len(set(p.group)),
        "rows_by_label": {name: int((p.label == i).sum()) for i, name in enumerate(LABELS)},
        "patients_by_label": {name: len(set(p.group[p.label == i])) for i, name in enumerate(LABELS)},
    }


def area(scores, positive, groups):
    """Area, intervals with and without clusters, and, for two scores, the tests of their difference."""
    theta, plain = formulas.delong(scores, positive)
    _, clustered = formulas.clustered_areas(scores, positive, groups)
    close(theta, [metrics.roc_auc_score(positive, row) for row in scores], rtol=1e-12)
    close(formulas.clustered_areas(scores, positive, np.arange(len(positive)))[1], plain, rtol=1e-12)
    found = {"area": theta}
    for name, matrix in [("delong", plain), ("clustered", clustered)]:
        errors = np.sqrt(np.diag(matrix))
        found[name] = {
            "covariance": matrix,
            "interval": [interval((t - Z * e, t + Z * e)) for t, e in zip(theta, errors)],
            "logit_interval": [interval(formulas.logit_interval(t, e**2)) for t, e in zip(theta, errors)],
        }
        if len(scores) == 2:
            error = np.sqrt(matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1])
            difference = theta[0] - theta[1]
            found[name] |= {"difference": difference, "standard_error": error, "z": difference / error,
                            "p": 2 * stats.norm.sf(abs(difference / error)),
                            "difference_interval": interval((difference - Z * error, difference + Z * error))}
    return found


def areas(p):
    found = {"by": "area: sklearn.metrics.roc_auc_score; delong, clustered: formulas.delong, formulas.clustered_areas"}
    for i, name in enumerate(LABELS):
        scores = np.array([p.model[model][:, i] for model in data.MODELS])
        found[name] = area(scores, p.label == i, p.group)
    found["macro"] = {model: metrics.roc_auc_score(p.label, probability, multi_class="ovr", average="macro")
                      for model, probability in p.model.items()}
    found["melanoma_by_device"] = {}
    for device in data.DEVICES:
        rows = p.device == device
        found["melanoma_by_device"][device] = area(p.model["first"][rows, :1].T, p.label[rows] == 0, p.group[rows])
    return found


def clustered_proportion(hits, groups):
    """A proportion of rows, with intervals for groups as clusters. statsmodels' robust covariance gives the same variance."""
    proportion, variance, clusters = formulas.ratio(hits, groups)
    _, index = np.unique(groups, return_inverse=True)
    fit = sm.OLS(hits, np.ones(len(hits))).fit(cov_type="cluster", cov_kwds={"groups": index})
    close(variance, fit.cov_params()[0, 0], rtol=1e-9)
    n, k = len(hits), int(hits.sum())
    effect = variance / (proportion * (1 - proportion) / n)
    half, t = Z * np.sqrt(variance), stats.t.ppf(0.975, clusters - 1)
    return {
        "hits": k, "rows": n, "clusters": clusters, "proportion": proportion, "variance": variance, "design_effect": effect,
        "effective_rows": n / effect,
        "interval": interval((proportion - half, proportion + half)),
        "t_interval": interval((proportion - t * np.sqrt(variance), proportion + t * np.sqrt(variance))),
        "logit_interval": interval(formulas.logit_interval(proportion, variance)),
        "wilson_of_effective_rows": interval(formulas.wilson(k / effect, n / effect)),
        "wilson_of_at_most_all_rows_by_t": interval(formulas.wilson(k / max(effect, 1), n / max(effect, 1), t)),
        "wilson_unclustered": interval(proportion_confint(k, n, method="wilson")),
        "clopper_pearson_unclustered": interval(proportion_confint(k, n, method="beta")),
    }


def operating_point(p):
    """Melanoma against the rest at one threshold: rates with patients as clusters, predictive values at other prevalences."""
    threshold = 0.25
    positive, called = p.label == 0, p.model["first"][:, 0] >= threshold
    rates = {
        "sensitivity": clustered_proportion(called[positive].astype(float), p.group[positive]),
        "specificity": clustered_proportion((~called[~positive]).astype(float), p.group[~positive]),
        "positive_predictive_value": clustered_proportion(positive[called].astype(float), p.group[called]),
        "negative_predictive_value": clustered_proportion((~positive[~called]).astype(float), p.group[~called]),
    }
    patients = np.array(list(lowest(p, "first", 0).values()))
    missed, n = int((patients < threshold).sum()), len(patients)
    by_patient = {"rule": "missed if the lowest probability on the patient's melanoma pictures is under the threshold",
                  "missed": missed, "patients": n, "upper_one_sided": formulas.upper(missed, n),
                  "clopper_pearson": interval(proportion_confint(missed, n, method="beta"))}
    at_prevalence = [predictive_values(called, positive, p.group, prevalence) for prevalence in [0.01, 0.05, 0.2, 0.5]]
    return {
        "label": "melanoma", "model": "first", "threshold": threshold, **rates,
        "by_patient": by_patient, "at_prevalence": at_prevalence,
        "by": "statsmodels OLS on a constant with cov_type cluster; statsmodels proportion_confint; "
              "formulas.ratio, wilson, logit_interval; at_prevalence: make.predictive_values",
    }


def predictive_values(called, positive, groups, prevalence):
    """Predictive values at a prevalence, with logit intervals: rows independent, and patients as clusters."""
    m, n = positive.sum(), (~positive).sum()
    sensitivity, specificity = called[positive].mean(), (~called[~positive]).mean()
    ppv = sensitivity * prevalence / (sensitivity * prevalence + (1 - specificity) * (1 - prevalence))
    npv = specificity * (1 - prevalence) / (specificity * (1 - prevalence) + (1 - sensitivity) * prevalence)
    _, index = np.unique(groups, return_inverse=True)
    g = index.max() + 1
    of_sensitivity = np.bincount(index, np.where(positive, called - sensitivity, 0)) / m
    of_specificity = np.bincount(index, np.where(positive, 0, ~called - specificity)) / n
    found = {"prevalence": prevalence, "positive": ppv, "negative": npv}
    plain = {"positive": (1 - sensitivity) / sensitivity / m + specificity / (1 - specificity) / n,
             "negative": sensitivity / (1 - sensitivity) / m + (1 - specificity) / specificity / n}
    clustered = {"positive": ((of_sensitivity / sensitivity + of_specificity / (1 - specificity))**2).sum() * g / (g - 1),
                 "negative": ((of_sensitivity / (1 - sensitivity) + of_specificity / specificity)**2).sum() * g / (g - 1)}
    for name, variances in [("logit_interval_unclustered", plain), ("logit_interval_clustered", clustered)]:
        found[name] = {sign: interval(special.expit(special.logit(found[sign]) + np.array([-Z, Z]) * np.sqrt(variances[sign])))
                       for sign in ["positive", "negative"]}
    found["net_benefit"] = [net_benefit(called, positive, groups, prevalence, at) for at in [0.01, 0.1]]
    return found


def net_benefit(called, positive, groups, prevalence, threshold):
    """Net benefits of the test and of referring all, and the standard error of their difference, with patients as clusters."""
    weight = np.where(positive, prevalence / positive.sum(), -(1 - prevalence) * threshold / (1 - threshold) / (~positive).sum())
    test, refer_all = weight[called].sum(), weight.sum()
    # The difference is a sum of two means, over the ill and over the well: what a row adds is its distance from its mean.
    rates = np.where(positive, called[positive].mean(), called[~positive].mean())
    by_group = np.bincount(np.unique(groups, return_inverse=True)[1], weight * (called - rates))
    g = len(by_group)
    return {"threshold": threshold, "test": test, "refer_all": refer_all,
            "standard_error": np.sqrt((by_group**2).sum() * g / (g - 1))}


def counted():
    """Intervals and one-sided bounds of k of n."""
    found = []
    for k, n in [(0, 58), (0, 59), (1, 92), (1, 93), (12, 385), (12, 386), (12, 400), (13, 400),
                 (0, 1), (1, 1), (5, 5), (7, 20), (120, 142)]:
        upper = formulas.upper(k, n)
        if k < n:
            root = optimize.brentq(lambda p: stats.binom.cdf(k, n, p) - 0.05, 1e-9, 1 - 1e-9, xtol=1e-14)
            close(upper, root, rtol=1e-8)
            test = stats.binomtest(k, n, alternative="less").proportion_ci(0.95, method="exact")
            close(upper, test.high, rtol=1e-8)
        found.append({"k": k, "n": n, "clopper_pearson": interval(proportion_confint(k, n, method="beta")),
                      "wilson": interval(proportion_confint(k, n, method="wilson")), "upper_one_sided": upper,
                      "lower_one_sided": formulas.lower(k, n), "upper_at_most_0.05": bool(upper <= 0.05)})
    return {"level": 0.95, "cases": found,
            "by": "statsmodels proportion_confint (beta, wilson); scipy.stats.beta.ppf, binomtest and its proportion_ci"}


def scores(p):
    """Brier score and NLL of all labels together, and the Brier score of each."""
    found = {"by": "sklearn.metrics.brier_score_loss (scale_by_half=False for all labels), sklearn.metrics.log_loss"}
    for model, probability in p.model.items():
        hot = np.eye(3)[p.label]
        brier = metrics.brier_score_loss(p.label, probability, labels=[0, 1, 2], scale_by_half=False)
        close(brier, ((probability - hot)**2).sum(axis=1).mean(), rtol=1e-10)
        found[model] = {"brier": brier, "nll": metrics.log_loss(p.label, probability),
                        "brier_by_label": {name: metrics.brier_score_loss(p.label == i, probability[:, i])
                                           for i, name in enumerate(LABELS)}}
    return found


def sandwich(y, design, probability, index):
    """The clustered standard error of the last parameter, by its formula."""
    g, (n, k) = index.max() + 1, design.shape
    inverse = np.linalg.inv(design.T @ (design * (probability * (1 - probability))[:, None]))
    sums = np.array([np.bincount(index, column * (y - probability)) for column in design.T])
    return np.sqrt((inverse @ (sums @ sums.T) @ inverse)[-1, -1] * g / (g - 1) * (n - 1) / (n - k))


def logistic(p):
    """Calibration intercept and slope of each label, with standard errors of independent rows and of clusters."""
    found = {"by": "statsmodels.api.Logit (offset; cov_type nonrobust and cluster)"}
    _, index = np.unique(p.group, return_inverse=True)
    for model, probability in p.model.items():
        found[model] = {}
        for i, name in enumerate(LABELS):
            y, x = (p.label == i).astype(float), special.logit(probability[:, i])
            part = {}
            for what, design, offset in [("intercept", np.ones((len(y), 1)), x), ("slope", sm.add_constant(x), None)]:
                fits = [sm.Logit(y, design, offset=offset).fit(disp=0, method="newton", tol=1e-14, maxiter=100, **options)
                        for options in [{}, {"cov_type": "cluster", "cov_kwds": {"groups": index}}]]
                glm = sm.GLM(y, design, family=sm.families.Binomial(), offset=offset).fit(tol=1e-13)
                close(fits[0].params, glm.params, rtol=1e-8, atol=1e-10)
                plain_error, clustered_error = (np.sqrt(fit.cov_params()[-1, -1]) for fit in fits)
                close(clustered_error, sandwich(y, design, fits[0].predict(), index), rtol=1e-7)
                part[what] = {"value": fits[0].params[-1], "standard_error": plain_error,
                              "standard_error_clustered": clustered_error}
                if what == "slope":
                    part[what]["constant"] = fits[0].params[0]
            found[model][name] = part
    return found


def calibration_errors(p):
    """ECE of the top label with bins of equal mass, and what it would be for a calibrated model with these confidences."""
    found = {"by": "formulas.calibration_error (all rows of the first model: equal to sklearn.calibration.calibration_curve, "
                   "strategy quantile); calibrated: formulas.calibrated_error, exact"}
    rng = np.random.default_rng(1)
    subsets = {"all": np.full(len(p.label), True), "tablet": p.device == "tablet"}
    for model in data.MODELS:
        for name, rows in subsets.items():
            for bins in [10, 15]:
                confidence, hits = p.confidence(model)[rows], p.hits(model)[rows]
                error = formulas.calibration_error(confidence, hits, bins)
                mean, deviation = formulas.calibrated_error(confidence, bins)
                drawn = [formulas.calibration_error(confidence, rng.random(len(hits)) < confidence, bins) for _ in range(2000)]
                close(np.mean(drawn), mean, atol=4 * deviation / np.sqrt(len(drawn)))
                close(np.std(drawn), deviation, rtol=0.08)
                if model == "first" and name == "all":
                    true, predicted = calibration.calibration_curve(hits, confidence, n_bins=bins, strategy="quantile")
                    close(error, np.abs(true - predicted).mean(), rtol=1e-10)
                sizes = [len(part) for part in formulas.equal_mass_bins(confidence, bins)]
                found[f"{model} {name} {bins}"] = {"rows": len(hits), "bins": bins, "sizes": sizes, "error": error,
                                                    "calibrated_mean": mean, "calibrated_deviation": deviation,
                                                    "whole_ties": whole_ties(confidence, hits, bins)}
    found["netcal"] = published.NETCAL
    for name, error in published.NETCAL["error"].items():
        close(found[name]["error"], error, rtol=1e-12)
    return found


def whole_ties(confidence, hits, bins):
    """The same with bins that keep equal confidences together."""
    parted = formulas.bins_of_whole_ties
    mean, deviation = formulas.calibrated_error(confidence, bins, parted)
    return {"sizes": [len(part) for part in parted(confidence, bins)],
            "error": formulas.calibration_error(confidence, hits, bins, parted),
            "calibrated_mean": mean, "calibrated_deviation": deviation}


def selective(p):
    """Risk-coverage curves: the risk at ten coverages, the area, and its excess over the best order."""
    found = {"by": "formulas.risk_coverage; first model: equal to a loop over sorted rows"}
    for model in data.MODELS:
        confidence, errors = p.confidence(model), 1 - p.hits(model)
        risk = formulas.risk_coverage(confidence, errors)
        best = formulas.risk_coverage(-errors, errors).mean()
        if model == "first":
            order = sorted(range(len(errors)), key=lambda row: -confidence[row])
            close(risk.mean(), np.mean([np.mean(errors[order[:k]]) for k in range(1, len(order) + 1)]), rtol=1e-12)
        at = {f"{tenths / 10}": risk[len(risk) * tenths // 10 - 1] for tenths in range(1, 11)}
        found[model] = {"risk_at_coverage": at, "area": risk.mean(), "excess_area": risk.mean() - best}
    return found


def lowest(p, model, label):
    """For each patient with pictures of a label: the lowest probability of it on these."""
    rows = p.label == label
    return {group: p.model[model][rows & (p.group == group), label].min() for group in sorted(set(p.group[rows]))}


def conformal(p):
    """Thresholds of the first model from every other patient of a label, and the misses among the others."""
    thresholds = []
    for label, name in enumerate(LABELS):
        values = np.array(list(lowest(p, "first", label).values()))
        fit, test = values[0::2], values[1::2]
        for miss in ["0.01", "0.02", "0.05", "0.1"]:
            n, m, k = len(fit), len(test), formulas.conformal_rank(len(fit), miss)
            part = {"label": name, "miss": miss, "fit_patients": n, "test_patients": m, "k": k}
            if k > 0:
                at = np.sort(fit)[k - 1]
                part |= {"threshold": at, "misses": int((test < at).sum())}
            thresholds.append(part)
    return {"patients": "sorted by name; those at even positions fit, the others test", "thresholds": thresholds,
            "ranks": [{"n": n, "miss": miss, "k": formulas.conformal_rank(n, miss)} for n, miss in awkward_ranks()],
            "bands": [band(*case) for case in [(50, 50, 1), (100, 100, 2), (400, 200, 8), (59, 59, 1), (30, 10, 3)]],
            "by": "formulas.conformal_rank (exact fractions); scipy.stats.betabinom(m, k, n + 1 - k)"}


def awkward_ranks():
    """Sizes and rates where floor((n + 1) · miss) in binary floating point is too small, and some where k is 0."""
    misses = [f"0.{thousandths:03}" for thousandths in range(1, 101)]
    wrong = [(n, miss) for miss in misses for n in range(1, 1000)
             if int((n + 1) * float(miss)) != formulas.conformal_rank(n, miss)]
    return [*wrong, (99, "0.29"), (48, "0.02"), (49, "0.02"), (18, "0.05"), (19, "0.05"), (999, "0.001")]


def band(n, m, k):
    """Misses among m test patients if the threshold is the k-th smallest of n."""
    law = stats.betabinom(m, k, n + 1 - k)
    exact = formulas.misses_exactly(m, n, k)
    close(law.pmf(np.arange(m + 1)), exact, rtol=1e-8, atol=1e-300)
    return {"fit_patients": n, "test_patients": m, "k": k, "mean": law.mean(), "variance": law.var(),
            "none": law.pmf(0), "quantile_0.025": int(law.ppf(0.025)), "quantile_0.975": int(law.ppf(0.975)),
            "quantile_0.95": int(law.ppf(0.95)), "cumulative": law.cdf(np.arange(min(m, 8) + 1))}


def temperatures(p):
    found = {"by": "scipy.optimize.brentq on the derivative (formulas.temperature); agrees with scipy.optimize.minimize_scalar"}
    for model, probability in p.model.items():
        logits = np.log(probability)
        value = formulas.temperature(logits, p.label)
        def nll(t):
            return metrics.log_loss(p.label, special.softmax(logits / t, axis=1))
        search = optimize.minimize_scalar(nll, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-9})
        close(value, search.x, rtol=1e-5)
        found[model] = {"temperature": value, "nll_before": nll(1.0), "nll_after": nll(value)}
    return found


def novelty():
    """Three novelty scores on features.csv, and how well they separate `known` from `novel`."""
    column = data.read("features")
    values = np.array([column[f"feature_{i}"].astype(float) for i in range(5)]).T
    logits = np.array([column[f"logit_{name}"].astype(float) for name in LABELS]).T
    fit, label = column["set"] == "fit", column["label"]
    means = np.array([values[fit & (label == name)].mean(axis=0) for name in LABELS])
    centered = values[fit] - means[[LABELS.index(name) for name in label[fit]]]
    shrunk = covariance.LedoitWolf(assume_centered=True).fit(centered)
    by_formula, weight = formulas.shrunk_covariance(centered)
    close(by_formula, shrunk.covariance_, rtol=1e-10, atol=1e-12)
    close(weight, shrunk.shrinkage_, rtol=1e-10)
    distances = np.array([[(row - mean) @ shrunk.precision_ @ (row - mean) for mean in means] for row in values]).min(axis=1)
    close(distances, np.min([shrunk.mahalanobis(values - mean) for mean in means], axis=0), rtol=1e-9)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    nearest = neighbors.NearestNeighbors(n_neighbors=5).fit(unit[fit])
    near = nearest.kneighbors(unit[~fit])[0][:, -1]
    by_hand = np.sort(np.linalg.norm(unit[~fit][:, None] - unit[fit][None], axis=2), axis=1)[:, 4]
    close(near, by_hand, rtol=1e-7)
    energy = -special.logsumexp(logits, axis=1)
    is_novel = column["set"][~fit] == "novel"
    ranked = {"mahalanobis_squared": distances[~fit], "nearest_5": by_hand, "energy": energy[~fit]}
    return {
        "rows": "known and novel, in the file's order", **{name: list(score) for name, score in ranked.items()},
        "energy_at_temperature_2": list(-2 * special.logsumexp(logits[~fit] / 2, axis=1)),
        "ledoit_wolf": {"shrinkage": shrunk.shrinkage_, "covariance": shrunk.covariance_, "means": means},
        "separation": {name: separation(score, is_novel) for name, score in ranked.items()},
        "by": "sklearn.covariance.LedoitWolf(assume_centered=True), sklearn.neighbors.NearestNeighbors, "
              "scipy.special.logsumexp, sklearn.metrics.roc_auc_score and roc_curve",
    }


def separation(score, is_novel):
    """AUROC with novel as positive; the false positive rates at 95 % true positives with either set as positive."""
    threshold, accepted = formulas.accepted_novel(score[~is_novel], score[is_novel])
    rates = []
    for positive, sign in [(~is_novel, -1), (is_novel, 1)]:
        false, true, _ = metrics.roc_curve(positive, sign * score, drop_intermediate=False)
        rates.append(false[true >= 0.95].min())
    close(accepted, rates[0], rtol=1e-12)
    return {"auroc": metrics.roc_auc_score(is_novel, score), "threshold_with_95_percent_of_known_at_or_under": threshold,
            "novel_accepted_at_95_percent_of_known_accepted": rates[0],
            "known_refused_at_95_percent_of_novel_refused": rates[1]}


def sizes():
    """Sample sizes for a stated bound of a failure rate, and for half the width of an interval."""
    bounds = []
    for bound in [0.01, 0.02, 0.05, 0.1]:
        for k in [0, 1, 2, 3, 5, 12]:
            n = formulas.size_for_upper(k, bound)
            assert formulas.upper(k, n) <= bound < formulas.upper(k, n - 1)
            bounds.append({"bound": bound, "failures": k, "n": n})
    allowed = [{"bound": 0.05, "n": n, "failures": formulas.failures_allowed(n, 0.05)}
               for n in [58, 59, 92, 93, 100, 200, 400, 1000]]
    widths = []
    for proportion, half, prevalence in [(0.9, 0.05, 0.2), (0.95, 0.03, 0.1), (0.8, 0.1, 0.05), (0.99, 0.05, 0.01)]:
        n = optimize.brentq(lambda n: wilson_half_width(n, proportion) - half, 1, 1e6)
        widths.append({"proportion": proportion, "half_width": half, "prevalence": prevalence,
                       "with_label": int(np.ceil(n)), "all": int(np.ceil(n / prevalence))})
    return {"smallest_n_for_upper_bound": bounds, "failures_allowed": allowed, "for_half_width": widths,
            "for_power": [power(rate, share) for rate in [0.01, 0.02] for share in [0.8, 0.9]],
            "by": "scipy.stats.binom.cdf, scipy.stats.norm.ppf, scipy.optimize.brentq"}


def wilson_half_width(n, share):
    """Half the distance of the roots π of (share − π)² = z² π (1 − π) / n."""
    c = Z**2 / n
    lower, upper = np.sort(np.roots([1 + c, -(2 * share + c), share**2]))
    return (upper - lower) / 2


def power(rate, share):
    """Sizes at which a model with this failure rate passes the bound of 5 % with a probability of at least `share`."""
    def passes(n):
        return stats.binom.cdf(formulas.failures_allowed(n, 0.05), n, rate) >= share
    enough = [passes(n) for n in range(1, 1201)]
    return {"failure_rate": rate, "bound": 0.05, "probability": share, "first_n": enough.index(True) + 1,
            "from_n_on": len(enough) - enough[::-1].index(False) + 1}


def bootstrap():
    """All 3125 resamples of five patients, to which a bootstrap by patients converges; and its limit for many patients."""
    hits, rows = np.array([1, 3, 0, 4, 2]), np.array([2, 3, 1, 6, 2])
    values = formulas.exhaustive_bootstrap(hits, rows)
    r = hits.sum() / rows.sum()
    limit = ((hits - r * rows)**2).sum() / rows.sum()**2
    return {"hits": hits, "rows": rows, "ratio": r, "resamples": len(values), "mean": values.mean(), "variance": values.var(),
            "quantiles": {str(q): values[int(np.ceil(q * len(values))) - 1] for q in [0.025, 0.05, 0.5, 0.95, 0.975]},
            "linearized_variance": limit, "by": "formulas.exhaustive_bootstrap: every resample once"}


def several_labels():
    """Each finding of multilabel.csv over the rows where it is known."""
    column = data.read("multilabel")
    found = {"by": "sklearn.metrics.roc_auc_score, average_precision_score, brier_score_loss, log_loss; "
                   "formulas.delong, clustered_areas"}
    for name in data.FINDINGS:
        known = column[name] != ""
        y, probability = column[name][known] == "1", column[f"probability_{name}"][known].astype(float)
        found[name] = {"known": int(known.sum()), "missing": int((~known).sum()), "positive": int(y.sum()),
                       **area(probability[None], y, column["group"][known]),
                       "average_precision": metrics.average_precision_score(y, probability),
                       "brier": metrics.brier_score_loss(y, probability), "nll": metrics.log_loss(y, probability),
                       "sensitivity_at_0.5": clustered_proportion((probability[y] >= 0.5) * 1.0, column["group"][known][y])}
    found["macro_area"] = np.mean([found[name]["area"][0] for name in data.FINDINGS])
    return found


def jackknife(statistic, groups):
    """The delete-one-group estimate of the variance of a statistic of rows."""
    names = np.unique(groups)
    values = np.array([statistic(groups != name) for name in names])
    return (len(names) - 1) * values.var()


def check_clusters(p):
    """Clustered variances of areas, of predictive values and of net benefits are within a tenth of the jackknife's."""
    positive, groups = p.label == 0, p.group
    pair = np.array([p.model[model][:, 0] for model in data.MODELS])
    _, matrix = formulas.clustered_areas(pair, positive, groups)
    for contrast in [np.array([1, 0]), np.array([0, 1]), np.array([1, -1])]:
        def combined(rest):
            return contrast @ [metrics.roc_auc_score(positive[rest], row[rest]) for row in pair]
        close(contrast @ matrix @ contrast, jackknife(combined, groups), rtol=0.1)
    called = pair[0] >= 0.25
    for sign in ["positive", "negative"]:
        low, high = special.logit(predictive_values(called, positive, groups, 0.2)["logit_interval_clustered"][sign])
        def value(rest):
            return special.logit(predictive_values(called[rest], positive[rest], groups[rest], 0.2)[sign])
        close(((high - low) / 2 / Z)**2, jackknife(value, groups), rtol=0.1)
    for threshold in [0.01, 0.1]:
        def benefit(rest):
            found = net_benefit(called[rest], positive[rest], groups[rest], 0.2, threshold)
            return found["test"] - found["refer_all"]
        found = net_benefit(called, positive, groups, 0.2, threshold)
        close(found["standard_error"]**2, jackknife(benefit, groups), rtol=0.1)


def check_bootstrap():
    """With clusters of one size the ratio is a mean of clusters, and the linearized variance is exact."""
    hits, rows = np.array([0, 1, 1, 3]), np.array([3, 3, 3, 3])
    values = formulas.exhaustive_bootstrap(hits, rows)
    close(values.var(), ((hits - hits.sum() / rows.sum() * rows)**2).sum() / rows.sum()**2, rtol=1e-12)


def check_beta_binomial():
    """The derivation in README.md: the integral of binomial probabilities over Beta(k, n + 1 - k) is the beta-binomial."""
    n, m, k = 30, 10, 3
    for j in range(m + 1):
        value, _ = integrate.quad(lambda f: stats.binom.pmf(j, m, f) * stats.beta.pdf(f, k, n + 1 - k), 0, 1)
        close(value, stats.betabinom.pmf(j, m, k, n + 1 - k), rtol=1e-7)


def plain(value):
    """What `json` can write, with 12 digits."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(part) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(f"{value:.12g}") if isinstance(value, (float, np.floating)) else value


def main():
    if sys.argv[1:2] == ["--asah"]:
        published.check_asah(sys.argv[2])
    if sys.argv[1:2] == ["--netcal"]:
        published.check_netcal(Predictions())
    data.write()
    p = Predictions()
    check_clusters(p)
    check_bootstrap()
    check_beta_binomial()
    expected = {
        "libraries": {name: metadata.version(name) for name in ["numpy", "scipy", "scikit-learn", "statsmodels"]},
        "counts": counts(p), "delong_1988": published.delong_1988(), "proc_asah": published.PROC_ASAH, "areas": areas(p),
        "operating_point": operating_point(p), "counted": counted(), "scores": scores(p), "calibration": logistic(p),
        "calibration_error": calibration_errors(p), "risk_coverage": selective(p), "conformal": conformal(p),
        "temperature": temperatures(p), "novelty": novelty(), "sample_size": sizes(), "bootstrap": bootstrap(),
        "multilabel": several_labels(),
    }
    text = json.dumps(plain(expected), indent=1, ensure_ascii=False, allow_nan=False)
    # A list without lists or objects in it stands on one line.
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
