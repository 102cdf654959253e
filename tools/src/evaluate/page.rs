//! An evaluation as a page of HTML.

use maud::{Markup, html as markup};

use super::{
    Band, Calibration, Comparison, Detection, Evaluation, Flow, Level, Measure, Method, Paired, Pictures, Ranged,
    Ranking, Rate, Selective, Steadiness, Subgroup, Test,
};
use crate::page::{Cell, broad_figure, document, figure, table};
use crate::plot::{self, Axis, ForestRow, Histogram, Mark, Series};
use crate::statistics::Interval;

/// The page, without pictures.
#[must_use]
pub fn html(evaluation: &Evaluation) -> String {
    html_with_pictures(evaluation, &Pictures::default())
}

/// The page, with small pictures beside the files in its lists. Pictures of people are in it then: keep it as they are
/// kept.
#[must_use]
pub fn html_with_pictures(evaluation: &Evaluation, pictures: &Pictures) -> String {
    let e = evaluation;
    let body = markup! {
        (head(e))
        (pictures.notes(e))
        (flow(&e.flow))
        (triage(e))
        (detection(&e.detection))
        (urgent_misses(e, pictures))
        (misses(e))
        (ranking(&e.ranking))
        (calibration(&e.calibration))
        (novelty(e))
        (selective(&e.selective))
        (subgroups(e))
        (steadiness(e))
        @if let Some(found) = &e.comparison { (comparison(e, found)) }
        (worst(e, pictures))
        (times(e))
        (method(e))
    };
    document("en", &e.title, &body)
}

fn head(e: &Evaluation) -> Markup {
    markup! {
        h1 { (e.title) }
        p.pale { (e.model.name) @if !e.set.is_empty() { ". " (e.set) } }
        p.notice {
            "Research software, not a medical device. These numbers are of these pictures: they say nothing about other \
             patients, cameras or clinics."
        }
        @if !e.about.is_empty() {
            (table("", &["Run", ""], &e.about.iter().map(|(k, v)| vec![text(k), Cell::File(v.clone())]).collect::<Vec<_>>()))
        }
    }
}

fn flow(flow: &[Flow]) -> Markup {
    let row = |f: &Flow| {
        vec![
            text(f.source.as_deref().unwrap_or("the set")),
            Cell::count(f.pictures),
            Cell::count(f.patients),
            Cell::count(f.unreadable),
            Cell::count(f.rejected.count),
            rate(&f.rejected),
            Cell::count(f.judged.count),
            rate(&f.judged),
        ]
    };
    let head = ["Source", "Pictures", "Patients", "Unreadable", "Rejected", "of readable", "Judged", "of readable"];
    let reasons = flow.iter().flat_map(|f| {
        let source = f.source.as_deref().unwrap_or("the set");
        f.reasons
            .iter()
            .map(move |r| vec![text(source), text(&r.reason), Cell::count(r.pictures), Cell::count(r.patients)])
    });
    let labels = flow.iter().flat_map(|f| &f.rejected_by_label);
    let labels = labels.map(|l| vec![text(&l.label), fraction(&l.rejected), rate(&l.rejected)]);
    markup! {
        h2 { "Pictures" }
        (table("What became of the pictures", &head, &flow.iter().map(row).collect::<Vec<_>>()))
        (table(
            "Why pictures were rejected; one may have several reasons",
            &["Source", "Reason", "Pictures", "Patients"],
            &reasons.collect::<Vec<_>>(),
        ))
        (table("Rejected pictures of each label", &["Label", "Rejected", "Share"], &labels.collect::<Vec<_>>()))
    }
}

