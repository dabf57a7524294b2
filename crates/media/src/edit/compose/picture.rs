//! What is seen: elements and texts drawn on the canvas, track over track, from the last to the first.
//!
//! Colours are kept at full resolution and in BT.709 until the end, so that an element lies on the pixel where it was
//! put. Elements that a transition joins are drawn on a canvas of their own, one after the other, and laid over the rest
//! as one.

use mps_core::media_info::VideoStream;
use mps_core::task::Fault;
use mps_core::{Error, Result};

use super::params::{Element, Item, Look, Title, Track, Turn};
use super::timeline::Laid;
use super::{Scene, titles, transitions};
use crate::edit::material::{Form, Inputs, Stretch, need, tags};
use crate::edit::output::form;
use crate::features::transcode::params::Fill;
use crate::graph::picture::geometry;
use crate::plan::{Build, Extra, Fetch};

/// The largest side of an element, in pixels.
const LARGEST: u32 = 8_192;
const MATRIX: &str = "bt709";

/// What everything is drawn on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    /// Width and height in pixels, even.
    pub(super) size: (u32, u32),
    /// Red, green, blue.
    pub(super) color: [u8; 3],
}

/// Adds the chains from the inputs to the pad `[pictures]`.
pub(super) fn draw(
    scene: &Scene<'_>,
    canvas: Canvas,
    inputs: &mut Inputs,
    graph: &mut Vec<String>,
    texts: &mut Vec<Fetch>,
    build: &Build,
) -> Result<()> {
    let mut painter = Painter { scene, canvas, inputs, graph, build, pads: 0 };
    let frames = scene.grid.frame(scene.length_us);
    let ([red, green, blue], (width, height)) = (canvas.color, canvas.size);
    let mut below = painter.add(&format!(
        "color=c=0x{red:02x}{green:02x}{blue:02x}:s={width}x{height}:r={},format=gbrp,scale=out_color_matrix={MATRIX}:out_range=tv,\
         format=yuv444p,{},trim=end_frame={frames}",
        scene.grid.word(),
        tags(MATRIX)
    ));
    for (nth, (track, laid)) in scene.compose.tracks.iter().zip(&scene.tracks).enumerate().rev() {
        match track {
            Track::Audio(_) => {}
            Track::Title(all) => below = painter.texts(&below, nth, all, laid, texts)?,
            Track::Video(items) => below = painter.track(below, nth, items, laid)?,
        }
    }
    painter.graph.push(format!("[{below}]format=yuv420p[pictures]"));
    Ok(())
}

struct Painter<'a, 'b> {
    scene: &'a Scene<'a>,
    canvas: Canvas,
    inputs: &'b mut Inputs,
    graph: &'b mut Vec<String>,
    build: &'a Build,
    pads: usize,
}

impl Painter<'_, '_> {
    /// Adds a chain; tells the pad that it ends in.
    fn add(&mut self, chain: &str) -> String {
        let pad = format!("p{}", self.pads);
        self.pads += 1;
        self.graph.push(format!("{chain}[{pad}]"));
        pad
    }

    fn texts(
        &mut self,
        below: &str,
        nth: usize,
        all: &[Title],
        laid: &[Laid],
        texts: &mut Vec<Fetch>,
    ) -> Result<String> {
        need(self.build, &["ass"])?;
        let file = format!("title{nth}.ass");
        let text = titles::script(all, laid, self.canvas.size);
        texts.push(Fetch {
            name: format!("ComposeConfig.Tracks.{nth}"),
            most_bytes: text.len() as u64,
            from: Extra::Text(text),
            file: file.clone(),
        });
        Ok(self.add(&format!("[{below}]ass=filename={file}")))
    }

    fn track(&mut self, mut below: String, nth: usize, items: &[Item], laid: &[Laid]) -> Result<String> {
        let mut rest = laid;
        while let Some((first, more)) = rest.split_first() {
            let joined = more.iter().take_while(|next| next.joint.is_some()).count();
            let (together, after) = rest.split_at(joined + 1);
            rest = after;
            let (from, _) = self.scene.frames(first);
            let (_, to) = self.scene.frames(together.last().unwrap_or(first));
            if to <= from {
                continue;
            }
            let (layer, place) = match together {
                [only] => {
                    let element = element(items, only);
                    (self.element(nth, only, element)?, place(&element.look, self.canvas.size))
                }
                all => (self.joined(nth, items, all)?, "x=0:y=0".to_owned()),
            };
            let grid = self.scene.grid;
            // Half a frame early, as times are rounded.
            let at = |frame: i64| crate::graph::seek::seconds((grid.us(frame) - grid.us(1) / 2).max(0));
            let moved = self.add(&format!("[{layer}]setpts=PTS+{}/TB", grid.seconds(from)));
            below = self.add(&format!(
                "[{below}][{moved}]overlay={place}:eval=init:eof_action=pass:format=yuv444:enable='gte(t,{})*lt(t,{})'",
                at(from),
                at(to)
            ));
        }
        Ok(below)
    }

