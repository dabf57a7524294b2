//! From the decoded picture to the picture that is coded: size, shape, bars, dynamic range, pixel format.
//!
//! Rotation is undone by the decoder's side before any filter here, so sizes are those of the upright picture.
//! Pixels come out square unless the template asks for wide ones. Interlaced frames become whole frames at the same
//! rate. Wide dynamic range is mapped down where the output has 8 bits.

use mps_core::Error;
use mps_core::media_info::{DynamicRange, VideoStream};
use serde::{Deserialize, Serialize};

use crate::plan::Build;

/// What fills the frame when the source has another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The picture is stretched.
    Stretch,
    /// Black bars.
    Black,
    /// White bars.
    White,
    /// The picture itself, enlarged and blurred.
    Gauss,
    /// Nothing: the picture covers the frame and is cut, from the middle.
    Crop,
}

/// The picture that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Width, or the longer side; 0 follows from the other or from the source.
    pub width: u32,
    /// Height, or the shorter side; 0 follows from the other or from the source.
    pub height: u32,
    /// `width` and `height` mean the longer and the shorter side, so that an upright picture stays upright.
    pub by_sides: bool,
    /// What fills the frame when the shapes differ.
    pub fill: Fill,
    /// Width of a pixel divided by its height, 1 or 2.
    pub pixel_aspect: u8,
    /// ffmpeg's pixel format.
    pub pixels: Pixels,
}

/// How pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// ffmpeg's name of the format.
    pub format: &'static str,
    /// Bits of a component.
    pub bits: u8,
    /// Sizes must be even, as for all moving pictures with halved colour.
    pub is_even: bool,
}

/// When frames are shown: a filter that picks or repeats them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// The filter.
    pub filter: String,
    /// It drops more frames than it repeats, so it goes before the scaling.
    pub is_dropping: bool,
}

/// Sizes in coded pixels on the way to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// The picture is scaled to this first.
    pub scaled: (u32, u32),
    /// The coded frame.
    pub frame: (u32, u32),
    /// What brings the one to the other; `None` when they are equal.
    pub finish: Option<Fill>,
}

/// The sizes for `source`.
pub fn geometry(picture: Picture, source: &VideoStream) -> Geometry {
    let (width, height) = exact_display_size(source);
    let natural = (width / f64::from(picture.pixel_aspect), height);
    let upright = picture.by_sides && height > width;
    let (want_w, want_h) =
        if upright { (picture.height, picture.width) } else { (picture.width, picture.height) };
    let even: fn(f64) -> u32 = if picture.pixels.is_even { even } else { whole };
    let shape = natural.0 / natural.1;
    let frame = match (want_w, want_h) {
        (0, 0) => natural,
        (w, 0) => (f64::from(w), f64::from(w) / shape),
        (0, h) => (f64::from(h) * shape, f64::from(h)),
        (w, h) => (f64::from(w), f64::from(h)),
    };
    let frame = (even(frame.0), even(frame.1));
    let (by_w, by_h) = (f64::from(frame.0) / natural.0, f64::from(frame.1) / natural.1);
    let at = |scale: f64| (even(natural.0 * scale), even(natural.1 * scale));
    let inside = at(by_w.min(by_h));
    let inside = (inside.0.min(frame.0), inside.1.min(frame.1));
    let alike = frame.0 - inside.0 <= 2 && frame.1 - inside.1 <= 2;
    if alike || picture.fill == Fill::Stretch {
        return Geometry { scaled: frame, frame, finish: None };
    }
    let scaled = match picture.fill {
        Fill::Crop => {
            let cover = at(by_w.max(by_h));
            (cover.0.max(frame.0), cover.1.max(frame.1))
        }
        _ => inside,
    };
    Geometry { scaled, frame, finish: Some(picture.fill) }
}

/// The shape of pixels counts before the turn, as in the file.
fn exact_display_size(source: &VideoStream) -> (f64, f64) {
    let aspect = if source.sample_aspect.is_known() { source.sample_aspect.value() } else { 1.0 };
    let (width, height) = (f64::from(source.width.max(1)) * aspect, f64::from(source.height.max(1)));
    if source.rotation_degrees % 180 == 90 { (height, width) } else { (width, height) }
}

/// The nearest even number, at least 2; halfway goes down so that an odd source loses a line rather than gaining one.
fn even(value: f64) -> u32 {
    let half = (value / 2.0 - 0.5).ceil().max(1.0);
    half as u32 * 2
}

