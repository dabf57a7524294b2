//! What a composition is asked to be, checked and in our words.

use serde::{Deserialize, Serialize};

use super::words::{Measure, Moment};
use crate::features::transcode::params::AudioEncode;
use crate::features::transcode::words::Container;

/// A whole composition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compose {
    /// The wrapping.
    pub container: Container,
    /// Whether pictures are kept.
    pub has_video: bool,
    /// Whether sound is kept.
    pub has_audio: bool,
    /// Frames a second; 0 follows the first medium with moving pictures.
    pub fps: u32,
    /// Bit rate of the pictures; 0 leaves it to the pictures.
    pub video_bps: u64,
    /// The sound.
    pub sound: AudioEncode,
    /// Width in pixels; 0 follows the first medium with pictures.
    pub width: u32,
    /// Height in pixels; 0 follows the first medium with pictures.
    pub height: u32,
    /// What is seen where nothing is: red, green, blue.
    pub color: [u8; 3],
    /// The first lies on top.
    pub tracks: Vec<Track>,
}

impl Compose {
    /// The elements of all tracks that are made of media.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        let of = |track| match track {
            &Track::Video(ref items) | &Track::Audio(ref items) => items.as_slice(),
            &Track::Title(_) => &[],
        };
        self.tracks.iter().flat_map(of).filter_map(|item| match item {
            Item::Media(element) => Some(&**element),
            Item::Transition(_) | Item::Empty { .. } => None,
        })
    }
}

/// A track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// Moving pictures with their sound, and stills.
    Video(Vec<Item>),
    /// Sound.
    Audio(Vec<Item>),
    /// Texts.
    Title(Vec<Title>),
}

/// What stands on a track of media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A stretch of a medium.
    Media(Box<Element>),
    /// From the element before to the one behind.
    Transition(Transition),
    /// Nothing, for a while.
    Empty {
        /// How long, in microseconds.
        length_us: i64,
    },
}

/// A stretch of a medium, and what is done to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// Which medium of the request.
    pub file: usize,
    /// Where in the medium it begins.
    pub from: Moment,
    /// Where in the medium it ends.
    pub to: Option<Moment>,
    /// When it begins on the track, in microseconds; `None` is the end of what stands before.
    pub start_us: Option<i64>,
    /// How long it lasts on the track, in microseconds; `None` is the length of the stretch.
    pub length_us: Option<i64>,
    /// How it is seen.
    pub look: Look,
    /// Loudness, 0 to 5 and more where several factors were given; 1 leaves it as it is.
    pub volume: f64,
}

/// How an element is seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Only its first picture is shown.
    pub is_image: bool,
    /// Its middle, from the left.
    pub x: Measure,
    /// Its middle, from the top.
    pub y: Measure,
    /// Its width; `None` follows from the height or from the medium.
    pub width: Option<Measure>,
    /// Its height; `None` follows from the width or from the medium.
    pub height: Option<Measure>,
    /// Turned and mirrored, in this order.
    pub turns: Vec<Turn>,
}

/// A change of the picture as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Clockwise around the middle, in degrees, 0 to 360.
    Rotate(f64),
    /// Left becomes right.
    Mirror,
    /// Top becomes bottom.
    Flip,
}

/// From one element to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// How long both are there, in microseconds.
    pub length_us: i64,
    /// The API's word for what happens to the pictures; `None` lets the second cover the first.
    pub picture: Option<String>,
    /// Whether the sound of the first fades out while that of the second fades in.
    pub fades_sound: bool,
}

/// A text on the canvas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Title {
    /// The text in stretches of one family of fonts each; lines end with `\n`.
    pub parts: Vec<Part>,
    /// How it is drawn.
    pub style: Style,
    /// When it begins on the track, in microseconds; `None` is the end of the text before.
    pub start_us: Option<i64>,
    /// How long it is seen, in microseconds.
    pub length_us: i64,
}

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The family of fonts.
    pub family: String,
    /// The text.
    pub text: String,
}

/// How a text is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Style {
    /// The API's word for the font.
    pub font: String,
    /// Height of its letters.
    pub size: Measure,
    /// Height of the stripe that each line stands in the middle of; `None` is the size.
    pub height: Option<Measure>,
    /// From the bottom of the canvas to the bottom of the stripe.
    pub bottom: Measure,
    /// Heavy letters.
    pub is_bold: bool,
    /// Slanted letters.
    pub is_italic: bool,
    /// Of the letters.
    pub color: Rgba,
    /// Where the lines stand.
    pub align: Align,
    /// From the side that they are aligned to.
    pub margin: Measure,
    /// Width of the line around the letters.
    pub border: Measure,
    /// Of that line.
    pub border_color: Rgba,
    /// Behind the letters; `None` is nothing.
    pub ground: Option<Rgba>,
}

/// Red, green, blue and how solid, 255 entirely.
pub(super) type Rgba = [u8; 4];

/// Where lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// In the middle.
    #[default]
    Center,
    /// At the left.
    Left,
    /// At the right.
    Right,
}
