//! Sprite sheets with an index: `ImageSpriteTaskSet`.
//!
//! Small pictures at even distances are laid out on sheets, row by row. A WebVTT file beside the first sheet tells
//! players which part of which sheet belongs to which stretch of time.

use std::fmt::Write as _;

use mps_core::Result;
use mps_core::media_info::MediaInfo;
use mps_core::task::{Failure, Step};
use mps_wire::{ApiError, Refused};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::frames::{self, COPY_TIMES, Series, Shot};
use super::sample::Sampling;
use super::still::{self, Format};
use super::{Around, EXTRA, Still, VOD, pictures};
use crate::features::outcome::{outcome, read_back};
use crate::features::{Feature, Item, Made, Used, Words, params_value, stored, to_store};
use crate::graph::picture;
use crate::hls::relative_uri;
use crate::plan::{Arg, Build, Command, Output, Plan, Role};
use crate::templates::{self, Family};

const LIST: &str = "ImageSpriteTaskSet";
const KIND: &str = "image_sprite";
const NAME: &str = "{inputName}_imageSprite_{definition}_{number}.{format}";
const INDEX: &str = "{inputName}_imageSprite_{definition}.{format}";

/// Members that are refused by name.
pub const REFUSED: &[Refused] = &[
    Refused { path: "MediaProcessTask.ImageSpriteTaskSet.OutputStorage.VODOutputStorage", why: VOD },
    Refused { path: "MediaProcessTask.ImageSpriteTaskSet.ExtInfo", why: EXTRA },
];

/// The feature.
#[derive(Debug, Clone, Copy)]
pub struct ImageSprite;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StepParams {
    #[serde(flatten)]
    around: Around,
    still: Still,
    sampling: Sampling,
    rows: u32,
    columns: u32,
    index: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct StepResult {
    width: u32,
    height: u32,
    sheets: Vec<String>,
    index: String,
}

impl StepParams {
    fn cells(&self) -> i64 {
        i64::from(self.rows) * i64::from(self.columns)
    }

    fn check_sheet(&self, (width, height): (u32, u32)) -> Result<()> {
        let sheet = (u64::from(width) * u64::from(self.columns), u64::from(height) * u64::from(self.rows));
        let advice = "use smaller pictures, or fewer rows or columns";
        still::check_size(self.still.format, sheet, ("sheet", advice))
    }

    /// Pictures are laid out before the file's own colours, which may be halved, so that any size is exact.
    fn commands(&self, shot: Shot<'_>, series: Series) -> Result<Vec<Command>> {
        let format = self.still.format;
        let layout = format!("tile={}x{}:color=black", self.columns, self.rows);
        let finish = Format::Png.finish(shot.source);
        let sheet = format.finish_rgb();
        let expected_us = series.every_us * series.count;
        let mut commands = Vec::new();
        let (input, map, filters) = if series.is_far(shot.info) {
            commands = frames::at(Shot { format: Format::Png, ..shot }, &series.moments())?.commands;
            let cells = Arg::File(frames::file_pattern(Format::Png.extension()));
            let input =
                vec!["-f".into(), "image2".into(), "-start_number".into(), "0".into(), "-i".into(), cells];
            (input, "0:0".to_owned(), format!("format=rgb24,{layout},{sheet}"))
        } else {
            let picked = picture::chain(
                shot.still.picture(),
                shot.source,
                Some(&series.timing(shot.info)),
                shot.build,
            )?;
            let filters = format!("{picked},{finish},trim=end_frame={},{layout},{sheet}", series.count);
            (
                std::iter::once(COPY_TIMES.into()).chain(frames::input(None)).collect(),
                format!("0:{}", shot.source.index),
                filters,
            )
        };
        let mut args = input;
        args.extend(["-map", &map, "-filter:v", &filters].map(Arg::from));
        args.extend(format.words().into_iter().map(Arg::Text));
        args.extend(["-fps_mode", "passthrough", "-f", "image2", "-start_number", "0"].map(Arg::from));
        args.push(Arg::File(format!("sheet-%06d.{}", format.extension())));
        commands.push(Command::ffmpeg(args, expected_us));
        Ok(commands)
    }