/// The nearest whole number, at least 1.
fn whole(value: f64) -> u32 {
    value.round().max(1.0) as u32
}

/// The filter chain for `source`; without `timing` each frame keeps its time.
///
/// # Errors
/// `Unsupported` naming the filter that this build of ffmpeg lacks.
pub fn chain(
    picture: Picture,
    source: &VideoStream,
    timing: Option<&Timing>,
    build: &Build,
) -> Result<String, Error> {
    let mut steps: Vec<String> = whole_frames(source, build)?.into_iter().collect();
    // Frames that are dropped need no scaling; frames that are repeated need it once.
    let (first, last): (Vec<&Timing>, Vec<&Timing>) = timing.into_iter().partition(|t| t.is_dropping);
    steps.extend(first.into_iter().map(|timing| timing.filter.clone()));
    steps.extend(scaled(picture, source, build)?);
    steps.extend(finished(picture, source, build)?);
    steps.extend(last.into_iter().map(|timing| timing.filter.clone()));
    steps.push(format!("format={}", picture.pixels.format));
    Ok(steps.join(","))
}

/// What makes whole frames of interlaced ones.
///
/// # Errors
/// `Unsupported` naming the filter that this build of ffmpeg lacks.
pub fn whole_frames(source: &VideoStream, build: &Build) -> Result<Option<String>, Error> {
    if !source.field_order.is_interlaced() {
        return Ok(None);
    }
    need(build, "bwdif", "interlaced sources")?;
    Ok(Some("bwdif=mode=send_frame:parity=auto:deint=interlaced".to_owned()))
}

/// What brings a decoded picture to [`Geometry::scaled`] and to the colours of the output.
///
/// # Errors
/// `Unsupported` naming the filter that this build of ffmpeg lacks.
pub fn scaled(picture: Picture, source: &VideoStream, build: &Build) -> Result<Vec<String>, Error> {
    let (w, h) = geometry(picture, source).scaled;
    let is_rgb = is_rgb(source);
    let matrix = if is_rgb { ":out_color_matrix=bt709" } else { "" };
    let mut steps = vec![
        format!("scale=w={w}:h={h}:flags=bicubic:out_range=tv{matrix}"),
        format!("setsar={}", picture.pixel_aspect),
    ];
    if let Some(map) = tone_map(picture.pixels.bits, source, build)? {
        steps.push(map);
    } else if is_rgb {
        steps.push("setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709".to_owned());
    }
    Ok(steps)
}

/// What brings a picture of [`Geometry::scaled`] to the frame; nothing where they are equal.
///
/// # Errors
/// `Unsupported` naming the filter that this build of ffmpeg lacks.
pub fn finished(picture: Picture, source: &VideoStream, build: &Build) -> Result<Option<String>, Error> {
    let geometry = geometry(picture, source);
    geometry.finish.map(|fill| finish(fill, geometry.frame, picture.pixel_aspect, build)).transpose()
}

fn need(build: &Build, filter: &str, what: &str) -> Result<(), Error> {
    if build.filters(filter) {
        return Ok(());
    }
    let message = format!("{what} need ffmpeg's filter {filter}, which this server's ffmpeg lacks");
    Err(Error::new(mps_core::Kind::Unsupported, message))
}

fn finish(fill: Fill, (w, h): (u32, u32), aspect: u8, build: &Build) -> Result<String, Error> {
    Ok(match fill {
        Fill::Stretch => String::new(),
        Fill::Black | Fill::White => {
            let color = if fill == Fill::Black { "black" } else { "white" };
            format!("pad=w={w}:h={h}:x=(ow-iw)/2:y=(oh-ih)/2:color={color}")
        }
        Fill::Crop => format!("crop=w={w}:h={h}"),
        Fill::Gauss => {
            need(build, "gblur", "blurred bars")?;
            // Blurring a quarter of the size looks the same and costs a sixteenth.
            let (small_w, small_h) = ((w / 4).max(2), (h / 4).max(2));
            format!(
                "split[front][back];[back]scale=w={small_w}:h={small_h}:force_original_aspect_ratio=increase,\
                 crop=w={small_w}:h={small_h},gblur=sigma=8,scale=w={w}:h={h}:flags=bicubic,setsar={aspect}[blurred];\
                 [blurred][front]overlay=x=(W-w)/2:y=(H-h)/2:format=auto"
            )
        }
    })
}

