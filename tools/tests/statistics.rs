//! The statistics equal numpy, scipy, scikit-learn, statsmodels, netcal, and published examples, as the files of
//! `tests/golden/statistics` hold them. The page beside those files has each value's rule and source.
//!
//! The files have 12 digits of values in float64: unless a test says otherwise, ours may differ by one part in 10⁹, and
//! by 10⁻¹² where a value is near 0.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bedside_tools::samplesize::{failures_allowed, for_half_width, for_power};
use bedside_tools::statistics::auc::{ClassScores, compare, logit_interval};
use bedside_tools::statistics::bootstrap::{Groups, Options, paired_difference, percentile_interval};
use bedside_tools::statistics::calibration::{
    LabelledLogits, TEMPERATURE_BOUNDS, brier, calibration_intercept, calibration_intercept_clustered,
    calibration_slope, calibration_slope_clustered, ece, expected_ece, nll, reliability,
};
use bedside_tools::statistics::conformal::{NoSign, Threshold, lowest_of_each, miss_band, no_sign, threshold};
use bedside_tools::statistics::proportion::{
    Proportion, TestCounts, clustered, net_benefit, predictive_intervals, predictive_values, smallest_sample,
};
use bedside_tools::statistics::risk::{aurc, excess_aurc, risk_coverage};
use bedside_tools::statistics::{Confidence, Estimate, Interval, Undefined};
use serde_json::Value;

const LABELS: [&str; 3] = ["melanoma", "keratosis", "nevus"];
const P95: Confidence = Confidence::P95;

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "golden", "statistics", name].iter().collect()
}

fn expected(section: &str) -> Value {
    let text = fs::read_to_string(golden("expected.json")).expect("expected.json is there");
    let mut all: Value = serde_json::from_str(&text).expect("it is JSON");
    all[section].take()
}

/// The columns of a CSV file.
struct Table(BTreeMap<String, Vec<String>>);

impl Table {
    fn read(name: &str) -> Self {
        let mut reader = csv::Reader::from_path(golden(name)).expect("the file is there");
        let head = reader.headers().expect("it has a head").clone();
        let mut columns: BTreeMap<String, Vec<String>> = head.iter().map(|h| (h.to_owned(), Vec::new())).collect();
        for record in reader.records() {
            for (name, value) in head.iter().zip(&record.expect("rows are whole")) {
                columns.get_mut(name).expect("it is of the head").push(value.to_owned());
            }
        }
        Self(columns)
    }

    fn texts(&self, column: &str) -> Vec<&str> {
        self.0[column].iter().map(String::as_str).collect()
    }

    fn numbers(&self, column: &str) -> Vec<f64> {
        self.0[column].iter().map(|text| text.parse().expect("a number")).collect()
    }

    fn is(&self, column: &str, value: &str) -> Vec<bool> {
        self.0[column].iter().map(|text| text == value).collect()
    }

    /// The rows for which this holds.
    fn keep(&self, rows: &[bool]) -> Self {
        let kept = |values: &Vec<String>| -> Vec<String> {
            values.iter().zip(rows).filter(|(_, keep)| **keep).map(|(value, _)| value.clone()).collect()
        };
        Self(self.0.iter().map(|(name, values)| (name.clone(), kept(values))).collect())
    }

    /// The logarithms of a model's probabilities, which are logits of them, with the true label of each row.
    fn logits(&self, model: &str) -> LabelledLogits {
        let columns = LABELS.map(|label| self.numbers(&format!("{model}_{label}")));
        let labels = self.0["label"].iter().map(|l| LABELS.iter().position(|name| name == l).expect("a label"));
        let rows = 0..self.0["label"].len();
        let logits = rows.flat_map(|row| columns.clone().map(|column| column[row].ln())).collect();
        LabelledLogits::new(logits, 3, labels.collect()).expect("probabilities are above 0")
    }