fn triage(e: &Evaluation) -> Markup {
    let row = |row: &super::TriageRow| {
        let name = row.label.clone().unwrap_or_else(|| "none of the labels".to_owned());
        let level = row.level.map_or("", Level::name);
        let mut cells = vec![text(&name), text(level), Cell::count(row.refer_or_urgent.pictures)];
        cells.extend(row.at.iter().map(|at| Cell::count(at.count)));
        cells.push(rate(&row.refer_or_urgent));
        cells.push(row.at.last().map_or_else(|| Cell::Number(String::new()), rate));
        cells
    };
    let head =
        ["Truth", "asks for", "Pictures", "no_sign", "unassessed", "refer", "urgent", "refer or urgent", "urgent"];
    let no_sign = e.no_sign.iter().map(|check| {
        let bound =
            check.upper_bound.map_or_else(|| Cell::None("undefined: no patients".into()), |b| number(percent(b)));
        let answer = if check.is_allowed {
            "at most the limit".to_owned()
        } else if check.missing > 0 {
            format!("over the limit: {} more patients without such a miss needed", check.missing)
        } else {
            "over the limit".to_owned()
        };
        vec![
            text(&check.label),
            Cell::Number(format!("{} of {}", check.no_sign, check.patients)),
            bound,
            number(percent(check.limit)),
            text(&answer),
        ]
    });
    markup! {
        h2 { "Triage beside the truth" }
        p { "Readable pictures. Where several labels hold, a picture stands in several rows." }
        (table("", &head, &e.triage.iter().map(row).collect::<Vec<_>>()))
        (table(
            "Patients with an urgent label of whom a picture ended no_sign, and the one-sided 95\u{a0}% upper bound of their share",
            &["Label", "Patients", "Upper bound", "Limit", ""],
            &no_sign.collect::<Vec<_>>(),
        ))
    }
}

fn detection(found: &[Detection]) -> Markup {
    let name = |test: Test| match test {
        Test::Urgent => "urgent",
        Test::ReferOrUrgent => "refer or urgent",
    };
    let rates = found.iter().map(|d| {
        vec![
            text(name(d.test)),
            fraction(&d.sensitivity),
            rate(&d.sensitivity),
            fraction(&d.specificity),
            rate(&d.specificity),
            rate(&d.sensitivity_of_all),
            rate(&d.specificity_of_all),
        ]
    });
    let values = found.iter().flat_map(|d| {
        d.at.iter().map(move |at| {
            vec![text(name(d.test)), number(percent(at.prevalence)), ranged(&at.positive), ranged(&at.negative)]
        })
    });
    let benefits = found.iter().flat_map(|d| {
        d.at.iter().flat_map(move |at| {
            at.net_benefit.iter().map(move |benefit| {
                let thousand = |value: f64| number(signed(value, of_thousand));
                let difference = in_text(&benefit.difference, |v| signed(v, of_thousand));
                vec![
                    text(name(d.test)),
                    number(percent(at.prevalence)),
                    number(percent(benefit.threshold)),
                    thousand(benefit.test),
                    thousand(benefit.refer_all),
                    number(difference),
                ]
            })
        })
    });
    markup! {
        @if !found.is_empty() {
            h3 { "Finding what is urgent" }
            p {
                "A picture counts as positive where its triage is the one named. Pictures that end unassessed are left \
                 out of the first four columns; in the last two they count as wrong."
            }
            (table(
                "",
                &["Positive", "Found", "Sensitivity", "Cleared", "Specificity", "Sensitivity, all", "Specificity, all"],
                &rates.collect::<Vec<_>>(),
            ))
            (table(
                "What a result says, where this share of the pictures is urgent",
                &["Positive", "Prevalence", "Positive predictive value", "Negative predictive value"],
                &values.collect::<Vec<_>>(),
            ))
            (table(
                "Net benefit of a thousand people whose pictures are assessed, for whoever refers from a probability on: the \
                 ill who are referred, less the well who are, each of whom counts that probability's odds",
                &["Positive", "Prevalence", "Refers from", "The test's", "Referring all", "Difference"],
                &benefits.collect::<Vec<_>>(),
            ))
        }
    }
}

