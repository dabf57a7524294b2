//! When the elements of a track are shown, and which stretch of its medium each one shows.
//!
//! Lengths of media are known only in a worker. A request is laid out as far as it can be without them, so that what is
//! certainly wrong is refused in the call.

use super::params::{Element, Item, Track, Transition};

/// The least length of a stretch.
const LEAST_US: i64 = 20_000;
/// A stretch of a medium that has no time.
const STILL_US: i64 = 1_000_000;
/// What rounding may do.
const SLACK_US: i64 = 1_000;

/// What is known of a medium's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Nothing, or not yet.
    Unknown,
    /// It is a still picture.
    Still,
    /// Microseconds.
    Length(i64),
}

/// An element on its track. `None` is what follows from a length that is not known yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Laid {
    /// Its place among the items.
    pub(super) item: usize,
    /// When it begins, in microseconds.
    pub(super) start_us: i64,
    /// When it ends.
    pub(super) end_us: Option<i64>,
    /// Where in its medium it begins.
    pub(super) from_us: i64,
    /// How much of its medium there is; the rest is its last picture, and silence.
    pub(super) has_us: i64,
    /// The transition that leads to it.
    pub(super) joint: Option<Transition>,
}

/// What is wrong with an item.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clash {
    item: usize,
    why: String,
}

impl Clash {
    /// As a sentence, for the item of track `nth`.
    pub(super) fn told(&self, nth: usize) -> String {
        format!("`ComposeConfig.Tracks.{nth}.Items.{}`: {}", self.item, self.why)
    }
}

/// Lays out a track.
pub(super) fn lay(track: &Track, source: impl Fn(usize) -> Source) -> Result<Vec<Laid>, Clash> {
    let items = match track {
        Track::Video(items) | Track::Audio(items) => items,
        Track::Title(titles) => {
            let mut end_us = 0;
            let of = |(item, title): (usize, &super::params::Title)| {
                let start_us = title.start_us.unwrap_or(end_us);
                end_us = start_us + title.length_us;
                let end = Some(end_us);
                Laid { item, start_us, end_us: end, from_us: 0, has_us: title.length_us, joint: None }
            };
            return Ok(titles.iter().enumerate().map(of).collect());
        }
    };
    let mut walk = Walk::default();
    for (nth, item) in items.iter().enumerate() {
        let clash = |why: String| Clash { item: nth, why };
        match item {
            Item::Empty { length_us } => walk.empty(*length_us),
            Item::Transition(transition) => walk.transition(transition),
            Item::Media(element) => walk.element(nth, element, source(element.file)),
        }
        .map_err(clash)?;
    }
    match walk.pending {
        None => Ok(walk.laid),
        Some(_) => Err(Clash { item: items.len() - 1, why: BETWEEN.to_owned() }),
    }
}

const BETWEEN: &str = "a transition stands between two elements that are not empty";

/// How far the layout has come.
struct Walk<'a> {
    laid: Vec<Laid>,
    /// The end of what was laid; `None` when unknown.
    end_us: Option<i64>,
    /// Length of the last element, less the transition that led to it.
    last_us: Option<i64>,
    /// Whether the last item was an element.
    is_after_element: bool,
    pending: Option<&'a Transition>,
}

impl Default for Walk<'_> {
    fn default() -> Self {
        Self { laid: Vec::new(), end_us: Some(0), last_us: None, is_after_element: false, pending: None }
    }
}

impl<'a> Walk<'a> {
    fn empty(&mut self, length_us: i64) -> Result<(), String> {
        if self.pending.is_some() {
            return Err(BETWEEN.to_owned());
        }
        self.end_us = self.end_us.map(|end| end + length_us);
        self.is_after_element = false;
        Ok(())
    }

    fn transition(&mut self, transition: &'a Transition) -> Result<(), String> {
        if self.pending.is_some() || !self.is_after_element {
            return Err(BETWEEN.to_owned());
        }
        self.pending = Some(transition);
        Ok(())
    }

    fn element(&mut self, item: usize, element: &Element, source: Source) -> Result<(), String> {
        let stretch = stretch(element, source)?;
        let length = stretch.map(|(_, _, length)| length);
        let joint = self.pending.take();
        let start = match (joint, element.start_us) {
            (Some(joint), given) => {
                let begins = self.end_us.map(|end| end - joint.length_us);
                if let (Some(given), Some(end)) = (given, self.end_us)
                    && (given - end).abs() > SLACK_US
                    && (given - end + joint.length_us).abs() > SLACK_US
                {
                    return Err(format!(
                        "a transition leads to it, so it cannot begin at {} s: the element before ends at {} s",
                        seconds(given),
                        seconds(end)
                    ));
                }
                for (which, length) in [("before", self.last_us), ("behind", length)] {
                    if length.is_some_and(|length| joint.length_us >= length) {
                        return Err(format!(
                            "the transition lasts as long as the element {which} it, or longer"
                        ));
                    }
                }
                begins
            }
            (None, None) => self.end_us,
            (None, Some(given)) => {
                if let Some(end) = self.end_us.filter(|end| given + SLACK_US < *end) {
                    return Err(format!(
                        "it begins at {} s and overlaps what ends at {} s on the same track",
                        seconds(given),
                        seconds(end)
                    ));
                }
                Some(given)
            }
        };
        let (from_us, has_us) = stretch.map_or((0, 0), |(from, has, _)| (from, has));
        self.end_us = start.zip(length).map(|(start, length)| start + length);
        self.last_us = length.map(|length| length - joint.map_or(0, |joint| joint.length_us));
        self.is_after_element = true;
        let (start_us, end_us) = (start.unwrap_or(0), self.end_us);
        self.laid.push(Laid { item, start_us, end_us, from_us, has_us, joint: joint.cloned() });
        Ok(())
    }
}

/// Where an element begins in its medium, how much it has of it, and how long it lasts on the track; `None` when a
/// length is not known.
fn stretch(element: &Element, source: Source) -> Result<Option<(i64, i64, i64)>, String> {
    let whole = match source {
        Source::Length(length) => Some(length),
        Source::Still | Source::Unknown => None,
    };
    let is_still = source == Source::Still;
    let at = |moment: super::words::Moment| moment.us(if is_still { Some(0) } else { whole });
    let Some(from) = at(element.from) else { return Ok(None) };
    if whole.is_some_and(|whole| from + LEAST_US > whole) {
        return Err(format!("`StartTime` {} s is not before the end of its medium", seconds(from)));
    }
    let to = match element.to {
        Some(to) => at(to),
        None => match (element.length_us, source) {
            (Some(length), _) => Some(from + length),
            (None, Source::Still) => Some(from + STILL_US),
            (None, _) => whole,
        },
    };
    let Some(to) = to else { return Ok(None) };
    let to = whole.map_or(to, |whole| to.min(whole));
    if to - from < LEAST_US {
        return Err(format!(
            "`EndTime` {} s is less than 0.02 s behind `StartTime` {} s",
            seconds(to),
            seconds(from)
        ));
    }
    let length = element.length_us.unwrap_or(to - from);
    Ok(Some((from, (to - from).min(length), length)))
}

fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}
