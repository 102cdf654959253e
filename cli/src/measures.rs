//! What an evaluation is asked for beside its standard figures.

use std::collections::BTreeSet;

use bedside_tools::calibrate::Class;
use bedside_tools::evaluate::{Column, Contrast};

use crate::output::Failure;
use crate::values::parse_inner_share;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct MeasureArguments {
    /// Columns to report by. Numbers after a column cut it into bands: `age:18:65` has three
    #[arg(long, value_delimiter = ',', value_parser = parse_column, value_name = "COLUMN,…")]
    pub(crate) by: Vec<Column>,
    /// Labels against all others, or against those after the slash: `cancer=melanoma,carcinoma` or
    /// `malignancy=malignant/benign`, where pictures of a third label are left out. May be given several times
    #[arg(long = "contrast", value_parser = parse_contrast, value_name = "NAME=LABEL,…[/LABEL,…]")]
    contrasts: Vec<NamedContrast>,
    /// Shares of urgent patients for which predictive values and net benefits are given
    #[arg(long, value_delimiter = ',', value_parser = parse_inner_share, default_values_t = [0.01, 0.05, 0.2], value_name = "SHARE,…")]
    pub(crate) prevalence: Vec<f64>,
}

/// A contrast by the names of its labels.
#[derive(Debug, Clone, PartialEq)]
struct NamedContrast {
    name: String,
    labels: Vec<String>,
    against: Vec<String>,
}

impl MeasureArguments {
    /// Whether columns or contrasts are named.
    pub(crate) fn is_asked(&self) -> bool {
        !self.by.is_empty() || !self.contrasts.is_empty()
    }

    /// The contrasts, of labels as the classes have them.
    ///
    /// # Errors
    /// [`Failure::Usage`], which names the contrast, where there is no class of a name or two of one, the contrast is called
    /// as a class or as another contrast, or the classes don't exclude each other.
    pub(crate) fn contrasts(&self, classes: &[Class], is_multi_label: bool) -> Result<Vec<Contrast>, Failure> {
        let contrasts: Vec<Contrast> =
            self.contrasts.iter().map(|named| named.of(classes, is_multi_label)).collect::<Result<_, _>>()?;
        for (at, contrast) in contrasts.iter().enumerate() {
            if contrasts[..at].iter().any(|other| other.name == contrast.name) {
                return Err(Failure::Usage(format!("--contrast {}: stands twice", contrast.name)));
            }
        }
        Ok(contrasts)
    }
}

impl NamedContrast {
    fn of(&self, classes: &[Class], is_multi_label: bool) -> Result<Contrast, Failure> {
        let wrong = |problem: &str| Failure::Usage(format!("--contrast {}: {problem}", self.name));
        if is_multi_label {
            return Err(wrong("adds up probabilities, and several of the model's labels may hold at once"));
        }
        if self.name == "urgent" || classes.iter().any(|class| class.id == self.name) {
            return Err(wrong("give it a name of its own: not `urgent`, nor that of a label"));
        }
        let place = |name: &String| {
            let known: Vec<&str> = classes.iter().map(|class| class.id.as_str()).collect();
            known
                .iter()
                .position(|id| id == name)
                .ok_or_else(|| wrong(&format!("there is no label \"{name}\"; the model has {}", known.join(", "))))
        };
        let places = |names: &[String]| names.iter().map(place).collect::<Result<Vec<_>, _>>();
        let (labels, against) = (places(&self.labels)?, places(&self.against)?);
        let all: BTreeSet<usize> = labels.iter().chain(&against).copied().collect();
        if all.len() < labels.len() + against.len() {
            return Err(wrong("a label stands twice in it"));
        }
        Ok(Contrast { name: self.name.clone(), labels, against })
    }
}

/// A column to report by, with the numbers that cut it into bands.
fn parse_column(text: &str) -> Result<Column, String> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default().trim().to_owned();
    let cuts = parts.map(|cut| cut.trim().parse().ok().filter(|cut: &f64| cut.is_finite()));
    let cuts: Option<Vec<f64>> = cuts.collect();
    let cuts = cuts.ok_or("give numbers after the column, such as age:18:65")?;
    if name.is_empty() || cuts.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err("give a column, and numbers that grow, such as age:18:65".to_owned());
    }
    Ok(Column { name, cuts })
}

fn parse_contrast(text: &str) -> Result<NamedContrast, String> {
    let names = |text: &str| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    let (name, sides) = text.split_once('=').ok_or("give a name and labels, such as cancer=melanoma,carcinoma")?;
    let (labels, against) = match sides.split_once('/') {
        Some((labels, against)) => (names(labels), names(against)),
        None => (names(sides), Vec::new()),
    };
    if name.trim().is_empty() || labels.iter().chain(&against).any(String::is_empty) {
        return Err("give a name and labels, such as cancer=melanoma,carcinoma".to_owned());
    }
    Ok(NamedContrast { name: name.trim().to_owned(), labels, against })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_is_a_name_and_numbers_that_grow() {
        let age = parse_column("age:18: 65").expect("sound");
        assert_eq!(age, Column { name: "age".to_owned(), cuts: vec![18.0, 65.0] });
        assert_eq!(parse_column("sex").expect("sound"), Column::named("sex"));
        for wrong in ["age:65:18", "age:18:18", "age:x", "age:inf", ":1", ""] {
            assert!(parse_column(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn contrast_is_a_name_and_labels_on_one_or_two_sides() {
        let of = |name: &str, labels: &[&str], against: &[&str]| NamedContrast {
            name: name.to_owned(),
            labels: labels.iter().map(|l| (*l).to_owned()).collect(),
            against: against.iter().map(|l| (*l).to_owned()).collect(),
        };
        assert_eq!(parse_contrast("cancer=a, b").expect("sound"), of("cancer", &["a", "b"], &[]));
        assert_eq!(parse_contrast("bad=a/b,c").expect("sound"), of("bad", &["a"], &["b", "c"]));
        for wrong in ["cancer", "cancer=", "=a", "cancer=a,", "cancer=a/", "cancer=/b", ""] {
            assert!(parse_contrast(wrong).is_err(), "{wrong}");
        }
    }
}
