//! Watermarks of an item: which pictures, drawings and words are laid over it, where and when.
//!
//! Watermarks lie over each other in the order of the request. A drawing becomes a picture of the size that it is shown
//! in, by a run of its own, so that a bad one fails by itself.

mod from_wire;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::overlay::{Below, Caption, Overlay, Spot};
use crate::plan::{Arg, Command, Convert, Extra, Fetch};

pub use from_wire::{MOST, from_wire};

/// The most bytes of a watermark's picture.
const MOST_BYTES: u64 = 20 << 20;
/// A drawing that is larger than any video gets by mistake.
const MOST_PIXELS: u32 = 8192;

/// What the call found for one watermark of the list.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The body of its template.
    pub template: Option<std::sync::Arc<Value>>,
    /// The picture that its own parameters name: `MediaInputInfo`, checked.
    pub picture: Option<Value>,
}

/// A watermark, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Number of its template; 0 when its parameters came with the call.
    pub definition: i64,
    /// Its place in the list of the request.
    nth: usize,
    spot: Spot,
    content: Content,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// A file of pixels.
    Picture { from: Extra, overlay: Overlay },
    /// The text of an SVG drawing.
    Drawing { svg: String, overlay: Overlay },
    /// Words.
    Text { text: String, caption: Caption },
}

/// Numbers of the templates, as results print them.
pub fn definitions(marks: &[Mark]) -> Vec<i64> {
    marks.iter().map(|mark| mark.definition).collect()
}

/// The watermarks of one output as inputs and a graph.
#[derive(Debug, Default)]
pub struct Laid {
    /// Files to be there.
    pub fetch: Vec<Fetch>,
    /// What must run before.
    pub prepare: Vec<Command>,
    /// What must be converted before.
    pub convert: Vec<Convert>,
    /// Words of the inputs, to stand behind the others.
    pub inputs: Vec<Arg>,
    /// The graph from the pad `below<branch>` to the pad `marked<branch>`; empty without watermarks.
    pub graph: String,
}

/// Lays `marks` over pictures. The first input of the watermarks is number `first`; branches whose pictures have the same
/// size may share inputs.
pub fn lay(marks: &[Mark], first: usize, branch: &str, below: &Below<'_>) -> Laid {
    lay_from(format!("below{branch}"), marks, first, branch, below)
}

/// The same over pictures of another pad.
pub(super) fn lay_from(
    mut from: String,
    marks: &[Mark],
    first: usize,
    branch: &str,
    below: &Below<'_>,
) -> Laid {
    let mut laid = Laid::default();
    let mut input = first;
    for mark in marks {
        let to = format!("over{}of{branch}", mark.nth);
        let pads = (from.as_str(), to.as_str());
        let graph = match &mark.content {
            Content::Text { caption, .. } => caption.graph(&mark.spot, &mark.file(), pads, below),
            Content::Picture { overlay, .. } | Content::Drawing { overlay, .. } => {
                overlay.graph(&mark.spot, input, pads, below)
            }
        };
        let Some(graph) = graph else { continue };
        input += usize::from(mark.ready(&mut laid, branch, below));
        laid.graph.push_str(&graph);
        laid.graph.push(';');
        from = to;
    }
    if !laid.graph.is_empty() {
        let _ = write!(laid.graph, "[{from}]format={}[marked{branch}]", below.format);
    }
    laid
}

impl Mark {
    fn file(&self) -> String {
        format!("mark-{}", self.nth)
    }

    /// Adds the files that it needs; whether one of them is an input.
    fn ready(&self, laid: &mut Laid, branch: &str, below: &Below<'_>) -> bool {
        let (file, name) = (self.file(), format!("WatermarkSet.{}", self.nth));
        let fetch =
            |from: Extra| Fetch { from, file: file.clone(), name: name.clone(), most_bytes: MOST_BYTES };
        let command = |args| Command { prepares: Some(name.clone()), ..Command::ffmpeg(args, 0) };
        match &self.content {
            Content::Text { text, .. } => {
                laid.fetch.push(fetch(Extra::Text(text.clone())));
                false
            }
            Content::Picture { from, overlay } => {
                laid.fetch.push(fetch(from.clone()));
                laid.prepare.push(command(looked_through(&file)));
                laid.inputs.extend(overlay.input_words(below).iter().map(|word| Arg::from(*word)));
                laid.inputs.extend([Arg::from("-i"), Arg::File(file)]);
                true
            }
            Content::Drawing { svg, overlay } => {
                let picture = format!("{file}{branch}.png");
                laid.fetch.push(fetch(Extra::Text(svg.clone())));
                laid.prepare.push(command(drawn(file, overlay.size(below.geometry.frame), &picture)));
                laid.inputs.extend([Arg::from("-i"), Arg::File(picture)]);
                true
            }
        }
    }
}

/// Decodes a picture and keeps nothing: what is broken must not pass for the end of the watermark.
fn looked_through(file: &str) -> Vec<Arg> {
    let mut args: Vec<Arg> = ["-xerror", "-i"].map(Arg::from).to_vec();
    args.push(Arg::File(file.to_owned()));
    args.extend(["-map", "0:v:0", "-f", "null", "-"].map(Arg::from));
    args
}

/// Draws an SVG in its size on the frame; without one, in its own.
fn drawn(file: String, (width, height): (Option<u32>, Option<u32>), picture: &str) -> Vec<Arg> {
    let side = |side: Option<u32>| side.unwrap_or(0).min(MOST_PIXELS).to_string();
    let is_free = width.is_none() || height.is_none();
    let mut args =
        ["-f", "svg_pipe", "-width", &side(width), "-height", &side(height)].map(Arg::from).to_vec();
    args.extend(["-keep_ar", if is_free { "1" } else { "0" }, "-i"].map(Arg::from));
    args.push(Arg::File(file));
    // The drawing's colours come multiplied by their opacity, those of a PNG are not.
    let plain = |c: &str| format!("{c}='if(alpha(X,Y),min(255,{c}(X,Y)*255/alpha(X,Y)),0)'");
    let graph =
        format!("format=rgba,geq={}:{}:{}:a='alpha(X,Y)',format=rgba", plain("r"), plain("g"), plain("b"));
    args.extend(["-vf", &graph, "-frames:v", "1", "-f", "image2", "-update", "1"].map(Arg::from));
    args.push(Arg::File(picture.to_owned()));
    args
}