    /// The index: which part of which sheet shows what time.
    fn index(
        &self,
        index_key: &str,
        sheets: &[String],
        size: (u32, u32),
        series: Series,
        end_us: i64,
    ) -> String {
        let mut text = "WEBVTT\n".to_owned();
        for nth in 0..series.count {
            let (start, end) = (nth * series.every_us, ((nth + 1) * series.every_us).min(end_us));
            let (sheet, cell) = ((nth / self.cells()) as usize, nth % self.cells());
            let (row, column) = (cell / i64::from(self.columns), cell % i64::from(self.columns));
            let address = sheets.get(sheet).map(|key| relative_uri(index_key, key)).unwrap_or_default();
            let _ = write!(
                text,
                "\n{} --> {}\n{address}#xywh={},{},{},{}\n",
                stamp(start),
                stamp(end.max(start + 1000)),
                column * i64::from(size.0),
                row * i64::from(size.1),
                size.0,
                size.1
            );
        }
        text
    }
}

/// `01:02:03.456`.
fn stamp(us: i64) -> String {
    let ms = us / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

impl Feature for ImageSprite {
    fn words(&self) -> Words {
        Words {
            kind: KIND,
            list: LIST,
            result: "ImageSprites",
            member: "ImageSpriteTask",
            activity: "action-image-sprite",
            cost: 4,
        }
    }

    fn family(&self) -> &'static dyn Family {
        &templates::image_sprite::ImageSprite
    }

    fn from_wire(&self, item: &Item<'_>, build: &Build) -> Result<Value, ApiError> {
        let body = item.body(LIST)?;
        let still = Still::read(body);
        for format in [still.format, Format::Png] {
            still::check_encoder(format.encoder(), &item.path(LIST), build)?;
        }
        let count = |name: &str| u32::try_from(body[name].as_u64().unwrap_or(1)).unwrap_or(1).max(1);
        params_value(&StepParams {
            around: Around::of(item, LIST, NAME, true, build)?,
            still,
            sampling: Sampling::read(body),
            rows: count("RowCount"),
            columns: count("ColumnCount"),
            index: Around::relative(item, LIST, "WebVttObjectName", INDEX)?,
        })
    }

    fn plan(&self, params: &Value, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan> {
        let step: StepParams = stored(params, KIND)?;
        let source = pictures(info)?;
        let series = step.sampling.series(info)?;
        let size = picture::geometry(step.still.picture(), source).frame;
        step.check_sheet(size)?;
        let format = step.still.format;
        let shot = Shot { still: step.still, format, source, info, build, marks: &[] };
        let commands = step.commands(shot, series)?;
        let many = (series.count + step.cells() - 1) / step.cells();
        let sheets = (0..many as usize)
            .map(|nth| step.around.key(nth, format.extension(), task_id))
            .collect::<Result<Vec<String>>>()?;
        let first = sheets.first().map_or("/", String::as_str);
        let directory = first.rsplit_once('/').map_or_else(|| "/".to_owned(), |(dir, _)| format!("{dir}/"));
        let key = step.around.key_of(&step.index, &directory, 0, "vtt", task_id)?;
        let text = step.index(&key, &sheets, size, series, info.duration_us);
        let mut outputs: Vec<Output> = sheets
            .into_iter()
            .enumerate()
            .map(|(nth, key)| Output::File {
                file: format!("sheet-{nth:06}.{}", format.extension()),
                key,
                content_type: format.content_type().to_owned(),
                role: Role::Main,
            })
            .collect();
        outputs.push(Output::Text { text, key, content_type: "text/vtt".to_owned(), role: Role::Index });
        Ok(Plan { commands, outputs, facts: json!({"size": size}), ..Plan::default() })
    }

    fn result(&self, _params: &Value, made: &Made<'_>) -> Result<Value> {
        let (width, height): (u32, u32) = stored(&made.facts["size"], KIND)?;
        let of = |role: Role| made.objects.iter().filter(move |object| object.role == role);
        to_store(&StepResult {
            width,
            height,
            sheets: of(Role::Main).map(|object| object.key.to_owned()).collect(),
            index: of(Role::Index).map(|object| object.key.to_owned()).next().unwrap_or_default(),
        })
    }

    fn usage(&self, _params: &Value, made: &Made<'_>) -> Vec<Used> {
        let sheets = made.objects.iter().filter(|object| object.role == Role::Main).count();
        vec![Used { item: "sprite".to_owned(), amount: sheets as i64, unit: "picture" }]
    }

    fn to_wire(&self, item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value {
        let (params, result): (Option<StepParams>, Option<StepResult>) = read_back(step);
        let output = params.as_ref().zip(result).map(|(params, result)| {
            json!({
                "Storage": params.around.storage,
                "Definition": params.around.definition,
                "Width": result.width,
                "Height": result.height,
                "TotalCount": params.cells(),
                "ImagePathSet": result.sheets,
                "WebVttPath": result.index,
            })
        });
        let input = params.map_or_else(
            || item.clone(),
            |params| {
                let mut input = params.around.input(item, true);
                input["WebVttObjectName"] = json!(params.index);
                input
            },
        );
        outcome(step, task_failure).around(&input, output.as_ref(), step)
    }
}
