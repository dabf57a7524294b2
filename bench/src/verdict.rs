//! The closing lines of a case.

use std::time::Duration;

/// Prints a verdict for a figure that must not be smaller than its goal.
pub(crate) fn at_least(name: &str, figure: f64, goal: f64, unit: &str) -> bool {
    told(name, figure, goal, unit, "at least", figure >= goal)
}

/// Prints a verdict for a figure that must not be larger than its goal.
pub(crate) fn at_most(name: &str, figure: f64, goal: f64, unit: &str) -> bool {
    told(name, figure, goal, unit, "at most", figure <= goal)
}

fn told(name: &str, figure: f64, goal: f64, unit: &str, bound: &str, holds: bool) -> bool {
    let digits = if figure.abs() < 100.0 { 2 } else { 0 };
    let verdict = if holds { "holds" } else { "falls short" };
    println!("{name}: {figure:.digits$} {unit} (goal {bound} {goal} {unit}) {verdict}");
    holds
}

/// The value below which this share of the samples lies; the samples are sorted by it.
pub(crate) fn percentile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort_unstable();
    let at = ((samples.len() as f64 * share).ceil() as usize).clamp(1, samples.len().max(1)) - 1;
    samples.get(at).copied().unwrap_or_default()
}

/// Milliseconds with fractions.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