fn urgent_misses(e: &Evaluation, pictures: &Pictures) -> Markup {
    let row = |miss: &super::UrgentMiss| {
        let probability = miss.probability.map_or_else(|| Cell::None("no scores".into()), |p| number(percent(p)));
        let mut cells = vec![
            Cell::File(miss.file.clone()),
            text(miss.patient.as_deref().unwrap_or("")),
            text(&miss.truth.join(", ")),
            text(miss.triage.name()),
            probability,
        ];
        cells.extend(pictures.cells(&miss.file, miss.label()));
        cells
    };
    let head = [&["File", "Patient", "Truth", "Triage", "P(urgent)"], pictures.head()].concat();
    let caption = format!("Every urgent picture that was not called urgent ({})", e.urgent_misses.len());
    markup! { (table(&caption, &head, &e.urgent_misses.iter().map(row).collect::<Vec<_>>())) }
}

fn misses(e: &Evaluation) -> Markup {
    let band = |band: Option<Band>| match band {
        Some(band) if band.is_inside => (Cell::Number(format!("{}–{}", band.lower, band.upper)), "inside"),
        Some(band) => (Cell::Number(format!("{}–{}", band.lower, band.upper)), "outside"),
        None => (Cell::None("undefined: nothing stated".into()), ""),
    };
    let row = |m: &super::Misses| {
        let (expected, answer) = band(m.band);
        let stated = m.stated.map_or_else(|| Cell::None("nothing stated".into()), |s| number(percent(s.miss)));
        let fitted = m.stated.map_or_else(|| Cell::None(String::new()), |s| Cell::count(s.patients));
        vec![
            text(&m.label),
            stated,
            fitted,
            Cell::count(m.patients),
            Cell::count(m.missed),
            ranged(&m.share),
            expected,
            text(answer),
        ]
    };
    markup! {
        h2 { "Misses beside what was stated" }
        p {
            "A patient is missed where any judged picture that shows the label is under its threshold. The band holds 95\u{a0}% \
             of the counts that the threshold would have on patients like those that it was fitted on."
        }
        (table(
            "",
            &["Label", "Stated", "Fitted on", "Patients", "Missed", "Share", "Band", ""],
            &e.misses.iter().map(row).collect::<Vec<_>>(),
        ))
    }
}

fn ranking(rankings: &[Ranking]) -> Markup {
    let method = |method: Method| match method {
        Method::DeLong => "DeLong",
        Method::Bootstrap => "bootstrap",
    };
    let row = |r: &Ranking| {
        let rate_of = |of: &dyn Fn(&super::OperatingPoint) -> Rate| {
            r.at.map_or_else(|| Cell::None(String::new()), |at| rate(&of(&at)))
        };
        vec![
            text(&r.of),
            Cell::count(r.positives),
            Cell::count(r.negatives),
            three(&r.auc),
            text(method(r.method)),
            rate_of(&|at| at.sensitivity),
            rate_of(&|at| at.specificity),
        ]
    };
    let head = ["Of", "With", "Without", "AUC", "Interval by", "Sensitivity at threshold", "Specificity at threshold"];
    markup! {
        h2 { "Order of the probabilities" }
        (table("Areas under ROC curves of judged pictures", &head, &rankings.iter().map(row).collect::<Vec<_>>()))
        div.plots {
            @for (index, ranking) in rankings.iter().enumerate() {
                // Of a single urgent label the curve is that of what is urgent.
                @let is_again = rankings[index + 1..].iter().any(|other| other.curve == ranking.curve);
                @if ranking.curve.len() > 1 && !is_again { (roc(ranking)) }
            }
        }
    }
}

fn roc(ranking: &Ranking) -> Markup {
    let points = ranking.curve.iter().map(|p| (p.false_positives, p.true_positives));
    let mark = ranking.at.and_then(|at| {
        let (specificity, sensitivity) = (at.specificity.share.value()?, at.sensitivity.share.value()?);
        Some(Mark { x: 1.0 - specificity.value, y: sensitivity.value, interval: sensitivity.interval.value() })
    });
    let series = Series {
        points: [(0.0, 0.0)].into_iter().chain(points).collect(),
        band: ranking.band.clone(),
        marks: mark.into_iter().collect(),
        ..Series::default()
    };
    let text = format!(
        "ROC curve of {}: AUC {}",
        ranking.of,
        ranking.auc.map(|a| format!("{:.3}", a.value)).value_or_reason()
    );
    let mut caption = format!("{text}. Curve with 95\u{a0}% band of the sensitivity");
    caption.push_str(if mark.is_some() { "; the circle is the threshold." } else { "." });
    figure(&plot::roc(&text, &[series]), &caption)
}

