//! Class activation maps (Zhou et al. 2016, doi:10.1109/CVPR.2016.319): the features before the pooling, weighted by the
//! linear head.

use bedside_engine::{Head, Tensor};

use super::Grid;
use crate::{Error, ErrorKind, Result};

/// The weight of each member of a class: its share of the class's probability. Where that is 0, all have the same.
///
/// The map of a group is the mean of its members' maps with these weights. It is the gradient of the group's logit, the
/// logarithm of the sum of its members' exponentials, so that it says what moves the group's probability.
pub(crate) fn member_weights(members: &[usize], probabilities: &[f64]) -> Vec<(usize, f64)> {
    let probability = |&member: &usize| probabilities.get(member).copied().unwrap_or(0.0);
    let sum: f64 = members.iter().map(probability).sum();
    let equal = 1.0 / members.len().max(1) as f64;
    let weight = |member: &usize| if sum > 0.0 { probability(member) / sum } else { equal };
    members.iter().map(|member| (*member, weight(member))).collect()
}

/// The map of a class, given as its members' indices in the head with their weights: for each pixel of the features,
/// `Σ weight · Σ weights[member, c] · features[c, y, x]`, in float64.
///
/// # Errors
/// [`ErrorKind::Internal`] where the features are not those of the head.
pub(crate) fn activation_map(head: &Head, features: &Tensor, class: &[(usize, f64)]) -> Result<Grid> {
    let wrong = || Error::new(ErrorKind::Internal, "the engine gave other features than the linear head reads");
    let &[1, channels, height, width] = features.shape() else { return Err(wrong()) };
    let values = features.as_f32().ok_or_else(wrong)?;
    let pixels = height * width;
    if channels != head.channels || pixels == 0 || class.iter().any(|(member, _)| *member >= head.labels) {
        return Err(wrong());
    }
    let mut weights = vec![0.0; channels];
    for &(member, share) in class {
        for (sum, &weight) in weights.iter_mut().zip(head.weights_of(member)) {
            *sum += share * f64::from(weight);
        }
    }
    let mut map = vec![0.0; pixels];
    for (channel, weight) in values.chunks_exact(pixels).zip(weights) {
        for (sum, &value) in map.iter_mut().zip(channel) {
            *sum += weight * f64::from(value);
        }
    }
    Ok(Grid { width: width as u32, height: height as u32, values: map })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two labels and two channels.
    fn head() -> Head {
        Head {
            features: "features".into(),
            pooled: "pooled".into(),
            initializer: "weights".into(),
            labels: 2,
            channels: 2,
            weights: vec![1.0, -2.0, 0.5, 4.0],
            bias: vec![0.25, 0.0],
        }
    }

    #[test]
    fn activation_map_weights_the_channels_of_each_pixel() {
        // Channel 0 is 1, 2, 3; channel 1 is 0, 1, 5. Label 0: 1 - 0, 2 - 2, 3 - 10.
        let features = Tensor::f32(vec![1, 2, 1, 3], vec![1.0, 2.0, 3.0, 0.0, 1.0, 5.0]).expect("sound");
        let map = activation_map(&head(), &features, &[(0, 1.0)]).expect("sound");
        assert_eq!(map, Grid { width: 3, height: 1, values: vec![1.0, 0.0, -7.0] });
        // Half of label 0's and half of label 1's: 0.5, 5, 21.5.
        let both = activation_map(&head(), &features, &[(0, 0.5), (1, 0.5)]).expect("sound");
        assert_eq!(both.values, [0.75, 2.5, 7.25]);
    }

    #[test]
    fn activation_map_refuses_features_of_another_head() {
        for shape in [vec![1, 3, 1, 2], vec![1, 2, 3], vec![2, 2, 1, 1]] {
            let features = Tensor::f32(shape.clone(), vec![0.0; shape.iter().product()]).expect("sound");
            assert!(activation_map(&head(), &features, &[(0, 1.0)]).is_err(), "{shape:?}");
        }
        let features = Tensor::f32(vec![1, 2, 1, 1], vec![0.0; 2]).expect("sound");
        assert!(activation_map(&head(), &features, &[(2, 1.0)]).is_err());
    }

    #[test]
    fn member_weights_are_shares_of_the_classes_probability() {
        assert_eq!(member_weights(&[0, 2], &[0.125, 0.5, 0.375]), [(0, 0.25), (2, 0.75)]);
        assert_eq!(member_weights(&[1], &[0.9, 0.1]), [(1, 1.0)]);
        assert_eq!(member_weights(&[0, 1], &[0.0, 0.0, 1.0]), [(0, 0.5), (1, 0.5)]);
    }
}