    /// Each row's largest probability as it stands in the file, and whether its label is the true one.
    fn top(&self, model: &str) -> (Vec<f64>, Vec<bool>) {
        let (_, right) = self.logits(model).top_label(1.0).expect("in range");
        let columns = LABELS.map(|label| self.numbers(&format!("{model}_{label}")));
        let largest = (0..right.len()).map(|row| columns.iter().map(|c| c[row]).fold(0.0, f64::max)).collect();
        (largest, right)
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

#[track_caller]
fn near(found: f64, value: &Value, relative: f64) {
    let wanted = number(value);
    assert!((found - wanted).abs() <= relative * wanted.abs() + 1e-12, "{found} instead of {wanted}");
}

#[track_caller]
fn same(found: f64, value: &Value) {
    near(found, value, 1e-9);
}

#[track_caller]
fn same_interval(found: Interval, value: &Value) {
    same(found.lower, &value[0]);
    same(found.upper, &value[1]);
}

fn log_odds(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().map(|p| (p / (1.0 - p)).ln()).collect()
}

#[test]
fn auc_and_delong_equal_scikit_learn_and_proc() {
    let table = Table::read("predictions.csv");
    let expected = expected("areas");
    for label in LABELS {
        let positive = table.is("label", label);
        let found = ["first", "second"].map(|model| table.numbers(&format!("{model}_{label}")));
        for (model, scores) in found.iter().enumerate() {
            let estimate = ClassScores::new(scores, &positive).and_then(|s| s.delong()).expect("both classes");
            let delong = &expected[label]["delong"];
            same(estimate.value, &expected[label]["area"][model]);
            same(estimate.standard_error.powi(2), &delong["covariance"][model][model]);
            same_interval(estimate.interval(P95), &delong["interval"][model]);
            same_interval(logit_interval(estimate, P95).expect("inside"), &delong["logit_interval"][model]);
        }
        let paired = compare(&found[0], &found[1], &positive).expect("both classes");
        let delong = &expected[label]["delong"];
        same(paired.difference.value, &delong["difference"]);
        same(paired.difference.standard_error, &delong["standard_error"]);
        same(paired.z, &delong["z"]);
        same(paired.p_value, &delong["p"]);
        same_interval(paired.difference.interval(P95), &delong["difference_interval"]);
    }
}

#[test]
fn delong_has_the_values_of_the_example_of_1988() {
    let table = Table::read("delong-1988.csv");
    let expected = expected("delong_1988");
    let benefits = table.is("benefits", "1");
    let kg_score: Vec<f64> = table.numbers("kg_score").iter().map(|score| 10.0 - score).collect();
    let scores = [table.numbers("albumin"), kg_score, table.numbers("total_protein")];
    for (index, score) in scores.iter().enumerate() {
        let estimate = ClassScores::new(score, &benefits).and_then(|s| s.delong()).expect("both classes");
        same(estimate.value, &expected["area"][index]);
        same(estimate.standard_error.powi(2), &expected["covariance"][index][index]);
    }
    // The contrasts of the example: albumin and total protein, each less the K-G score.
    for (index, first) in [0, 2].into_iter().enumerate() {
        let paired = compare(&scores[first], &scores[1], &benefits).expect("both classes");
        same(paired.difference.value, &expected["difference"][index]);
        same(paired.difference.standard_error, &expected["standard_error_of_difference"][index]);
        same(paired.z.powi(2), &expected["chi_square"][index]);
        same(paired.p_value, &expected["p"][index]);
    }
}

/// Replicates by patient, as many as put an interval's end within some hundredths of its width.
fn many() -> Options {
    Options { replicates: 1000, seed: 20, ..Options::default() }
}

/// Obuchowski's interval and a bootstrap by patients estimate the same by other means. Their ends may differ by a tenth
/// of the width.
#[track_caller]
fn alike(found: Interval, value: &Value) {
    let (lower, upper) = (number(&value[0]), number(&value[1]));
    let tolerance = (upper - lower) / 10.0;
    let is_near = (found.lower - lower).abs() < tolerance && (found.upper - upper).abs() < tolerance;
    assert!(is_near, "{found:?} instead of {lower} to {upper}");
}

#[test]
fn bootstrap_by_patient_agrees_with_obuchowski() {
    let table = Table::read("predictions.csv");
    let groups = Groups::new(&table.texts("group")).expect("244 patients");
    let expected = expected("areas");
    for label in LABELS {
        let positive = table.is("label", label);
        let scores = ["first", "second"].map(|model| table.numbers(&format!("{model}_{label}")));
        let auc = |model: usize, cases: &[usize]| -> Result<f64, Undefined> {
            let drawn: Vec<f64> = cases.iter().map(|&i| scores[model][i]).collect();
            let truth: Vec<bool> = cases.iter().map(|&i| positive[i]).collect();
            Ok(ClassScores::new(&drawn, &truth)?.auc())
        };
        let first = percentile_interval(&groups, many(), |cases| auc(0, cases)).expect("defined");
        same(first.value, &expected[label]["area"][0]);
        alike(first.interval, &expected[label]["clustered"]["interval"][0]);
        let both = paired_difference(&groups, many(), |cases| auc(0, cases), |cases| auc(1, cases)).expect("defined");
        same(both.value, &expected[label]["clustered"]["difference"]);
        alike(both.interval, &expected[label]["clustered"]["difference_interval"]);
    }
}

#[test]
fn bootstrap_converges_to_all_resamples() {
    let expected = expected("bootstrap");
    let hits: Vec<f64> = list(&expected["hits"]).iter().map(number).collect();
    let rows: Vec<f64> = list(&expected["rows"]).iter().map(number).collect();
    let groups = Groups::new(&(0..hits.len()).collect::<Vec<_>>()).expect("five");
    let ratio =
        |drawn: &[usize]| Ok(drawn.iter().map(|&i| hits[i]).sum::<f64>() / drawn.iter().map(|&i| rows[i]).sum::<f64>());
    let options = Options { replicates: 50_000, ..Options::default() };
    let found = percentile_interval(&groups, options, ratio).expect("defined");
    same(found.value, &expected["ratio"]);
    // The resamples have few values, and next to these percentiles the steps between them are below 0.02.
    for (end, quantile) in [(found.interval.lower, "0.025"), (found.interval.upper, "0.975")] {
        assert!((end - number(&expected["quantiles"][quantile])).abs() < 0.02, "{found:?}");
    }
}

/// k of n of each patient who has a row in the denominator.
fn by_patient(patients: &[&str], is_case: &[bool], is_hit: &[bool]) -> Vec<Proportion> {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for ((patient, _), hit) in patients.iter().zip(is_case).zip(is_hit).filter(|((_, case), _)| **case) {
        let count = counts.entry(patient).or_default();
        count.0 += u64::from(*hit);
        count.1 += 1;
    }
    counts.into_values().map(|(k, n)| Proportion::new(k, n).expect("n is 1 or more")).collect()
}

/// A clustered proportion has the value and the variance of the file, and Wilson's interval of its effective rows, with
/// the t quantile instead of z.
#[track_caller]
fn same_clustered(clusters: &[Proportion], expected: &Value) {
    let found = clustered(clusters, P95).expect("many patients");
    assert_eq!(clusters.len() as u64, whole(&expected["clusters"]));
    same(found.value, &expected["proportion"]);
    same(found.standard_error.powi(2), &expected["variance"]);
    // Never more than there are: clusters that differ less than chance would have it add no rows.
    let rows = number(&expected["rows"]);
    same(found.effective_cases, &number(&expected["effective_rows"]).min(rows).into());
    same_interval(found.interval, &expected["wilson_of_at_most_all_rows_by_t"]);
}

#[test]
fn clustered_proportions_equal_statsmodels() {
    let table = Table::read("predictions.csv");
    let expected = expected("operating_point");
    let patients = table.texts("group");
    let ill = table.is("label", "melanoma");
    let called: Vec<bool> = table.numbers("first_melanoma").iter().map(|&p| p >= 0.25).collect();
    let not = |of: &[bool]| of.iter().map(|x| !x).collect::<Vec<bool>>();
    let (well, cleared) = (not(&ill), not(&called));
    same_clustered(&by_patient(&patients, &ill, &called), &expected["sensitivity"]);
    same_clustered(&by_patient(&patients, &well, &cleared), &expected["specificity"]);
    same_clustered(&by_patient(&patients, &called, &ill), &expected["positive_predictive_value"]);
    same_clustered(&by_patient(&patients, &cleared, &well), &expected["negative_predictive_value"]);
}

#[test]
fn predictive_values_and_their_intervals_equal_the_delta_method() {
    let table = Table::read("predictions.csv");
    let expected = expected("operating_point");
    let ill = table.is("label", "melanoma");
    let called = table.numbers("first_melanoma").into_iter().map(|p| p >= 0.25);
    let mut patients: BTreeMap<&str, TestCounts> = BTreeMap::new();
    for ((patient, ill), called) in table.texts("group").into_iter().zip(ill).zip(called) {
        let counts = patients.entry(patient).or_default();
        counts.ill += u64::from(ill);
        counts.called += u64::from(ill && called);
        counts.well += u64::from(!ill);
        counts.cleared += u64::from(!ill && !called);
    }
    let patients: Vec<TestCounts> = patients.into_values().collect();
    let (sensitivity, specificity) = (102.0 / 142.0, 366.0 / 458.0);
    for at in list(&expected["at_prevalence"]) {
        let prevalence = number(&at["prevalence"]);
        let values = predictive_values(sensitivity, specificity, prevalence).expect("in range");
        same(values.positive.expect("some are positive"), &at["positive"]);
        same(values.negative.expect("some are negative"), &at["negative"]);
        let intervals = predictive_intervals(&patients, prevalence, P95).expect("in range");
        let wanted = &at["logit_interval_clustered"];
        same_interval(intervals.positive.expect("it varies"), &wanted["positive"]);
        same_interval(intervals.negative.expect("it varies"), &wanted["negative"]);
        for wanted in list(&at["net_benefit"]) {
            let found = net_benefit(&patients, prevalence, number(&wanted["threshold"])).expect("in range");
            same(found.test, &wanted["test"]);
            same(found.refer_all, &wanted["refer_all"]);
            assert!((found.difference - (found.test - found.refer_all)).abs() < 1e-15);
            same(found.standard_error.expect("it varies"), &wanted["standard_error"]);
        }
    }
}

/// A rate of 1 among few says little of the rate among many, so that nothing is said of how far the net benefit varies.
#[test]
fn net_benefit_of_a_test_that_misses_nobody_has_no_standard_error() {
    let patients = [(1, 1, 2, 1), (0, 0, 1, 1), (2, 2, 0, 0)];
    let patients = patients.map(|(ill, called, well, cleared)| TestCounts { ill, called, well, cleared });
    let found = net_benefit(&patients, 0.5, 0.5).expect("in range");
    // All ill are called, and 1 of 3 well: 0.5 − 0.5 / 3, beside 0.5 − 0.5.
    assert!((found.test - 1.0 / 3.0).abs() < 1e-15 && found.refer_all.abs() < 1e-15);
    assert_eq!(found.standard_error, Err(Undefined::NoVariation));
}

#[test]
fn intervals_of_counts_equal_scipy_and_statsmodels() {
    for case in list(&expected("counted")["cases"]) {
        let proportion = Proportion::new(whole(&case["k"]), whole(&case["n"])).expect("k is at most n");
        same_interval(proportion.clopper_pearson(P95), &case["clopper_pearson"]);
        same_interval(proportion.wilson(P95), &case["wilson"]);
        same(proportion.upper_bound(P95), &case["upper_one_sided"]);
        same(proportion.lower_bound(P95), &case["lower_one_sided"]);
        let is_allowed = matches!(no_sign(proportion.count(), proportion.cases()), Ok(NoSign::Allowed { .. }));
        assert_eq!(is_allowed, case["upper_at_most_0.05"].as_bool().expect("a bool"), "{case}");
    }
}

#[test]
fn misses_by_patient_count_the_lowest_probability() {
    let table = Table::read("predictions.csv");
    let expected = &expected("operating_point")["by_patient"];
    let melanomas = table.keep(&table.is("label", "melanoma"));
    let lowest = lowest_of_each(&melanomas.texts("group"), &melanomas.numbers("first_melanoma")).expect("in range");
    let missed = lowest.iter().filter(|&&p| p < 0.25).count() as u64;
    assert_eq!((missed, lowest.len() as u64), (whole(&expected["missed"]), whole(&expected["patients"])));
    let found = Proportion::new(missed, lowest.len() as u64).expect("there are patients");
    same(found.upper_bound(P95), &expected["upper_one_sided"]);
    same_interval(found.clopper_pearson(P95), &expected["clopper_pearson"]);
}

#[test]
fn brier_and_nll_equal_scikit_learn() {
    let table = Table::read("predictions.csv");
    let expected = expected("scores");
    for model in ["first", "second"] {
        let logits = table.logits(model);
        same(logits.brier(1.0).expect("in range"), &expected[model]["brier"]);
        same(logits.nll(1.0).expect("in range"), &expected[model]["nll"]);
        for label in LABELS {
            let probabilities = table.numbers(&format!("{model}_{label}"));
            let found = brier(&probabilities, &table.is("label", label)).expect("in range");
            same(found, &expected[model]["brier_by_label"][label]);
        }
    }
}

#[test]
fn calibration_intercept_and_slope_equal_statsmodels() {
    let table = Table::read("predictions.csv");
    let groups = Groups::new(&table.texts("group")).expect("244 patients");
    let expected = expected("calibration");
    let is_same = |found: Estimate, wanted: &Value, error: &str| {
        near(found.value, &wanted["value"], 1e-8);
        near(found.standard_error, &wanted[error], 1e-7);
    };
    for model in ["first", "second"] {
        for label in LABELS {
            let log_odds = log_odds(&table.numbers(&format!("{model}_{label}")));
            let outcomes = table.is("label", label);
            let wanted = &expected[model][label];
            let intercept = calibration_intercept(&log_odds, &outcomes).expect("defined");
            is_same(intercept, &wanted["intercept"], "standard_error");
            let intercept = calibration_intercept_clustered(&log_odds, &outcomes, &groups).expect("defined");
            is_same(intercept, &wanted["intercept"], "standard_error_clustered");
            let fit = calibration_slope(&log_odds, &outcomes).expect("defined");
            is_same(fit.slope, &wanted["slope"], "standard_error");
            near(fit.intercept.value, &wanted["slope"]["constant"], 1e-8);
            let fit = calibration_slope_clustered(&log_odds, &outcomes, &groups).expect("defined");
            is_same(fit.slope, &wanted["slope"], "standard_error_clustered");
        }
    }
}

#[test]
fn calibration_error_equals_netcal_and_scikit_learn() {
    let table = Table::read("predictions.csv");
    let expected = expected("calibration_error");
    for model in ["first", "second"] {
        for (rows, table) in [("all", &table), ("tablet", &table.keep(&table.is("device", "tablet")))] {
            for bins in [10, 15] {
                let wanted = &expected[&format!("{model} {rows} {bins}")];
                let (confidences, right) = table.top(model);
                let found = ece(&confidences, &right, bins).expect("in range");
                same(found, &wanted["whole_ties"]["error"]);
                let calibrated = expected_ece(&confidences, bins).expect("in range");
                same(calibrated.mean, &wanted["whole_ties"]["calibrated_mean"]);
                near(calibrated.standard_deviation, &wanted["whole_ties"]["calibrated_deviation"], 1e-8);
                let found = reliability(&confidences, &right, bins).expect("in range");
                let sizes: Vec<u64> = found.iter().map(|bin| bin.right.cases()).collect();
                let wanted_sizes: Vec<u64> = list(&wanted["whole_ties"]["sizes"]).iter().map(whole).collect();
                assert_eq!(sizes, wanted_sizes, "{model} {rows} {bins}");
            }
        }
    }
    // Without equal confidences the rule is that of numpy's array_split, and for all rows that of both libraries.
    let (confidences, right) = table.top("first");
    for (name, error) in expected["netcal"]["error"].as_object().expect("by name") {
        let bins = name.rsplit(' ').next().and_then(|b| b.parse().ok()).expect("a number of bins");
        same(ece(&confidences, &right, bins).expect("in range"), error);
        same(ece(&confidences, &right, bins).expect("in range"), &expected[name]["error"]);
    }
}

#[test]
fn temperature_equals_scipy() {
    let table = Table::read("predictions.csv");
    let expected = expected("temperature");
    for model in ["first", "second"] {
        let fit = table.logits(model).fit_temperature(TEMPERATURE_BOUNDS).expect("in range");
        near(fit.temperature, &expected[model]["temperature"], 1e-8);
        same(fit.nll_before, &expected[model]["nll_before"]);
        same(fit.nll_after, &expected[model]["nll_after"]);
    }
}

#[test]
fn risk_and_coverage_equal_a_loop_over_sorted_rows() {
    let table = Table::read("predictions.csv");
    let expected = expected("risk_coverage");
    for model in ["first", "second"] {
        let (confidences, right) = table.top(model);
        let wrong: Vec<bool> = right.iter().map(|r| !r).collect();
        same(aurc(&confidences, &wrong).expect("in range"), &expected[model]["area"]);
        same(excess_aurc(&confidences, &wrong).expect("in range"), &expected[model]["excess_area"]);
        // Points stand at confidences that occur. Of the first model all differ: one stands at each coverage.
        let curve = risk_coverage(&confidences, &wrong).expect("in range");
        for (coverage, risk) in expected[model]["risk_at_coverage"].as_object().expect("by coverage") {
            let answered = (coverage.parse::<f64>().expect("a share") * 600.0).round() as u64;
            if let Some(point) = curve.iter().find(|p| p.answered.count() == answered) {
                same(point.wrong.value(), risk);
            } else {
                assert_eq!(model, "second");
            }
        }
    }
}

#[test]
fn conformal_thresholds_are_order_statistics_of_patients() {
    let table = Table::read("predictions.csv");
    let expected = expected("conformal");
    for case in list(&expected["thresholds"]) {
        let label = case["label"].as_str().expect("a label");
        let of_label = table.keep(&table.is("label", label));
        let probabilities = of_label.numbers(&format!("first_{label}"));
        let values = lowest_of_each(&of_label.texts("group"), &probabilities).expect("in range");
        let (fit, test): (Vec<_>, Vec<_>) = values.into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
        let fit: Vec<f64> = fit.into_iter().map(|(_, v)| v).collect();
        assert_eq!(
            (fit.len() as u64, test.len() as u64),
            (whole(&case["fit_patients"]), whole(&case["test_patients"]))
        );
        let miss = case["miss"].as_str().and_then(|m| m.parse().ok()).expect("a share");
        match threshold(&fit, miss).expect("in range") {
            Threshold::Always => assert_eq!(whole(&case["k"]), 0),
            Threshold::At { at, rank } => {
                assert_eq!(rank, whole(&case["k"]));
                same(at, &case["threshold"]);
                let misses = test.iter().filter(|(_, v)| *v < at).count() as u64;
                assert_eq!(misses, whole(&case["misses"]));
            }
        }
    }
}

#[test]
fn conformal_ranks_are_those_of_exact_fractions() {
    for case in list(&expected("conformal")["ranks"]) {
        let values = vec![0.5; whole(&case["n"]) as usize];
        let miss = case["miss"].as_str().and_then(|m| m.parse().ok()).expect("a share");
        let rank = match threshold(&values, miss).expect("in range") {
            Threshold::Always => 0,
            Threshold::At { rank, .. } => rank,
        };
        assert_eq!(rank, whole(&case["k"]), "{case}");
    }
}

#[test]
fn miss_bands_are_beta_binomial() {
    for case in list(&expected("conformal")["bands"]) {
        let [n, m, k] = ["fit_patients", "test_patients", "k"].map(|name| whole(&case[name]));
        let band = miss_band(k, n, m, P95).expect("in range");
        assert_eq!(band.lower, whole(&case["quantile_0.025"]), "{case}");
        assert_eq!(band.upper, whole(&case["quantile_0.975"]), "{case}");
        // The upper end of 90 % is that of one side of 95 %.
        let of_one_side = miss_band(k, n, m, Confidence::new(0.9).expect("in range")).expect("in range");
        assert_eq!(of_one_side.upper, whole(&case["quantile_0.95"]), "{case}");
    }
}

#[test]
fn novelty_is_separated_as_by_scikit_learn() {
    let table = Table::read("features.csv");
    let expected = expected("novelty");
    let is_novel: Vec<bool> = table.texts("set").iter().filter(|set| **set != "fit").map(|s| *s == "novel").collect();
    let is_known: Vec<bool> = is_novel.iter().map(|n| !n).collect();
    for (name, wanted) in expected["separation"].as_object().expect("by score") {
        let scores: Vec<f64> = list(&expected[name]).iter().map(number).collect();
        let novel = ClassScores::new(&scores, &is_novel).expect("both kinds");
        same(novel.auc(), &wanted["auroc"]);
        let refused = novel.at_sensitivity(0.95).expect("in range");
        same(refused.false_positives.value(), &wanted["known_refused_at_95_percent_of_novel_refused"]);
        let familiarity: Vec<f64> = scores.iter().map(|s| -s).collect();
        let known = ClassScores::new(&familiarity, &is_known).expect("both kinds").at_sensitivity(0.95);
        let known = known.expect("in range");
        same(-known.threshold, &wanted["threshold_with_95_percent_of_known_at_or_under"]);
        same(known.false_positives.value(), &wanted["novel_accepted_at_95_percent_of_known_accepted"]);
    }
}

#[test]
fn sample_sizes_equal_scipy() {
    let expected = expected("sample_size");
    for case in list(&expected["smallest_n_for_upper_bound"]) {
        let found = smallest_sample(whole(&case["failures"]), number(&case["bound"]), P95).expect("in range");
        assert_eq!(found, whole(&case["n"]), "{case}");
    }
    for case in list(&expected["failures_allowed"]) {
        let found = failures_allowed(whole(&case["n"]), number(&case["bound"]), P95).expect("in range");
        assert_eq!(found, case["failures"].as_u64(), "{case}");
    }
    for case in list(&expected["for_half_width"]) {
        let [share, width, prevalence] = ["proportion", "half_width", "prevalence"].map(|name| number(&case[name]));
        let found = for_half_width(share, width, prevalence, P95).expect("in range");
        assert_eq!((found.with_label, found.all), (whole(&case["with_label"]), whole(&case["all"])), "{case}");
    }
    for case in list(&expected["for_power"]) {
        let [rate, bound, power] = ["failure_rate", "bound", "probability"].map(|name| number(&case[name]));
        let found = for_power(rate, bound, power, P95).expect("in range");
        assert_eq!((found.first, found.from_on), (whole(&case["first_n"]), whole(&case["from_n_on"])), "{case}");
    }
}

#[test]
fn findings_are_evaluated_where_they_are_known() {
    let table = Table::read("multilabel.csv");
    let expected = expected("multilabel");
    for finding in ["effusion", "nodule", "pneumonia"] {
        let is_missing = table.is(finding, "");
        let known = table.keep(&is_missing.iter().map(|m| !m).collect::<Vec<_>>());
        let wanted = &expected[finding];
        let truth = known.is(finding, "1");
        assert_eq!(truth.len() as u64, whole(&wanted["known"]));
        let probabilities = known.numbers(&format!("probability_{finding}"));
        let estimate = ClassScores::new(&probabilities, &truth).and_then(|s| s.delong()).expect("both classes");
        same(estimate.value, &wanted["area"][0]);
        same(estimate.standard_error.powi(2), &wanted["delong"]["covariance"][0][0]);
        same(brier(&probabilities, &truth).expect("in range"), &wanted["brier"]);
        same(nll(&probabilities, &truth).expect("in range"), &wanted["nll"]);
        let called: Vec<bool> = probabilities.iter().map(|&p| p >= 0.5).collect();
        same_clustered(&by_patient(&known.texts("group"), &truth, &called), &wanted["sensitivity_at_0.5"]);
    }
}