fn calibration(found: &[Calibration]) -> Markup {
    let row = |c: &Calibration| {
        vec![
            text(&c.of),
            Cell::count(c.observed.pictures),
            share(&c.given),
            rate(&c.observed),
            two(&c.intercept),
            two(&c.slope),
            decimals(&c.brier, 3),
            decimals(&c.nll, 3),
            share(&c.ece),
            show(&c.ece_if_calibrated, |s| format!("{} ± {}", percent(s.mean), percent(s.standard_deviation))),
        ]
    };
    let head =
        ["Of", "Pictures", "Given", "Observed", "Intercept", "Slope", "Brier", "NLL", "ECE", "ECE if calibrated"];
    let cut: u64 = found.iter().map(|c| c.cut).sum();
    markup! {
        h2 { "Are the probabilities right?" }
        p {
            "A right model has an intercept of 0 and a slope of 1. Below 0, probabilities are too high; below 1, too \
             extreme. The last column is the calibration error (mean ± standard deviation) that a perfectly calibrated \
             model with these probabilities shows by chance alone. All of it holds for the shares of these pictures."
        }
        (table("Judged pictures", &head, &found.iter().map(row).collect::<Vec<_>>()))
        @if cut > 0 { p.pale { (cut) " probabilities were nearer to 0 or 1 than 10⁻⁹; their log-odds were cut there." } }
        div.plots {
            @for (index, calibration) in found.iter().enumerate() {
                @let is_again = found[index + 1..].iter().any(|other| other.bins == calibration.bins);
                @if calibration.bins.len() > 1 && !is_again { (reliability(calibration)) }
            }
        }
    }
}

fn reliability(c: &Calibration) -> Markup {
    let mark = |bin: &super::Bin| {
        let share = bin.observed.share.value()?;
        Some(Mark { x: bin.given, y: share.value, interval: share.interval.value() })
    };
    let marks: Vec<Mark> = c.bins.iter().filter_map(mark).collect();
    let text = format!("Reliability of {}", c.of);
    let caption =
        format!("{text}: {} bins with as equal numbers of pictures as can be, with 95\u{a0}% intervals.", c.bins.len());
    figure(&plot::reliability(&text, &marks), &caption)
}

fn novelty(e: &Evaluation) -> Markup {
    let n = &e.novelty;
    let judged = |name: &str| {
        let flow = e.flow.iter().find(|f| f.source.as_deref() == Some(name));
        flow.map_or_else(|| Cell::None("undefined: no pictures".into()), |f| rate(&f.judged))
    };
    let row = |s: &super::Source| {
        vec![text(&s.name), Cell::count(s.accepted.pictures), three(&s.auroc), rate(&s.accepted), judged(&s.name)]
    };
    let shares = |counts: &[u64]| {
        let all = counts.iter().sum::<u64>().max(1) as f64;
        counts.iter().map(|c| *c as f64 / all).collect::<Vec<f64>>()
    };
    let set = Histogram { name: format!("the set ({})", n.pictures), shares: shares(&n.counts) };
    let foreign = n
        .sources
        .iter()
        .map(|s| Histogram { name: format!("{} ({})", s.name, s.accepted.pictures), shares: shares(&s.counts) });
    let sources: Vec<Histogram> = [set].into_iter().chain(foreign).collect();
    let lines: Vec<(String, f64)> =
        n.threshold.value().map(|at| ("95\u{a0}% of the set are to the left".to_owned(), at)).into_iter().collect();
    markup! {
        h2 { "Foreign pictures" }
        @if n.pictures == 0 {
            p.pale { "The model gives no novelty." }
        } @else {
            (table(
                "How well novelty tells foreign pictures from the set",
                &["Source", "Pictures", "AUROC", "Accepted where 95\u{a0}% of the set are", "Ended with a verdict"],
                &n.sources.iter().map(row).collect::<Vec<_>>(),
            ))
            @if let Some((min, max)) = n.range {
                (broad_figure(
                    &plot::histograms("Novelty by source", &Axis::between("Novelty", min, max), &sources, &lines),
                    "Novelty by source. Each row is as tall as its tallest bin; what is beyond the axis is in the first or last bin.",
                ))
            }
        }
    }
}

