//! From the decoded picture to the picture that is coded: size, shape, bars, dynamic range, pixel format.
//!
//! Rotation is undone by the decoder's side before any filter here, so sizes are those of the upright picture.
//! Pixels come out square unless the template asks for wide ones. Interlaced frames become whole frames at the same
//! rate. Wide dynamic range is mapped down where the output has 8 bits.

use mps_core::Error;
use mps_core::media_info::{DynamicRange, Ratio, VideoStream};

use super::params::{Fill, VideoEncode};
use super::words::VideoCodec;
use crate::plan::Build;

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
pub fn geometry(video: &VideoEncode, source: &VideoStream) -> Geometry {
    let (width, height) = exact_display_size(source);
    let natural = (width / f64::from(video.pixel_aspect), height);
    let upright = video.by_sides && height > width;
    let (want_w, want_h) = if upright { (video.height, video.width) } else { (video.width, video.height) };
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
    if alike || video.fill == Fill::Stretch {
        return Geometry { scaled: frame, frame, finish: None };
    }
    let scaled = match video.fill {
        Fill::Crop => {
            let cover = at(by_w.max(by_h));
            (cover.0.max(frame.0), cover.1.max(frame.1))
        }
        _ => inside,
    };
    Geometry { scaled, frame, finish: Some(video.fill) }
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

/// The filter chain for `source`; `fps` is the rate to force, `None` keeps each frame's time.
///
/// # Errors
/// `Unsupported` naming the filter that this build of ffmpeg lacks.
pub fn chain(
    video: &VideoEncode,
    source: &VideoStream,
    fps: Option<Ratio>,
    build: &Build,
) -> Result<String, Error> {
    let geometry = geometry(video, source);
    let mut steps: Vec<String> = Vec::new();
    if source.field_order.is_interlaced() {
        need(build, "bwdif", "interlaced sources")?;
        steps.push("bwdif=mode=send_frame:parity=auto:deint=interlaced".to_owned());
    }
    let fps_step = fps.map(|fps| {
        let start = if video.keeps_timestamps { "" } else { ":start_time=0" };
        format!("fps=fps={}/{}{start}", fps.num, fps.den)
    });
    // Frames that are dropped need no scaling; frames that are repeated need it once.
    let is_dropping = fps.is_some_and(|fps| fps.value() < source.average_fps.value());
    if is_dropping {
        steps.extend(fps_step.clone());
    }
    let (w, h) = geometry.scaled;
    let is_rgb = source.pixel_format.starts_with("gbr")
        || source.pixel_format.contains("rgb")
        || source.pixel_format.contains("bgr")
        || source.pixel_format.starts_with("pal");
    let matrix = if is_rgb { ":out_color_matrix=bt709" } else { "" };
    steps.push(format!("scale=w={w}:h={h}:flags=bicubic:out_range=tv{matrix}"));
    steps.push(format!("setsar={}", video.pixel_aspect));
    if let Some(map) = tone_map(video, source, build)? {
        steps.push(map);
    } else if is_rgb {
        steps.push("setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709".to_owned());
    }
    if let Some(fill) = geometry.finish {
        steps.push(finish(fill, geometry.frame, video.pixel_aspect, build)?);
    }
    if !is_dropping {
        steps.extend(fps_step);
    }
    steps.push(format!("format={}", pixel_format(video)));
    Ok(steps.join(","))
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
fn tone_map(video: &VideoEncode, source: &VideoStream, build: &Build) -> Result<Option<String>, Error> {
    if !is_wide(source) || video.bit_depth > 8 {
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

/// Whether the source is mastered for a wide dynamic range, by its transfer function.
pub fn is_wide(source: &VideoStream) -> bool {
    matches!(source.color.transfer.as_str(), "smpte2084" | "arib-std-b67")
        || matches!(source.dynamic_range, DynamicRange::Hdr10 | DynamicRange::Hdr10Plus | DynamicRange::Hlg)
}

/// ffmpeg's pixel format for the output.
pub fn pixel_format(video: &VideoEncode) -> &'static str {
    match (video.codec, video.bit_depth) {
        (VideoCodec::Dnxhd, 10) => "yuv422p10le",
        (VideoCodec::Dnxhd, _) => "yuv422p",
        // The encoder takes nothing else.
        (VideoCodec::H266, _) | (_, 10) => "yuv420p10le",
        _ => "yuv420p",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::transcode::testing::{encode, everything, film};

    fn sized(width: u32, height: u32, fill: Fill) -> VideoEncode {
        VideoEncode { width, height, fill, ..encode() }
    }

    #[test]
    fn a_missing_side_follows_from_the_shape() {
        let film = film(1920, 1080);
        assert_eq!(geometry(&sized(0, 0, Fill::Black), &film).frame, (1920, 1080));
        assert_eq!(geometry(&sized(0, 480, Fill::Black), &film).frame, (854, 480));
        assert_eq!(geometry(&sized(640, 0, Fill::Black), &film).frame, (640, 360));
        assert_eq!(geometry(&sized(0, 0, Fill::Black), &self::film(161, 121)).frame, (160, 120));
    }

    #[test]
    fn an_upright_picture_swaps_the_sides_only_when_open() {
        let phone = VideoStream { rotation_degrees: 90, ..film(1920, 1080) };
        assert_eq!(geometry(&sized(1280, 720, Fill::Black), &phone).frame, (720, 1280));
        let closed = VideoEncode { by_sides: false, ..sized(1280, 720, Fill::Black) };
        let flat = geometry(&closed, &phone);
        assert_eq!((flat.frame, flat.scaled), ((1280, 720), (404, 720)));
    }

    #[test]
    fn fills_differ_in_what_is_scaled_first() {
        let old = film(640, 480);
        assert_eq!(geometry(&sized(1280, 720, Fill::Stretch), &old).scaled, (1280, 720));
        assert_eq!(geometry(&sized(1280, 720, Fill::Gauss), &old).scaled, (960, 720));
        let crop = geometry(&sized(1280, 720, Fill::Crop), &old);
        assert_eq!((crop.scaled, crop.finish), ((1280, 960), Some(Fill::Crop)));
        assert_eq!(geometry(&sized(1280, 720, Fill::White), &film(1920, 1080)).finish, None);
    }

    #[test]
    fn wide_pixels_are_made_square_or_asked_for() {
        let dv = VideoStream { sample_aspect: Ratio::new(32, 27), ..film(720, 480) };
        assert_eq!(geometry(&sized(0, 0, Fill::Black), &dv).frame, (854, 480));
        let wide = VideoEncode { pixel_aspect: 2, ..encode() };
        assert_eq!(geometry(&wide, &film(1920, 1080)).frame, (960, 1080));
    }

    #[test]
    fn a_missing_filter_is_named() {
        let gauss = sized(1280, 720, Fill::Gauss);
        let error = chain(&gauss, &film(640, 480), None, &Build::default()).unwrap_err();
        assert!(error.message().contains("gblur"), "{error}");
        assert!(chain(&gauss, &film(640, 480), None, &everything()).is_ok());
    }
}
