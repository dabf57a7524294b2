//! Bit rates of streams as HLS counts them, from the lengths and bytes of their segments.

/// Bits a second of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rate {
    /// Of the worst stretch that a player may have to wait for.
    pub(super) peak: u64,
    /// Of the whole.
    pub(super) average: u64,
}

impl Rate {
    /// Of two streams that are played together.
    pub(super) fn with(self, other: Self) -> Self {
        Self { peak: self.peak + other.peak, average: self.average + other.average }
    }
}

/// The rates of segments: length in microseconds and bytes of each.
///
/// The peak is that of the neighbouring segments which together last from a half to one and a half of the target
/// duration, as RFC 8216 says: a last segment of a few frames is no peak.
pub(super) fn of(spans: &[(i64, u64)]) -> Rate {
    let longest_us = spans.iter().map(|span| span.0).max().unwrap_or(0);
    let target_us = ((longest_us + 500_000) / 1_000_000).max(1) * 1_000_000;
    let all = spans.iter().fold((0, 0), |sum, span| (sum.0 + span.0, sum.1 + span.1));
    let average = bps(all);
    let mut peak = 0;
    for first in 0..spans.len() {
        let mut run = (0, 0);
        for span in &spans[first..] {
            run = (run.0 + span.0, run.1 + span.1);
            if run.0 > target_us * 3 / 2 {
                break;
            }
            if run.0 >= target_us / 2 {
                peak = peak.max(bps(run));
            }
        }
    }
    Rate { peak: if peak == 0 { average } else { peak.max(average) }, average }
}

fn bps((us, bytes): (i64, u64)) -> u64 {
    if us <= 0 { 0 } else { (bytes as f64 * 8.0 * 1e6 / us as f64).ceil() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_last_segment_is_no_peak() {
        let rate = of(&[(6_000_000, 600_000), (6_000_000, 750_000), (100_000, 100_000)]);
        assert_eq!(rate.average, 958_678);
        // The last two together.
        assert_eq!(rate.peak, 1_114_755);
        assert_eq!(of(&[(6_000_000, 600_000), (6_000_000, 750_000)]).peak, 1_000_000);
    }

    #[test]
    fn one_segment_is_its_own_peak_and_nothing_is_nothing() {
        assert_eq!(of(&[(400_000, 50_000)]), Rate { peak: 1_000_000, average: 1_000_000 });
        assert_eq!(of(&[]), Rate::default());
    }
}