    /// Elements that transitions join, as one layer of the canvas's size.
    fn joined(&mut self, nth: usize, items: &[Item], all: &[Laid]) -> Result<String> {
        need(self.build, &["xfade"])?;
        let (grid, (w, h)) = (self.scene.grid, self.canvas.size);
        let origin = self.scene.frames(&all[0]).0;
        let mut so_far = String::new();
        let mut end = origin;
        for laid in all {
            let element = element(items, laid);
            let (from, to) = self.scene.frames(laid);
            let picture = self.element(nth, laid, element)?;
            let place = place(&element.look, self.canvas.size);
            let frames = to - from;
            let clear = self.add(&format!(
                "color=c=black@0:s={w}x{h}:r={},format=yuva444p,{},trim=end_frame={frames}",
                grid.word(),
                tags(MATRIX)
            ));
            let alone = self.add(&format!(
                "[{clear}][{picture}]overlay={place}:eval=init:format=yuv444:shortest=1,format=yuva444p,fps=fps={},settb=AVTB",
                grid.word()
            ));
            so_far = match &laid.joint {
                None => alone,
                Some(joint) => {
                    let word = joint.picture.as_deref();
                    // Without a word of its own the second covers the first from its beginning on.
                    let (options, lasts) = match word {
                        Some(word) => (transitions::options(word), (end - from).max(1)),
                        None => ("transition=fade".to_owned(), 1),
                    };
                    self.add(&format!(
                        "[{so_far}][{alone}]xfade={options}:duration={}:offset={}",
                        grid.seconds(lasts),
                        grid.seconds(from - origin)
                    ))
                }
            };
            end = to;
        }
        Ok(so_far)
    }

    /// The pictures of an element, beginning at 0.
    fn element(&mut self, nth: usize, laid: &Laid, element: &Element) -> Result<String> {
        let info = &self.scene.infos[element.file];
        let here = format!("ComposeConfig.Tracks.{nth}.Items.{}", laid.item);
        let source = info.main_video().ok_or_else(|| {
            Fault::NoVideo.of(Error::invalid(format!("the medium of `{here}` has no pictures")))
        })?;
        let (from, to) = self.scene.frames(laid);
        let wanted = (to - from).max(1);
        let has = if element.look.is_image { 1 } else { self.scene.grid.frame(laid.has_us).clamp(1, wanted) };
        let stretch = Stretch { file: element.file, start_us: laid.from_us, length_us: laid.has_us };
        let input = self.inputs.open(stretch, info);
        let size = size(&element.look, source, self.canvas.size);
        if size.0 > LARGEST || size.1 > LARGEST {
            let told = format!("`{here}` is {}x{} pixels, more than {LARGEST} on a side", size.0, size.1);
            return Err(Error::invalid(told));
        }
        let is_slanted =
            element.look.turns.iter().any(|turn| matches!(turn, Turn::Rotate(by) if by % 90.0 != 0.0));
        let format = if has_alpha(source) || is_slanted { "yuva444p" } else { "yuv444p" };
        let picture = form(size, Fill::Stretch, format, false);
        let shape = Form { picture, grid: self.scene.grid, matrix: MATRIX };
        let mut chain = self.inputs.pictures(input, source, shape, (has, wanted), self.build)?;
        for turn in &element.look.turns {
            chain += &turned(*turn);
        }
        Ok(self.add(&chain))
    }
}

fn element<'a>(items: &'a [Item], laid: &Laid) -> &'a Element {
    match &items[laid.item] {
        Item::Media(element) => element,
        Item::Transition(_) | Item::Empty { .. } => unreachable!("only elements are laid out"),
    }
}

/// Whether parts of the picture may let through what lies below.
fn has_alpha(source: &VideoStream) -> bool {
    let format = &source.pixel_format;
    ["yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "pal8"]
        .iter()
        .any(|known| format.starts_with(known))
}

/// Width and height on the canvas.
fn size(look: &Look, source: &VideoStream, canvas: (u32, u32)) -> (u32, u32) {
    let side = |measure: Option<super::words::Measure>, of: u32| {
        measure.map_or(0, |measure| (measure.pixels(of).round() as u32).max(1))
    };
    let wanted = (side(look.width, canvas.0), side(look.height, canvas.1));
    geometry(form(wanted, Fill::Stretch, "yuv444p", false), source).frame
}

/// The middle of what is laid over lies where it was put.
fn place(look: &Look, (width, height): (u32, u32)) -> String {
    let (x, y) = (look.x.pixels(width), look.y.pixels(height));
    format!("x='round({x}-w/2)':y='round({y}-h/2)'")
}

fn turned(turn: Turn) -> String {
    match turn {
        Turn::Mirror => ",hflip".to_owned(),
        Turn::Flip => ",vflip".to_owned(),
        Turn::Rotate(degrees) => match degrees.rem_euclid(360.0) {
            0.0 => String::new(),
            90.0 => ",transpose=clock".to_owned(),
            180.0 => ",hflip,vflip".to_owned(),
            270.0 => ",transpose=cclock".to_owned(),
            by => format!(",rotate=a={by}*PI/180:ow='rotw({by}*PI/180)':oh='roth({by}*PI/180)':c=black@0"),
        },
    }
}
