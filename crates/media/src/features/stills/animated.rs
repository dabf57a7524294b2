//! Short animations: `AnimatedGraphicTaskSet`.
//!
//! Each frame is the one shown at its moment. A GIF gets one palette of its own, made from what moves; `Quality` is
//! that of the WebP encoder, and for a GIF the size of the palette.

use mps_core::media_info::{MediaInfo, VideoStream};
use mps_core::task::{Failure, Fault, Step};
use mps_core::{Error, Result};
use mps_wire::{ApiError, Refused};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::frames::{self, COPY_TIMES};
use super::still::{self, Format as StillFormat};
use super::{Around, EXTRA, Still, VOD, length_us, pictures};
use crate::features::outcome::{outcome, read_back};
use crate::features::{Feature, Item, Made, Used, Words, params_value, stored, to_store};
use crate::graph::picture::{self, Fill, Timing};
use crate::graph::{Clip, Entry};
use crate::plan::{Arg, Build, Command, Output, Plan, Role};
use crate::templates::{self, Family};

const LIST: &str = "AnimatedGraphicTaskSet";
const KIND: &str = "animated_graphic";
const NAME: &str = "{inputName}_animatedGraphic_{definition}.{format}";
const PALETTE: &str = "palette.png";
/// The most pixels of all frames together: a minute of 720p at 30 frames a second.
const MOST_PIXELS: u64 = 1800 * 1280 * 720;
const USUAL_QUALITY: f64 = 75.0;

/// Members that are refused by name.
pub const REFUSED: &[Refused] = &[
    Refused { path: "MediaProcessTask.AnimatedGraphicTaskSet.OutputStorage.VODOutputStorage", why: VOD },
    Refused { path: "MediaProcessTask.AnimatedGraphicTaskSet.ExtInfo", why: EXTRA },
];

/// The feature.
#[derive(Debug, Clone, Copy)]
pub struct AnimatedGraphic;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Gif,
    Webp,
}

impl Format {
    const fn extension(self) -> &'static str {
        match self {
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }

