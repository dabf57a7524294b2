//! Everything that comes over the scaled picture before it is coded, in its order: mosaics, subtitles, watermarks.

use std::fmt::Write as _;

use mps_core::Result;
use mps_core::media_info::MediaInfo;

use super::burn::Burn;
use super::marks::{self, Laid, Mark};
use super::mosaic::{self, Mosaic};
use crate::graph::overlay::Below;
use crate::plan::Build;

/// What comes over the pictures of an output.
#[derive(Debug, Clone, Copy, Default)]
pub struct Over<'a> {
    /// What is made coarse.
    pub mosaics: &'a [Mosaic],
    /// What is written.
    pub burn: Option<&'a Burn>,
    /// What is laid on top.
    pub marks: &'a [Mark],
}

/// What the pictures come from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What it holds.
    pub info: &'a MediaInfo,
    /// What the first picture shows, in microseconds of the source.
    pub start_us: i64,
    /// What ffmpeg can do.
    pub build: &'a Build,
}

/// The graph from the pad `below<branch>` to the pad `marked<branch>`, empty when nothing is seen; its first own input is
/// number `first`.
///
/// # Errors
/// `InvalidInput` when the source lacks the subtitles that are wanted; `Unsupported` when ffmpeg cannot draw them.
pub fn lay(
    over: Over<'_>,
    first: usize,
    branch: &str,
    below: &Below<'_>,
    source: Source<'_>,
) -> Result<Laid> {
    let mut graph = String::new();
    let start = format!("below{branch}");
    let mut pad = mosaic::lay(over.mosaics, start.clone(), branch, below, &mut graph);
    let drawn = over.burn.map(|burn| burn.draw(branch, below, source)).transpose()?;
    if let Some(drawn) = &drawn {
        let to = format!("drawn{branch}");
        let _ = write!(graph, "[{pad}]{}[{to}];", drawn.filter);
        pad = to;
    }
    let mut laid = marks::lay_from(pad.clone(), over.marks, first, branch, below);
    if laid.graph.is_empty() && pad != start {
        laid.graph = format!("[{pad}]format={}[marked{branch}]", below.format);
    }
    laid.graph.insert_str(0, &graph);
    if let Some(drawn) = drawn {
        laid.fetch.extend(drawn.fetch);
        laid.prepare.extend(drawn.prepare);
        laid.convert.push(drawn.convert);
    }
    Ok(laid)
}
