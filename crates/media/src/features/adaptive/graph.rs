//! The filter graph of a ladder: one decoded picture, brought to the largest size first and from there to the
//! smaller ones.
//!
//! Each size is made of the smallest one before it that is larger, has the same kind of pixels and no bars yet, so
//! that no work is done twice and nothing is enlarged again. Frame rate and whole frames come before the first split.

use mps_core::Result;
use mps_core::media_info::VideoStream;

use super::ladder::{self, Rung};
use crate::features::marks::Laid;
use crate::features::transcode::params::VideoEncode;
use crate::graph::Geometry;
use crate::graph::picture;
use crate::plan::Build;

/// A rung with pictures on the way through the graph.
struct Node<'a> {
    /// Its place among the rungs.
    rung: usize,
    video: &'a VideoEncode,
    geometry: Geometry,
    /// The node that it is made of; `None` is the source.
    parent: Option<usize>,
}

impl Node<'_> {
    fn can_make(&self, child: &Node<'_>) -> bool {
        let (own, theirs) = (self.video.picture(), child.video.picture());
        own.pixels == theirs.pixels
            && own.pixel_aspect == theirs.pixel_aspect
            && self.geometry.scaled.0 >= child.geometry.scaled.0
            && self.geometry.scaled.1 >= child.geometry.scaled.1
    }
}

/// The name of a rung's pictures at the end of the graph.
pub(super) fn pad(rung: usize, marked: &Laid) -> String {
    if marked.graph.is_empty() { format!("v{rung}") } else { format!("marked{rung}") }
}

/// The name of the same before watermarks are laid over them.
fn bare_pad(rung: usize, marked: &Laid) -> String {
    if marked.graph.is_empty() { pad(rung, marked) } else { format!("below{rung}") }
}

/// The graph from the source's pictures to [`pad`] of each rung that has pictures, with the watermarks of each; empty
/// when none has.
///
/// # Errors
/// `Unsupported` naming a filter that this build of ffmpeg lacks.
pub(super) fn graph(rungs: &[Rung], marked: &[Laid], source: &VideoStream, build: &Build) -> Result<String> {
    let nodes = nodes(rungs, source);
    if nodes.is_empty() {
        return Ok(String::new());
    }
    let mut first: Vec<String> = picture::whole_frames(source, build)?.into_iter().collect();
    if let Some(fps) = ladder::fps(rungs) {
        first.push(format!("fps=fps={}/{}:start_time=0", fps.num, fps.den));
    }
    if first.is_empty() {
        first.push("null".to_owned());
    }
    let mut graph = Graph::default();
    let roots = children(&nodes, None);
    graph.chain(
        &format!("0:{}", source.index),
        &first,
        &roots.iter().map(|n| whole(*n, None)).collect::<Vec<_>>(),
    );
    for (nth, node) in nodes.iter().enumerate() {
        let video = node.video.picture();
        let mut steps = if node.parent.is_none() {
            picture::scaled(video, source, build)?
        } else {
            let (w, h) = node.geometry.scaled;
            vec![format!("scale=w={w}:h={h}:flags=bicubic"), format!("setsar={}", video.pixel_aspect)]
        };
        steps.push(format!("format={}", video.pixels.format));
        let mut outputs: Vec<String> =
            children(&nodes, Some(nth)).iter().map(|n| whole(*n, Some(nth))).collect();
        let finish = picture::finished(video, source, build)?.filter(|finish| !finish.is_empty());
        let last_pad = bare_pad(node.rung, &marked[node.rung]);
        let own = if finish.is_some() { format!("bare{}", node.rung) } else { last_pad.clone() };
        outputs.insert(0, own.clone());
        graph.chain(&whole(nth, node.parent), &steps, &outputs);
        if let Some(finish) = finish {
            // Names inside the chain are those of the chain alone.
            let finish = ["front", "back", "blurred"].iter().fold(finish, |text, name| {
                text.replace(&format!("[{name}]"), &format!("[{name}{}]", node.rung))
            });
            let last = format!("format={}", video.pixels.format);
            graph.chain(&own, &[finish, last], &[last_pad]);
        }
    }
    graph.0.extend(marked.iter().map(|laid| laid.graph.clone()).filter(|graph| !graph.is_empty()));
    Ok(graph.0.join(";"))
}

fn nodes<'a>(rungs: &'a [Rung], source: &VideoStream) -> Vec<Node<'a>> {
    let mut nodes: Vec<Node<'a>> = Vec::new();
    for (nth, rung) in rungs.iter().enumerate() {
        if let (Some(video), Some(geometry)) = (&rung.video, rung.geometry(source)) {
            nodes.push(Node { rung: nth, video, geometry, parent: None });
        }
    }
    let area = |node: &Node<'_>| u64::from(node.geometry.scaled.0) * u64::from(node.geometry.scaled.1);
    nodes.sort_by_key(|node| (std::cmp::Reverse(area(node)), node.rung));
    for nth in 1..nodes.len() {
        let (before, rest) = nodes.split_at(nth);
        let parent = before.iter().rposition(|node| node.can_make(&rest[0]));
        nodes[nth].parent = parent;
    }
    nodes
}

fn children(nodes: &[Node<'_>], parent: Option<usize>) -> Vec<usize> {
    (0..nodes.len()).filter(|nth| nodes[*nth].parent == parent).collect()
}

/// The name of what the `nth` node is made of.
fn whole(nth: usize, parent: Option<usize>) -> String {
    match parent {
        None => format!("base{nth}"),
        Some(parent) => format!("from{parent}to{nth}"),
    }
}

#[derive(Default)]
struct Graph(Vec<String>);

impl Graph {
    /// Steps from a pad to one or more others.
    fn chain(&mut self, from: &str, steps: &[String], to: &[String]) {
        let split = match to.len() {
            0 | 1 => String::new(),
            count => format!(",split={count}"),
        };
        self.0.push(format!("[{from}]{}{split}[{}]", steps.join(","), to.join("][")));
    }
}
