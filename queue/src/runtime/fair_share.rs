//! Sharing scarce permits among queues.

/// Divides up to `free` permits among queues, given as (weight, wanted permits), in proportion to their weights.
/// Permits that a queue does not need go to the others; remaining single permits go to the heaviest queues.
pub(crate) fn fair_share(free: u32, queues: &[(u32, u32)]) -> Vec<u32> {
    let mut shares = vec![0; queues.len()];
    let mut left = free;
    loop {
        let open: Vec<usize> = (0..queues.len()).filter(|at| shares[*at] < queues[*at].1).collect();
        let weights: u64 = open.iter().map(|at| u64::from(queues[*at].0.max(1))).sum();
        if left == 0 || weights == 0 {
            return shares;
        }
        let before = left;
        for at in &open {
            let fair = u64::from(before) * u64::from(queues[*at].0.max(1)) / weights;
            let more = u32::try_from(fair).unwrap_or(u32::MAX).min(queues[*at].1 - shares[*at]).min(left);
            shares[*at] += more;
            left -= more;
        }
        if left == before {
            // Fewer permits than weights: one each, the heaviest first.
            let mut order = open;
            order.sort_by_key(|at| std::cmp::Reverse(queues[*at].0));
            for at in order.into_iter().take(left as usize) {
                shares[at] += 1;
            }
            return shares;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn permits_go_by_weight_and_unwanted_ones_to_others() {
        assert_eq!(fair_share(64, &[(3, 64), (1, 64)]), [48, 16]);
        assert_eq!(fair_share(64, &[(3, 10), (1, 64)]), [10, 54]);
        assert_eq!(fair_share(1, &[(1, 5), (4, 5)]), [0, 1]);
        assert_eq!(fair_share(0, &[(1, 5)]), [0]);
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_wanted_and_no_permit_idles(
            free in 0_u32..500, queues in prop::collection::vec((0_u32..10, 0_u32..100), 0..8),
        ) {
            let shares = fair_share(free, &queues);
            let wanted: u32 = queues.iter().map(|(_, want)| want).sum();
            prop_assert!(shares.iter().zip(&queues).all(|(share, (_, want))| share <= want));
            prop_assert_eq!(shares.iter().sum::<u32>(), free.min(wanted));
        }
    }
}
