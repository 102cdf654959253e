//! `bedside samplesize`: says how many patients a stated bound takes.

use std::io::Write;

use bedside_tools::samplesize::{
    ForBound, ForPower, ForThreshold, ForWidth, failures_allowed, for_bound, for_half_width, for_power, for_threshold,
    for_threshold_within,
};
use bedside_tools::statistics::conformal::NO_SIGN_BOUND;
use serde::Serialize;

use crate::output::{BOLD, DIM, Failure, line};
use crate::values::{parse_confidence, parse_half_width, parse_inner_share, parse_partial_share, parse_positive_share};
use bedside_tools::statistics::Confidence;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside samplesize                                    what `no_sign` and thresholds take
  bedside samplesize --bound 0.05 --failures 0,1,5      patients for an upper bound of 5 %
  bedside samplesize --bound 0.05 --patients 400        how many of 400 may fail
  bedside samplesize --bound 0.05 --rate 0.02           patients for a model that fails for 2 % to pass in 8 of 10 studies
  bedside samplesize --miss 0.02 --within 0.04          patients for a threshold whose miss stays under 4 %
  bedside samplesize --half-width 0.05 --sensitivity 0.9 --prevalence 0.2

Patients are counted, not pictures; those that the model did not learn from, and that chose nothing.")]
pub(crate) struct Arguments {
    /// The upper bound of a share that must hold, such as 0.05; by default that of `no_sign`
    #[arg(long, value_parser = parse_positive_share, value_name = "SHARE")]
    bound: Option<f64>,
    /// How many may fail
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1, 2, 5, 10], value_name = "N,N,…")]
    failures: Vec<u64>,
    /// How many patients there are: says how many of them may fail
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000), value_name = "N")]
    patients: Option<u64>,
    /// The share that fails in truth: says how many patients let the bound be shown
    #[arg(long, value_parser = parse_partial_share, value_name = "SHARE")]
    rate: Option<f64>,
    /// How likely it must be shown, with --rate
    #[arg(long, default_value_t = 0.8, value_parser = parse_inner_share, value_name = "SHARE")]
    power: f64,
    /// The share of its patients that a label's threshold may miss: says how many patients with the label it takes
    #[arg(long, value_parser = parse_inner_share, value_name = "SHARE")]
    miss: Option<f64>,
    /// What the miss of one threshold must stay under, with --miss
    #[arg(long, value_parser = parse_inner_share, requires = "miss", value_name = "SHARE")]
    within: Option<f64>,
    /// Half the width of an interval
    #[arg(long, value_parser = parse_half_width, value_name = "SHARE")]
    half_width: Option<f64>,
    /// The sensitivity that is expected, with --half-width
    #[arg(long, default_value_t = 0.9, value_parser = parse_inner_share, value_name = "SHARE")]
    sensitivity: f64,
    /// The share of the patients who have the label, with --half-width
    #[arg(long, default_value_t = 1.0, value_parser = parse_positive_share, value_name = "SHARE")]
    prevalence: f64,
    /// The level of confidence
    #[arg(long, default_value = "0.95", value_parser = parse_confidence, value_name = "LEVEL")]
    confidence: Confidence,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was asked for. The names of the fields are those of the JSON.
#[derive(Default, Serialize)]
struct Answer {
    confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    power: Option<Power>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thresholds: Vec<Threshold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    half_width: Option<ForWidth>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the names are those of the JSON")]
struct Bound {
    bound: f64,
    patients_by_failures: Vec<ForBound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Allowed>,
}

/// How many of these patients may fail; `failures` is null where none is few enough.
#[derive(Serialize)]
struct Allowed {
    patients: u64,
    failures: Option<u64>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the names are those of the JSON")]
struct Power {
    rate: f64,
    power: f64,
    #[serde(flatten)]
    patients: ForPower,
}

#[derive(Serialize)]
struct Threshold {
    miss: f64,
    #[serde(flatten)]
    found: ForThreshold,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.check()?;
    let answer = arguments.answer()?;
    let mut out = anstream::stdout().lock();
    if arguments.json {
        let json = serde_json::to_string(&answer).map_err(|error| Failure::Failed(error.to_string()))?;
        writeln!(out, "{json}")?;
        return Ok(());
    }
    write_answer(&mut out, &answer)
}

/// Wrong usage of an option, of which this is wrong.
fn wrong(option: &str, value: f64, problem: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{option} {value}: {problem}"))
}

impl Arguments {
    /// Fails where two options contradict each other.
    fn check(&self) -> Result<(), Failure> {
        if let Some(rate) = self.rate {
            let bound = self.limit();
            if bound >= 1.0 {
                return Err(wrong("--bound", bound, "give a share below 1 with --rate"));
            }
            if rate >= bound {
                return Err(wrong("--rate", rate, format_args!("give 0 or more, and less than the bound, {bound}")));
            }
        }
        if let (Some(miss), Some(within)) = (self.miss, self.within)
            && within <= miss
        {
            return Err(wrong("--within", within, format_args!("give more than the miss, {miss}, and less than 1")));
        }
        Ok(())
    }

