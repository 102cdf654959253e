//! The rule by which calibrated probabilities, novelty and danger signs give a verdict and a triage.

use super::{DangerSign, DecidedBy, LabelName, Novelty, Reason, Verdict};
use crate::Triage;
use crate::manifest::{DEFAULT_OPERATING_POINT, Label, Manifest};

/// What the rule needs to know of a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) classes: Vec<Class>,
    /// The action threshold of the sum of all urgent classes' probabilities.
    action: Option<f32>,
    may_say_no_sign: bool,
    /// Whether the manifest states an operating point for any class. Without any, the triage is `unassessed`.
    is_calibrated: bool,
}

/// A label outside groups, or a group: what verdicts and findings show as one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Class {
    /// Its id, name, triage and operating point in force, which is always there.
    pub(crate) label: Label,
    /// The indices of its labels in the graph's output, in ascending order.
    pub(crate) members: Vec<usize>,
}

impl Class {
    /// The operating point in force.
    pub(crate) fn operating_point(&self) -> f32 {
        self.label.operating_point.unwrap_or(DEFAULT_OPERATING_POINT)
    }

    /// Whether the class can't be excluded.
    pub(crate) fn is_over(&self, probability: f64) -> bool {
        probability as f32 >= self.operating_point()
    }

    fn named(&self, language: &str) -> LabelName {
        let Label { id, triage, .. } = &self.label;
        LabelName { id: id.clone(), name: self.label.name_in(language).to_owned(), level: *triage }
    }
}

/// The verdict on a picture, its triage, and what decided the triage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conclusion {
    pub(crate) verdict: Verdict,
    pub(crate) triage: Triage,
    pub(crate) decided_by: DecidedBy,
}

impl Conclusion {
    pub(crate) fn rejected(reasons: Vec<Reason>, triage: Triage, decided_by: DecidedBy) -> Conclusion {
        Conclusion { verdict: Verdict::Rejected(reasons), triage, decided_by }
    }

    /// That on a picture whose quality is beyond a limit, after this many refusals of the case for that.
    pub(crate) fn poor_quality(reasons: Vec<Reason>, refusals: u32) -> Conclusion {
        match refusals {
            0 => Conclusion::rejected(reasons, Triage::Unassessed, DecidedBy::Quality),
            _ => Conclusion::rejected(reasons, Triage::Refer, DecidedBy::RepeatedQuality),
        }
    }

    /// The conclusion, with a triage that is at least that of all danger signs.
    pub(crate) fn at_least(self, signs: &[DangerSign]) -> Conclusion {
        match signs.iter().map(|sign| sign.level).max() {
            Some(floor) if floor > self.triage => Conclusion { triage: floor, decided_by: DecidedBy::Danger, ..self },
            _ => self,
        }
    }
}

impl Rule {
    /// The rule of a manifest.
    pub(crate) fn of(manifest: &Manifest) -> Rule {
        let (output, calibration) = (manifest.output(), manifest.calibration());
        let mut classes: Vec<Class> = Vec::new();
        for (index, label) in output.labels.iter().enumerate() {
            let Some(group) = output.groups.iter().find(|group| group.labels.contains(&label.id)) else {
                classes.push(Class { label: label.clone(), members: vec![index] });
                continue;
            };
            if let Some(class) = classes.iter_mut().find(|class| class.label.id == group.id) {
                class.members.push(index);
                continue;
            }
            let (operating_point, triage) = (group.operating_point, group.triage);
            let label = Label { id: group.id.clone(), name: group.name.clone(), operating_point, triage };
            classes.push(Class { label, members: vec![index] });
        }
        let mut is_calibrated = false;
        for Class { label, .. } in &mut classes {
            let threshold = calibration.and_then(|c| c.thresholds.get(&label.id)).map(|threshold| threshold.at);
            let stated = threshold.or(label.operating_point);
            is_calibrated |= stated.is_some();
            label.operating_point = Some(stated.unwrap_or(DEFAULT_OPERATING_POINT));
        }
        let may_say_no_sign = calibration.is_some_and(|c| c.no_sign);
        Rule { classes, action: calibration.and_then(|c| c.action), may_say_no_sign, is_calibrated }
    }