fn selective(found: &[Selective]) -> Markup {
    let name = |s: &Selective| s.of.clone().unwrap_or_else(|| "the likeliest label".to_owned());
    let row = |s: &Selective| {
        vec![text(&name(s)), Cell::count(s.pictures), share(&s.risk), decimals(&s.aurc, 4), decimals(&s.excess, 4)]
    };
    let draw = |s: &Selective| {
        let points = s.curve.iter().map(|p| (p.coverage, p.risk)).collect();
        let text = format!("Risk and coverage: {}", name(s));
        let series = Series { points, ..Series::default() };
        figure(
            &plot::risk_coverage(&text, &[series]),
            &format!("{text}. To the left, only the most confident are answered."),
        )
    };
    markup! {
        h2 { "Risk and coverage" }
        (table(
            "Wrong answers where the most confident are answered first",
            &["Answer", "Pictures", "Wrong of all", "AURC", "Excess over the best order"],
            &found.iter().map(row).collect::<Vec<_>>(),
        ))
        div.plots { @for selective in found { @if selective.curve.len() > 1 { (draw(selective)) } } }
    }
}

fn subgroups(e: &Evaluation) -> Markup {
    let row = |s: &Subgroup| {
        let mut cells = vec![
            text(&s.name),
            Cell::count(s.pictures),
            Cell::count(s.patients),
            rate(&s.rejected),
            rate(&s.found),
            rate(&s.found_urgent),
            rate(&s.cleared),
            rate(&s.not_urgent),
        ];
        cells.extend(s.auc.iter().map(|area| three(&area.value)));
        cells
    };
    let areas: Vec<&str> = e
        .subgroups
        .iter()
        .flat_map(|by| &by.parts)
        .next()
        .map_or_else(Vec::new, |part| part.auc.iter().map(|area| area.of.as_str()).collect());
    let of_areas: Vec<String> = areas.iter().map(|of| format!("AUC of {of}")).collect();
    let mut head =
        vec!["Part", "Pictures", "Patients", "Rejected", "Urgent found", "As urgent", "Others no_sign", "Not urgent"];
    head.extend(of_areas.iter().map(String::as_str));
    markup! {
        @if !e.subgroups.is_empty() {
            h2 { "Parts of the set" }
            p {
                "Urgent found: urgent pictures that end refer or urgent; as urgent: those that end urgent. Others no_sign, and not urgent: pictures of nothing urgent that end so. What rests on fewer than " (e.method.min_patients)
                " patients is not estimable. Differences between parts may be chance, or the mix of diseases."
            }
            @for by in &e.subgroups {
                (table(&format!("By {}", by.by), &head, &by.parts.iter().map(row).collect::<Vec<_>>()))
            }
            @for (at, of) in areas.iter().enumerate() {
                (broad_figure(
                    &forest(e, at, of),
                    &format!("AUC of {of}, with 95\u{a0}% intervals; the dashed line is that of all pictures."),
                ))
            }
        }
    }
}

/// The areas of one target, which is the same in each part.
fn forest(e: &Evaluation, target: usize, of: &str) -> Markup {
    let all = e.ranking.iter().find(|r| r.of == of).and_then(|r| r.auc.value()).map(|a| a.value);
    let row = |s: &Subgroup| {
        let auc = s.auc[target].value;
        let value = auc.value().and_then(|auc| Some((auc.value, auc.interval.value()?)));
        let text = match auc {
            Measure::Value(auc) => in_text(&auc, |v| format!("{v:.3}")),
            other => other.reason().unwrap_or_default(),
        };
        ForestRow { name: s.name.clone(), value, text, is_heading: false }
    };
    let rows = e.subgroups.iter().flat_map(|by| {
        let heading = ForestRow { name: by.by.clone(), is_heading: true, ..ForestRow::default() };
        [heading].into_iter().chain(by.parts.iter().map(row)).collect::<Vec<_>>()
    });
    let rows: Vec<ForestRow> = rows.collect();
    let lowest = rows.iter().filter_map(|r| Some(r.value?.1.lower)).fold(0.5, f64::min);
    plot::forest(&format!("AUC of {of} by part of the set"), &Axis::between("AUC", lowest, 1.0), &rows, all)
}