    const fn encoder(self) -> &'static str {
        match self {
            Self::Gif => "gif",
            Self::Webp => "libwebp_anim",
        }
    }

    /// The still picture with the same limits.
    const fn like(self) -> StillFormat {
        match self {
            Self::Gif => StillFormat::Png,
            Self::Webp => StillFormat::Webp,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StepParams {
    #[serde(flatten)]
    around: Around,
    format: Format,
    still: Still,
    fps: u32,
    quality: f64,
    clip: Clip,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct StepResult {
    path: String,
    size_bytes: u64,
    md5: String,
    width: u32,
    height: u32,
    bitrate_bps: i64,
    start_us: i64,
    end_us: i64,
}

impl StepParams {
    /// Options before the input, and the filters that give the frames of the animation.
    fn frames(
        &self,
        info: &MediaInfo,
        source: &VideoStream,
        start_us: i64,
        build: &Build,
    ) -> Result<(Vec<Arg>, String)> {
        let entry = Entry::new(info, start_us);
        let mut input = vec![Arg::from(COPY_TIMES)];
        input.extend(frames::input(Some(entry)));
        let filter = format!("{},fps=fps={}:round=up:start_time=0", entry.filter(), self.fps);
        let timing = Timing { filter, is_dropping: true };
        let chain = picture::chain(self.still.picture(), source, Some(&timing), build)?;
        Ok((input, chain))
    }

    /// Colours of a GIF's palette.
    fn colors(&self) -> u32 {
        if self.quality >= USUAL_QUALITY {
            return 256;
        }
        ((self.quality / USUAL_QUALITY * 256.0).round() as u32).clamp(8, 256)
    }

    fn commands(
        &self,
        info: &MediaInfo,
        source: &VideoStream,
        start_us: i64,
        count: i64,
        build: &Build,
    ) -> Result<Vec<Command>> {
        let (input, chain) = self.frames(info, source, start_us, build)?;
        let picked = format!("{chain},trim=end_frame={count}");
        let map = format!("0:{}", source.index);
        let file = Arg::File(format!("output.{}", self.format.extension()));
        let expected_us = count * 1_000_000 / i64::from(self.fps);
        let command = |args: Vec<Arg>| Command::ffmpeg(args, expected_us);
        match self.format {
            Format::Webp => {
                let chain = format!("{picked},{}", StillFormat::Webp.finish(source));
                let quality = format!("{:.0}", self.quality);
                let mut args = input;
                args.extend(["-map", &map, "-filter:v", &chain, "-fps_mode", "passthrough"].map(Arg::from));
                args.extend(
                    ["-c:v", "libwebp_anim", "-quality", &quality, "-loop", "0", "-f", "webp"].map(Arg::from),
                );
                args.push(file);
                Ok(vec![command(args)])
            }
            Format::Gif => {
                let rgb = StillFormat::Png.finish(source);
                let palette =
                    format!("{picked},{rgb},palettegen=max_colors={}:stats_mode=diff", self.colors());
                let mut first = input.clone();
                first.extend(
                    ["-map", &map, "-filter:v", &palette, "-frames:v", "1", "-update", "1"].map(Arg::from),
                );
                first.extend([Arg::from("-f"), Arg::from("image2"), Arg::File(PALETTE.to_owned())]);
                let graph = format!(
                    "[{map}]{picked},{rgb}[frames];[frames][1:0]paletteuse=dither=sierra2_4a:diff_mode=rectangle[out]"
                );
                let mut second = input;
                second.extend([Arg::from("-i"), Arg::File(PALETTE.to_owned())]);
                second.extend(
                    ["-filter_complex", &graph, "-map", "[out]", "-fps_mode", "passthrough"].map(Arg::from),
                );
                second.extend(["-c:v", "gif", "-loop", "0", "-f", "gif"].map(Arg::from));
                second.push(file);
                Ok(vec![command(first), command(second)])
            }
        }
    }
}

/// Refuses what no file should hold.
fn check_length(size: (u32, u32), count: i64) -> Result<()> {
    let pixels = u64::from(size.0) * u64::from(size.1) * count.unsigned_abs();
    if pixels > MOST_PIXELS {
        let told = format!(
            "the animation would have {count} frames of {}x{} pixels, more than a file of this kind should hold: make \
             it shorter or smaller, or lower the frame rate",
            size.0, size.1
        );
        return Err(Fault::TimeOffset.of(Error::invalid(told)));
    }
    Ok(())
}

impl Feature for AnimatedGraphic {
    fn words(&self) -> Words {
        Words {
            kind: KIND,
            list: LIST,
            result: "AnimatedGraphics",
            member: "AnimatedGraphicTask",
            activity: "action-animated-graphics",
            cost: 4,
        }
    }

    fn family(&self) -> &'static dyn Family {
        &templates::animated_graphics::AnimatedGraphics
    }

    fn from_wire(&self, item: &Item<'_>, build: &Build) -> Result<Value, ApiError> {
        let body = item.body(LIST)?;
        let format = if body["Format"] == "webp" { Format::Webp } else { Format::Gif };
        still::check_encoder(format.encoder(), &item.path(LIST), build)?;
        let offset = |name: &str| item.value[name].as_f64().unwrap_or(0.0);
        let clip =
            Clip::from_seconds(offset("StartTimeOffset"), offset("EndTimeOffset")).map_err(|error| {
                let message = format!("{}: {}", item.path(LIST), error.message);
                ApiError { message, ..error }
            })?;
        params_value(&StepParams {
            around: Around::of(item, LIST, NAME, false, build)?,
            format,
            still: Still { fill: Fill::Stretch, ..Still::read(body) },
            fps: u32::try_from(body["Fps"].as_u64().unwrap_or(1)).unwrap_or(1).clamp(1, 30),
            quality: body["Quality"].as_f64().unwrap_or(USUAL_QUALITY).clamp(1.0, 100.0),
            clip,
        })
    }

    fn plan(&self, params: &Value, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
        let step: StepParams = stored(params, KIND)?;
        let source = pictures(info)?;
        let length_us = length_us(info)?;
        let (start_us, end_us) = step.clip.resolve(length_us)?;
        let end_us = end_us.unwrap_or(length_us);
        let count = ((end_us - start_us) * i64::from(step.fps) + 500_000).div_euclid(1_000_000).max(1);
        let size = step.still.size(source, step.format.like())?;
        check_length(size, count)?;
        let commands = step.commands(info, source, start_us, count, build)?;
        let extension = step.format.extension();
        let file = format!("output.{extension}");
        let output = Output::File {
            file: file.clone(),
            key: step.around.key(0, extension, task_id)?,
            content_type: format!("image/{extension}"),
            role: Role::Main,
        };
        let length_us = count * 1_000_000 / i64::from(step.fps);
        let facts = json!({"start_us": start_us, "end_us": end_us, "size": size, "length_us": length_us});
        Ok(Plan { commands, outputs: vec![output], facts, ..Plan::default() })
    }

    fn result(&self, _params: &Value, made: &Made<'_>) -> Result<Value> {
        let main = made.main()?;
        let (width, height): (u32, u32) = stored(&made.facts["size"], KIND)?;
        let fact = |name: &str| made.facts[name].as_i64().unwrap_or(0);
        let size_bytes = i64::try_from(main.size_bytes).unwrap_or(i64::MAX);
        to_store(&StepResult {
            path: main.key.to_owned(),
            size_bytes: main.size_bytes,
            md5: main.md5.to_owned(),
            width,
            height,
            bitrate_bps: size_bytes.saturating_mul(8_000_000) / fact("length_us").max(1),
            start_us: fact("start_us"),
            end_us: fact("end_us"),
        })
    }

    fn usage(&self, _params: &Value, made: &Made<'_>) -> Vec<Used> {
        let amount = made.facts["length_us"].as_i64().unwrap_or(0) / 1000;
        vec![Used { item: "animated_graphic".to_owned(), amount, unit: "ms" }]
    }

    fn to_wire(&self, item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value {
        let (params, result): (Option<StepParams>, Option<StepResult>) = read_back(step);
        let output = params.as_ref().zip(result).map(|(params, result)| {
            json!({
                "Storage": params.around.storage,
                "Path": result.path,
                "Definition": params.around.definition,
                "Container": params.format.extension(),
                "Width": result.width,
                "Height": result.height,
                "Bitrate": result.bitrate_bps,
                "Size": result.size_bytes,
                "Md5": result.md5,
                "StartTimeOffset": result.start_us as f64 / 1e6,
                "EndTimeOffset": result.end_us as f64 / 1e6,
            })
        });
        let input = params.map_or_else(|| item.clone(), |params| params.around.input(item, false));
        outcome(step, task_failure).around(&input, output.as_ref(), step)
    }
}