/// PQ and HLG brought down to BT.709 where 8 bits are coded.
fn tone_map(bits: u8, source: &VideoStream, build: &Build) -> Result<Option<String>, Error> {
    if !is_wide(source) || bits > 8 {
        return Ok(None);
    }
    for filter in ["zscale", "tonemap"] {
        need(build, filter, "sources of wide dynamic range in an output of 8 bits")?;
    }
    let transfer = if source.color.transfer == "arib-std-b67" { "arib-std-b67" } else { "smpte2084" };
    Ok(Some(format!(
        "zscale=tin={transfer}:pin=bt2020:min=bt2020nc:rin=tv:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,\
         tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:p=bt709:r=tv"
    )))
}

/// Whether the source stores red, green and blue.
pub fn is_rgb(source: &VideoStream) -> bool {
    let format = &source.pixel_format;
    format.starts_with("gbr") || format.contains("rgb") || format.contains("bgr") || format.starts_with("pal")
}

/// Whether the source is mastered for a wide dynamic range, by its transfer function.
pub fn is_wide(source: &VideoStream) -> bool {
    matches!(source.color.transfer.as_str(), "smpte2084" | "arib-std-b67")
        || matches!(source.dynamic_range, DynamicRange::Hdr10 | DynamicRange::Hdr10Plus | DynamicRange::Hlg)
}

#[cfg(test)]
mod tests {
    use mps_core::media_info::Ratio;

    use super::*;
    use crate::features::transcode::testing::{everything, film};

    const MOVING: Pixels = Pixels { format: "yuv420p", bits: 8, is_even: true };

    fn sized(width: u32, height: u32, fill: Fill) -> Picture {
        Picture { width, height, by_sides: true, fill, pixel_aspect: 1, pixels: MOVING }
    }

    #[test]
    fn a_missing_side_follows_from_the_shape() {
        let film = film(1920, 1080);
        assert_eq!(geometry(sized(0, 0, Fill::Black), &film).frame, (1920, 1080));
        assert_eq!(geometry(sized(0, 480, Fill::Black), &film).frame, (854, 480));
        assert_eq!(geometry(sized(640, 0, Fill::Black), &film).frame, (640, 360));
        assert_eq!(geometry(sized(0, 0, Fill::Black), &self::film(161, 121)).frame, (160, 120));
        let still = Pixels { is_even: false, ..MOVING };
        let still = Picture { pixels: still, ..sized(0, 0, Fill::Black) };
        assert_eq!(geometry(still, &self::film(161, 121)).frame, (161, 121));
    }

    #[test]
    fn an_upright_picture_swaps_the_sides_only_when_open() {
        let phone = VideoStream { rotation_degrees: 90, ..film(1920, 1080) };
        assert_eq!(geometry(sized(1280, 720, Fill::Black), &phone).frame, (720, 1280));
        let closed = Picture { by_sides: false, ..sized(1280, 720, Fill::Black) };
        let flat = geometry(closed, &phone);
        assert_eq!((flat.frame, flat.scaled), ((1280, 720), (404, 720)));
    }

    #[test]
    fn fills_differ_in_what_is_scaled_first() {
        let old = film(640, 480);
        assert_eq!(geometry(sized(1280, 720, Fill::Stretch), &old).scaled, (1280, 720));
        assert_eq!(geometry(sized(1280, 720, Fill::Gauss), &old).scaled, (960, 720));
        let crop = geometry(sized(1280, 720, Fill::Crop), &old);
        assert_eq!((crop.scaled, crop.finish), ((1280, 960), Some(Fill::Crop)));
        assert_eq!(geometry(sized(1280, 720, Fill::White), &film(1920, 1080)).finish, None);
    }

    #[test]
    fn wide_pixels_are_made_square_or_asked_for() {
        let dv = VideoStream { sample_aspect: Ratio::new(32, 27), ..film(720, 480) };
        assert_eq!(geometry(sized(0, 0, Fill::Black), &dv).frame, (854, 480));
        let wide = Picture { pixel_aspect: 2, ..sized(0, 0, Fill::Black) };
        assert_eq!(geometry(wide, &film(1920, 1080)).frame, (960, 1080));
    }

    #[test]
    fn a_missing_filter_is_named() {
        let gauss = sized(1280, 720, Fill::Gauss);
        let error = chain(gauss, &film(640, 480), None, &Build::default()).unwrap_err();
        assert!(error.message().contains("gblur"), "{error}");
        assert!(chain(gauss, &film(640, 480), None, &everything()).is_ok());
    }
}
