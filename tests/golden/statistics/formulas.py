"""Formulas that none of the pinned libraries has, in plain numpy. README.md of this folder has their sources.

`make.py` holds each of them against a library, a published example, an exact enumeration or a simulation.
"""

import fractions
import itertools
import math

import numpy as np
from scipy import optimize, special, stats

Z = stats.norm.ppf(0.975)


def placements(scores, positive):
    """For one score: the area and the placement values of positives and negatives (V10 and V01). A tie counts one half."""
    above, below = scores[positive][:, None], scores[~positive][None, :]
    wins = (above > below) + 0.5 * (above == below)
    return wins.mean(), wins.mean(axis=1), wins.mean(axis=0)


def delong(scores, positive):
    """The areas of several scores of the same cases (one a row), and their covariance matrix (DeLong et al. 1988)."""
    area, v10, v01 = (np.array(part) for part in zip(*(placements(row, positive) for row in scores)))
    covariance = np.atleast_2d(np.cov(v10)) / v10.shape[1] + np.atleast_2d(np.cov(v01)) / v01.shape[1]
    return area, covariance


def clustered_areas(scores, positive, groups):
    """The same where rows of one group depend on each other (Obuchowski 1997)."""
    names, index = np.unique(groups, return_inverse=True)
    area, deviations10, deviations01 = [], [], []
    for row in scores:
        theta, v10, v01 = placements(row, positive)
        area.append(theta)
        deviations10.append(np.bincount(index[positive], v10 - theta, len(names)))
        deviations01.append(np.bincount(index[~positive], v01 - theta, len(names)))
    d10, d01 = np.array(deviations10), np.array(deviations01)
    m, n, g = positive.sum(), (~positive).sum(), len(names)
    with_positive, with_negative = len(np.unique(index[positive])), len(np.unique(index[~positive]))
    s10 = with_positive / (with_positive - 1) / m * d10 @ d10.T
    s01 = with_negative / (with_negative - 1) / n * d01 @ d01.T
    s11 = g / (g - 1) * d10 @ d01.T
    return np.array(area), s10 / m + s01 / n + (s11 + s11.T) / (m * n)


def ratio(hits, groups):
    """The proportion of hits, and its variance with groups as clusters (ratio estimator)."""
    proportion = hits.mean()
    _, index = np.unique(groups, return_inverse=True)
    g = index.max() + 1
    deviations = np.bincount(index, hits - proportion)
    return proportion, g / (g - 1) * (deviations**2).sum() / len(hits) ** 2, g


def wilson(k, n, z=Z):
    """Wilson's interval for counts that need not be integers."""
    p = k / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def logit_interval(p, variance):
    half = Z * np.sqrt(variance) / (p * (1 - p))
    return special.expit(special.logit(p) - half), special.expit(special.logit(p) + half)


def upper(k, n, level=0.95):
    """The one-sided upper bound of Clopper and Pearson of k failures in n."""
    return 1.0 if k == n else stats.beta.ppf(level, k + 1, n - k)


def lower(k, n, level=0.95):
    return 0.0 if k == 0 else stats.beta.ppf(1 - level, k, n - k + 1)


def size_for_upper(k, bound):
    """The smallest n for which the upper bound of k failures is at most `bound`."""
    return next(n for n in itertools.count(k + 1) if stats.binom.cdf(k, n, bound) <= 0.05)


def failures_allowed(n, bound):
    """The largest number of failures in n whose upper bound is at most `bound`; -1 if there is none."""
    return next((k for k in itertools.count() if stats.binom.cdf(k, n, bound) > 0.05)) - 1


def equal_mass_bins(confidence, bins):
    """Indices of the rows of each bin: ranked by confidence, ties in file order, the first n mod `bins` bins one larger."""
    return np.array_split(np.argsort(confidence, kind="stable"), bins)


