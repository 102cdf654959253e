//! A manifest's classes, as calibrating and evaluating know them: labels, and groups of labels in their place.

use bedside::{Manifest, Triage};
use bedside_tools::calibrate::Class;
use bedside_tools::evaluate::Level;

/// The classes, in the order of their first label in the graph.
pub(crate) fn classes(manifest: &Manifest) -> Vec<Class> {
    let groups = &manifest.output().groups;
    let mut classes: Vec<Class> = Vec::new();
    for (index, label) in manifest.labels().iter().enumerate() {
        let group = groups.iter().find(|group| group.labels.contains(&label.id));
        let (id, triage) = group.map_or((&label.id, label.triage), |group| (&group.id, group.triage));
        match classes.iter_mut().find(|class| class.id == *id) {
            Some(class) => class.members.push(index),
            None => classes.push(Class { id: id.clone(), level: level(triage), members: vec![index] }),
        }
    }
    classes
}

/// The ids of the graph's labels, in its order.
pub(crate) fn labels(manifest: &Manifest) -> Vec<String> {
    manifest.labels().iter().map(|label| label.id.clone()).collect()
}

pub(crate) fn level(triage: Triage) -> Level {
    match triage {
        Triage::NoSign => Level::NoSign,
        Triage::Unassessed => Level::Unassessed,
        Triage::Refer => Level::Refer,
        Triage::Urgent => Level::Urgent,
    }
}