    /// The probability of each class, from those of the graph's labels.
    pub(crate) fn of_classes(&self, probabilities: &[f64]) -> Vec<f64> {
        let mut of_classes = Vec::new();
        self.of_classes_into(probabilities, &mut of_classes);
        of_classes
    }

    /// As [`of_classes`](Rule::of_classes). They replace what `of_classes` holds.
    pub(crate) fn of_classes_into(&self, probabilities: &[f64], of_classes: &mut Vec<f64>) {
        let sum = |class: &Class| class.members.iter().map(|&member| probabilities[member]).sum::<f64>().min(1.0);
        of_classes.clear();
        of_classes.extend(self.classes.iter().map(sum));
    }

    /// Whether an urgent class can't be excluded, by itself or by the sum of all urgent ones; and which.
    pub(crate) fn urgent(&self, probabilities: &[f64]) -> Option<DecidedBy> {
        let urgent =
            || self.classes.iter().zip(probabilities).filter(|(class, _)| class.label.triage == Triage::Urgent);
        if urgent().any(|(class, &probability)| class.is_over(probability)) {
            return Some(DecidedBy::Label);
        }
        let sum: f64 = urgent().map(|(_, &probability)| probability).sum();
        (urgent().next().is_some() && self.action.is_some_and(|action| sum as f32 >= action))
            .then_some(DecidedBy::Action)
    }

    /// The conclusion on a picture that is in scope and sound. `probabilities` has one calibrated probability for each
    /// class; names are in `language`. `order` is memory.
    pub(crate) fn conclude(
        &self,
        probabilities: &[f64],
        novelty: Option<&Novelty>,
        language: &str,
        order: &mut Vec<usize>,
    ) -> Conclusion {
        if novelty.is_some_and(Novelty::is_over_hard) {
            let is_urgent = self.is_calibrated && self.urgent(probabilities).is_some();
            let triage = if is_urgent { Triage::Refer } else { Triage::Unassessed };
            return Conclusion::rejected(vec![Novelty::reason(language)], triage, DecidedBy::Novelty);
        }
        let is_unusual = novelty.is_some_and(Novelty::is_over_soft);
        order.clear();
        order.extend((0..self.classes.len()).filter(|&at| self.classes[at].is_over(probabilities[at])));
        let level = |at: usize| self.classes[at].label.triage;
        // Of one level and one probability, the manifest's order stays.
        order.sort_unstable_by(|&a, &b| {
            level(b).cmp(&level(a)).then(probabilities[b].total_cmp(&probabilities[a])).then(a.cmp(&b))
        });
        let (triage, decided_by) = self.triage(order.first().map(|&at| level(at)), probabilities, is_unusual);
        let named = |&at: &usize| self.classes[at].named(language);
        let verdict = match order.as_slice() {
            [] => Verdict::Undecided,
            [only] => Verdict::Single(named(only)),
            several => Verdict::Several(several.iter().map(named).collect()),
        };
        Conclusion { verdict, triage, decided_by }
    }

    /// The triage and what decided it. `highest` is the highest level among the classes that can't be excluded.
    fn triage(&self, highest: Option<Triage>, probabilities: &[f64], is_unusual: bool) -> (Triage, DecidedBy) {
        if !self.is_calibrated {
            return (Triage::Unassessed, DecidedBy::Uncalibrated);
        }
        if let Some(decided_by) = self.urgent(probabilities) {
            return (Triage::Urgent, decided_by);
        }
        let Some(highest) = highest else { return (Triage::Refer, DecidedBy::Undecided) };
        match highest {
            Triage::Refer => (Triage::Refer, DecidedBy::Label),
            _ if is_unusual => (Triage::Refer, DecidedBy::Novelty),
            Triage::NoSign if !self.may_say_no_sign => (Triage::Refer, DecidedBy::NoSignNotShown),
            level => (level, DecidedBy::Label),
        }
    }
}

#[cfg(test)]
mod tests;