    fn answer(&self) -> Result<Answer, Failure> {
        let is_bound_meant = self.bound.is_some() || self.patients.is_some() || self.rate.is_some();
        let is_all = !is_bound_meant && self.miss.is_none() && self.half_width.is_none();
        Ok(Answer {
            confidence: self.confidence.level(),
            bound: (is_bound_meant || is_all).then(|| self.bound()).transpose()?,
            power: self.rate.map(|rate| self.power(rate)).transpose()?,
            thresholds: match self.miss {
                Some(miss) => self.thresholds(miss)?,
                None if is_all => self.usual_thresholds()?,
                None => Vec::new(),
            },
            half_width: self.half_width.map(|half| self.half_width(half)).transpose()?,
        })
    }

    fn half_width(&self, half_width: f64) -> Result<ForWidth, Failure> {
        for_half_width(self.sensitivity, half_width, self.prevalence, self.confidence)
            .map_err(|error| wrong("--half-width", half_width, error))
    }

    fn limit(&self) -> f64 {
        self.bound.unwrap_or(NO_SIGN_BOUND)
    }

    fn bound(&self) -> Result<Bound, Failure> {
        let (bound, failures) = (self.limit(), self.failures.iter().copied());
        let of_bound = |error| wrong("--bound", bound, error);
        let allowed = |patients| -> Result<Allowed, Failure> {
            Ok(Allowed { patients, failures: failures_allowed(patients, bound, self.confidence).map_err(of_bound)? })
        };
        Ok(Bound {
            bound,
            patients_by_failures: for_bound(bound, failures, self.confidence).map_err(of_bound)?,
            allowed: self.patients.map(allowed).transpose()?,
        })
    }

    fn power(&self, rate: f64) -> Result<Power, Failure> {
        let patients = for_power(rate, self.limit(), self.power, self.confidence);
        Ok(Power { rate, power: self.power, patients: patients.map_err(|error| wrong("--rate", rate, error))? })
    }

    fn thresholds(&self, miss: f64) -> Result<Vec<Threshold>, Failure> {
        let found = match self.within {
            Some(limit) => for_threshold_within(miss, limit, self.confidence).map(|found| vec![found]),
            None => for_threshold(miss, [1, 2, 5, 10, 20], self.confidence),
        };
        let found = found.map_err(|error| wrong("--miss", miss, error))?;
        Ok(found.into_iter().map(|found| Threshold { miss, found }).collect())
    }

    fn usual_thresholds(&self) -> Result<Vec<Threshold>, Failure> {
        let of = |miss| {
            let found = for_threshold(miss, [1], self.confidence).map_err(|error| wrong("--miss", miss, error))?;
            Ok(Threshold { miss, found: found[0] })
        };
        [0.01, 0.02, 0.05, 0.1].into_iter().map(of).collect()
    }
}

fn write_answer(out: &mut impl Write, answer: &Answer) -> Result<(), Failure> {
    let level = percent(answer.confidence);
    if let Some(bound) = &answer.bound {
        writeln!(out, "{BOLD}A share of at most {}, with {level} confidence{BOLD:#}", percent(bound.bound))?;
        if let Some(Allowed { patients, failures }) = bound.allowed {
            let text = failures.map_or("none: even no failure is too many".to_owned(), |n| format!("{n} may fail"));
            line(out, &format!("of {patients}"), text)?;
        } else {
            for ForBound { failures, patients } in &bound.patients_by_failures {
                line(out, &format!("{failures} fail"), format_args!("of {patients} patients or more"))?;
            }
        }
    }
    if let Some(Power { rate, power, patients }) = &answer.power {
        writeln!(out, "{BOLD}If {} fail, it is shown in {} of studies{BOLD:#}", percent(*rate), percent(*power))?;
        line(
            out,
            "from",
            format_args!("{} patients, and with each number from {} on", patients.first, patients.from_on),
        )?;
    }
    if !answer.thresholds.is_empty() {
        writeln!(out, "{BOLD}A threshold that misses a share of a label's patients on average{BOLD:#}")?;
    }
    for Threshold { miss, found } in &answer.thresholds {
        let what = format!("{} missed", percent(*miss));
        line(out, &what, format_args!("{} patients; under {} with {level}", found.patients, percent(found.upper)))?;
    }
    if let Some(ForWidth { with_label, all }) = answer.half_width {
        writeln!(out, "{BOLD}An interval of that half width{BOLD:#}")?;
        line(out, "patients", format_args!("{with_label} with the label, {all} in all"))?;
    }
    writeln!(out, "\n{DIM}Count patients, not pictures: those that the model did not learn from.{DIM:#}")?;
    Ok(())
}

/// A share in percent, with two decimals, or with two digits of what is nearer than 0.1 to 0 or 100, and no zeros behind.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let rest = percent.min(100.0 - percent);
    let decimals = if rest > 0.0 { (1.0 - rest.log10().floor()).clamp(2.0, 20.0) as usize } else { 2 };
    let text = format!("{percent:.decimals$}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_of_small_shares_is_not_0() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.02, "2 %"),
            (0.058_123, "5.81 %"),
            (0.1, "10 %"),
            (0.005_882, "0.59 %"),
            (0.000_588_2, "0.059 %"),
            (0.000_001, "0.0001 %"),
            (0.999_999, "99.9999 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