def bins_of_whole_ties(confidence, bins):
    """The same, but a boundary between equal confidences moves up behind the last of them. Empty bins are left out."""
    order = np.argsort(confidence, kind="stable")
    ranked = confidence[order]
    starts = np.cumsum([len(part) for part in np.array_split(order, bins)])[:-1]
    tied = [start for start in starts if 0 < start < len(ranked) and ranked[start] == ranked[start - 1]]
    moved = {start: np.searchsorted(ranked, ranked[start], side="right") for start in tied}
    parts = np.split(order, sorted({int(moved.get(start, start)) for start in starts}))
    return [part for part in parts if len(part)]


def calibration_error(confidence, hits, bins, parted=equal_mass_bins):
    parts = parted(confidence, bins)
    return sum(abs((hits[part] - confidence[part]).sum()) for part in parts) / len(hits)


def poisson_binomial(probabilities):
    """The probabilities of 0, 1, … successes."""
    found = np.ones(1)
    for p in probabilities:
        found = np.convolve(found, [1 - p, p])
    return found


def calibrated_error(confidence, bins, parted=equal_mass_bins):
    """Mean and standard deviation of the calibration error if each row is a hit with the probability `confidence`."""
    mean, variance = 0.0, 0.0
    for part in parted(confidence, bins):
        mass = poisson_binomial(confidence[part])
        expected = confidence[part].sum()
        distance = np.abs(np.arange(len(mass)) - expected)
        first = (mass * distance).sum()
        mean += first
        variance += (mass * distance**2).sum() - first**2
    return mean / len(confidence), np.sqrt(variance) / len(confidence)


def risk_coverage(confidence, errors):
    """The risk of the k most confident rows for k = 1 … n. Errors of rows with one confidence are spread evenly over them."""
    spread = np.empty(len(errors))
    for value in np.unique(confidence):
        tied = confidence == value
        spread[tied] = errors[tied].mean()
    order = np.argsort(-confidence, kind="stable")
    return spread[order].cumsum() / np.arange(1, len(errors) + 1)


def conformal_rank(n, miss):
    """k = floor((n + 1) · miss) in exact arithmetic. `miss` is a decimal number in a string."""
    return int((n + 1) * fractions.Fraction(miss))


def misses_exactly(m, n, k):
    """The probabilities of 0 … m misses by counting the orders of n + m exchangeable scores."""
    ways = [special.comb(j + k - 1, j, exact=True) * special.comb(m - j + n - k, m - j, exact=True) for j in range(m + 1)]
    return np.array([float(fractions.Fraction(way, special.comb(n + m, m, exact=True))) for way in ways])


def temperature(logits, label):
    """The temperature of minimum NLL: the root of the derivative by 1/T, in which the NLL is convex."""
    of_label = logits[np.arange(len(label)), label].mean()

    def slope(beta):
        return (special.softmax(beta * logits, axis=1) * logits).sum(axis=1).mean() - of_label

    return 1 / optimize.brentq(slope, 1e-3, 1e3, xtol=1e-15, rtol=1e-14)


def shrunk_covariance(centered):
    """The covariance of Ledoit & Wolf (2004) of centred rows, and the weight of its target."""
    n, p = centered.shape
    sample = centered.T @ centered / n
    target = np.trace(sample) / p * np.eye(p)
    spread = ((np.einsum("ti,tj->tij", centered, centered) - sample)**2).sum() / n**2
    weight = min(1.0, spread / ((sample - target)**2).sum())
    return (1 - weight) * sample + weight * target, weight


def accepted_novel(known, novel, share=0.95):
    """The threshold under which at least `share` of the known scores are, and the proportion of the novel ones under it."""
    threshold = np.sort(known)[math.ceil(fractions.Fraction(str(share)) * len(known)) - 1]
    return threshold, (novel <= threshold).mean()


def exhaustive_bootstrap(hits, rows):
    """All resamples of a few clusters: the values of the ratio, in order, each of the same probability."""
    resamples = np.array(list(itertools.product(range(len(hits)), repeat=len(hits))))
    return np.sort(hits[resamples].sum(axis=1) / rows[resamples].sum(axis=1))