fn steadiness(e: &Evaluation) -> Markup {
    let row = |s: &Steadiness| {
        let words = |m: &super::Moved| format!("{} from {} to {}", m.pictures, m.from.name(), m.to.name());
        let moves: Vec<String> = s.shifts.iter().map(words).collect();
        vec![text(&s.how), fraction(&s.changed), rate(&s.changed), fraction(&s.lost), text(&moves.join(", "))]
    };
    markup! {
        @if !e.steadiness.is_empty() {
            h2 { "Is it steady?" }
            p { "Readable pictures beside copies of them that show the same." }
            (table(
                "",
                &["Copy", "Triage changes", "Share", "Urgent that fall to no_sign", "How"],
                &e.steadiness.iter().map(row).collect::<Vec<_>>(),
            ))
        }
    }
}

fn comparison(e: &Evaluation, c: &Comparison) -> Markup {
    let rows = |pairs: &[Paired], of: fn(f64) -> String, of_difference: fn(f64) -> String| {
        pairs
            .iter()
            .map(|p| {
                let value = p.p_value.map_or_else(|| Cell::None(String::new()), |p| number(p_text(p)));
                let difference = show(&p.difference, |d| in_text(d, |v| signed(v, of_difference)));
                vec![text(&p.of), show(&p.first, |v| of(*v)), show(&p.second, |v| of(*v)), difference, value]
            })
            .collect::<Vec<_>>()
    };
    let shift = |s: &super::Shift| {
        let truth = match s.is_urgent {
            Some(true) => "urgent",
            Some(false) => "not urgent",
            None => "not known",
        };
        vec![text(truth), text(s.from.name()), text(s.to.name()), Cell::count(s.pictures)]
    };
    let head = |first: &'static str| [first, "This model", "The other", "Difference", "p"];
    markup! {
        h2 { "Beside another model" }
        p {
            "This model is " (e.model.name) ", the other " (c.against) ". Both read " (c.pictures) " pictures; both judged "
            (c.judged_by_both) ", this one alone " (c.judged_by_first) ", the other alone " (c.judged_by_second) "."
        }
        (table("Areas under ROC curves, pictures judged by both", &head("AUC of"), &rows(&c.auc, |v| format!("{v:.3}"), |v| format!("{v:.3}"))))
        (table("Brier scores, pictures judged by both; lower is better", &head("Of"), &rows(&c.brier, |v| format!("{v:.4}"), |v| format!("{v:.4}"))))
        (table("Triage of readable pictures; unassessed counts as wrong", &head("Share"), &rows(&c.triage, percent, points)))
        (table(
            "Pictures whose triage differs",
            &["Truth", "The other", "This model", "Pictures"],
            &c.shifts.iter().map(shift).collect::<Vec<_>>(),
        ))
    }
}

fn worst(e: &Evaluation, pictures: &Pictures) -> Markup {
    let row = |w: &super::Worst| {
        let mut cells = vec![
            Cell::File(w.file.clone()),
            text(w.patient.as_deref().unwrap_or("")),
            text(&w.label),
            text(if w.truth { "holds" } else { "does not hold" }),
            number(percent(w.probability)),
            text(w.triage.name()),
        ];
        cells.extend(pictures.cells(&w.file, &w.label));
        cells
    };
    let head = ["File", "Patient", "Label", "Truth", "Probability given", "Triage"];
    let head = [&head, pictures.head()].concat();
    markup! {
        h2 { "Worst errors" }
        (table(
            "Judged pictures of which the model was most wrong",
            &head,
            &e.worst.iter().map(row).collect::<Vec<_>>(),
        ))
    }
}

fn times(e: &Evaluation) -> Markup {
    let Some(times) = e.times.value() else {
        return markup! { h2 { "Time" } p.pale { "Not measured." } };
    };
    let milliseconds = |seconds: f64| number(format!("{:.1} ms", seconds * 1000.0));
    let row = vec![
        Cell::count(times.pictures),
        milliseconds(times.median),
        milliseconds(times.p90),
        milliseconds(times.p99),
        milliseconds(times.max),
    ];
    markup! {
        h2 { "Time" }
        (table("Time of a picture on this machine", &["Pictures", "Median", "90 %", "99 %", "Longest"], &[row]))
    }
}

fn method(e: &Evaluation) -> Markup {
    let m = &e.method;
    markup! {
        h2 { "How it was measured" }
        p {
            "Intervals are of " (percent(m.confidence)) ". "
            @if m.is_grouped {
                "Patients have several pictures: shares have Wilson's interval of the effective number of pictures, with \
                 patients as clusters; areas and differences a bootstrap that draws patients; intercept and slope the \
                 sandwich estimator by patients."
            } @else {
                "Each picture counts as a patient by itself: shares have Wilson's interval, and areas DeLong's on the logit \
                 scale. If patients have several pictures, all intervals are too short: name the column of patients."
            }
            " A bootstrap draws " (m.replicates) " times, from seed " (m.seed) ", and ends at percentiles. Calibration has "
            (m.bins) " bins. Nothing is corrected for the number of comparisons. bedside-tools " (m.version) "."
        }
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn number(text: String) -> Cell {
    Cell::Number(text)
}

fn show<T: Copy>(measure: &Measure<T>, of: impl FnOnce(&T) -> String) -> Cell {
    match measure {
        Measure::Value(value) => Cell::Number(of(value)),
        other => Cell::None(other.reason().unwrap_or_default()),
    }
}

impl Measure<String> {
    fn value_or_reason(self) -> String {
        self.reason().unwrap_or_else(|| self.value().unwrap_or_default())
    }
}

/// "1.4 points": a difference of shares.
fn points(difference: f64) -> String {
    format!("{:.1}\u{a0}points", difference * 100.0)
}

/// "71.8 %", with a space that does not break.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    // What is not 0 or 100 % does not look so.
    let digits = if (value > 0.0 && value < 0.05) || (99.95..100.0).contains(&value) { 3 } else { 1 };
    format!("{value:.digits$}\u{a0}%").replacen('-', "−", 1)
}

fn signed(value: f64, of: fn(f64) -> String) -> String {
    let text = of(value.abs());
    if value < 0.0 { format!("−{text}") } else { format!("+{text}") }
}

fn of_thousand(share: f64) -> String {
    format!("{:.1}", share * 1000.0)
}

fn p_text(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// "0.855 (0.819–0.885)".
fn in_text(ranged: &Ranged, of: impl Fn(f64) -> String) -> String {
    match ranged.interval {
        Measure::Value(Interval { lower, upper }) => format!("{} ({} to {})", of(ranged.value), of(lower), of(upper)),
        _ => format!("{} (interval undefined)", of(ranged.value)),
    }
}

fn ranged(measure: &Measure<Ranged>) -> Cell {
    show(measure, |r| in_text(r, percent))
}

fn rate(rate: &Rate) -> Cell {
    ranged(&rate.share)
}

fn fraction(rate: &Rate) -> Cell {
    number(format!("{} of {}", rate.count, rate.pictures))
}

fn three(measure: &Measure<Ranged>) -> Cell {
    show(measure, |r| in_text(r, |v| format!("{v:.3}")))
}

fn two(measure: &Measure<Ranged>) -> Cell {
    show(measure, |r| in_text(r, |v| format!("{v:.2}").replacen('-', "−", 1)))
}

fn share(measure: &Measure<f64>) -> Cell {
    show(measure, |v| percent(*v))
}

fn decimals(measure: &Measure<f64>, digits: usize) -> Cell {
    show(measure, |v| format!("{v:.digits$}"))
}
