//! From `ComposeConfig` to a composition: every member is read or refused by name.

mod style;
mod target;

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, missing_parameter};
use mps_wire::types::{
    ComposeAudioItem, ComposeAudioOperation, ComposeEmptyItem, ComposeImageItem, ComposeImageOperation,
    ComposeMediaConfig, ComposeMediaItem, ComposeMediaTrack, ComposeSourceMedia, ComposeSubtitleItem,
    ComposeTrackTime, ComposeTransitionItem, ComposeVideoItem,
};

use super::params::{Compose, Element, Item, Look, Part, Style, Title, Track, Transition, Turn};
use super::timeline::{Source, lay};
use super::transitions;
use super::words::{Measure, Moment, time_us};
use crate::edit::from_wire::check_encoders;
use crate::fonts;
use crate::plan::Build;

/// Tracks, and elements of all of them; ours, as the API names no limit.
const TRACKS: usize = 20;
const ITEMS: usize = 200;
/// Elements made of media: each is an input of its own.
const MEDIA: usize = 60;
/// Characters of a text, and of the id of a style.
const TEXT_CHARS: usize = 1_000;
const ID_CHARS: usize = 32;
/// How long an element without a length is seen.
const USUAL_US: i64 = 1_000_000;

type Checked<T> = Result<T, ApiError>;

/// Checks a composition of the media with these ids.
///
/// # Errors
/// The API's own codes, each naming the member.
pub(in crate::edit) fn from_wire(
    config: &ComposeMediaConfig,
    ids: &[&str],
    build: &Build,
) -> Checked<Compose> {
    let ComposeMediaConfig { target_info, canvas, styles, tracks } = config;
    let target = target::target(&target_info.clone().unwrap_or_default())?;
    let (width, height, color) = target::canvas(&canvas.clone().unwrap_or_default())?;
    let styles = style::styles(styles.as_deref().unwrap_or_default())?;
    let tracks = self::tracks(tracks.as_deref().unwrap_or_default(), ids, &styles, build)?;
    let compose = Compose { width, height, color, tracks, ..target };
    if compose.has_video {
        check_encoders(&["libx264"], build)?;
    }
    if compose.has_audio {
        check_encoders(&[compose.sound.codec.encoder()], build)?;
    }
    check_times(&compose)?;
    Ok(compose)
}

fn wrong(path: &str, why: impl std::fmt::Display) -> ApiError {
    invalid_parameter_value(format!("`{path}` {why}"))
}

fn measure(path: &str, text: Option<&str>) -> Checked<Option<Measure>> {
    match text.filter(|text| !text.is_empty()) {
        // A plain 0 is a length without a unit as well.
        None | Some("0") => Ok(None),
        Some(text) => Measure::parse(text).map(Some).ok_or_else(|| {
            wrong(
                path,
                format!("is a length such as 10% (at most 1000%) or 100px (at most 8192px), not {text:?}"),
            )
        }),
    }
}

fn time(path: &str, text: Option<&str>) -> Checked<Option<i64>> {
    match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => {
            let told = || wrong(path, format!("is a time such as 3.5s (at most a day), not {text:?}"));
            time_us(text).map(Some).ok_or_else(told)
        }
    }
}

/// A length of time; none at all is refused.
fn length(path: &str, text: Option<&str>) -> Checked<Option<i64>> {
    match time(path, text)? {
        Some(0) => Err(wrong(path, "is longer than 0s")),
        other => Ok(other),
    }
}

fn tracks(
    tracks: &[ComposeMediaTrack],
    ids: &[&str],
    styles: &[(String, Style)],
    build: &Build,
) -> Checked<Vec<Track>> {
    if tracks.is_empty() {
        return Err(missing_parameter("`ComposeConfig.Tracks` is required"));
    }
    if tracks.len() > TRACKS {
        return Err(wrong("ComposeConfig.Tracks", format!("has at most {TRACKS} tracks")));
    }
    let count = |items: &ComposeMediaTrack| items.items.as_ref().map_or(0, Vec::len);
    if tracks.iter().map(count).sum::<usize>() > ITEMS {
        return Err(wrong("ComposeConfig.Tracks", format!("has at most {ITEMS} elements")));
    }
    let mut media = 0;
    let mut checked = Vec::new();
    for (nth, track) in tracks.iter().enumerate() {
        let ComposeMediaTrack { r#type, items } = track;
        let here = format!("ComposeConfig.Tracks.{nth}");
        let items = items.as_deref().unwrap_or_default();
        if items.is_empty() {
            return Err(missing_parameter(format!("`{here}.Items` is required")));
        }
        let reader = Reader { ids, styles, build, here: &here };
        let kind = r#type.as_deref().unwrap_or_default();
        checked.push(match kind {
            "Video" => Track::Video(reader.items(items, &["Video", "Image", "Transition", "Empty"])?),
            "Audio" => Track::Audio(reader.items(items, &["Audio", "Transition", "Empty"])?),
            "Title" => Track::Title(reader.titles(items)?),
            other => {
                return Err(wrong(
                    &format!("{here}.Type"),
                    format!("is Video, Audio or Title, not {other:?}"),
                ));
            }
        });
        media += items
            .iter()
            .filter(|item| matches!(item.r#type.as_deref(), Some("Video" | "Image" | "Audio")))
            .count();
    }
    if media > MEDIA {
        return Err(wrong("ComposeConfig.Tracks", format!("has at most {MEDIA} elements made of media")));
    }
    Ok(checked)
}

struct Reader<'a> {
    ids: &'a [&'a str],
    styles: &'a [(String, Style)],
    build: &'a Build,
    here: &'a str,
}

impl Reader<'_> {
    fn items(&self, items: &[ComposeMediaItem], allowed: &[&str]) -> Checked<Vec<Item>> {
        let of = |(nth, item)| self.item(item, allowed, &format!("{}.Items.{nth}", self.here));
        items.iter().enumerate().map(of).collect()
    }

    fn item(&self, item: &ComposeMediaItem, allowed: &[&str], here: &str) -> Checked<Item> {
        let kind = kind(item, allowed, here)?;
        let element = |element: Checked<Element>| element.map(|element| Item::Media(Box::new(element)));
        match kind {
            "Video" => element(self.video(of(item.video.as_ref(), here, kind)?, &format!("{here}.Video"))),
            "Image" => element(self.image(of(item.image.as_ref(), here, kind)?, &format!("{here}.Image"))),
            "Audio" => element(self.audio(of(item.audio.as_ref(), here, kind)?, &format!("{here}.Audio"))),
            "Transition" => {
                let usual = ComposeTransitionItem::default();
                let sent = item.transition.as_ref().unwrap_or(&usual);
                let is_video = allowed.contains(&"Video");
                transition(sent, is_video, &format!("{here}.Transition")).map(Item::Transition)
            }
            _ => {
                let ComposeEmptyItem { duration } = of(item.empty.as_ref(), here, kind)?;
                let path = format!("{here}.Empty.Duration");
                let sent = length(&path, duration.as_deref())?;
                let length_us = sent.ok_or_else(|| missing_parameter(format!("`{path}` is required")))?;
                Ok(Item::Empty { length_us })
            }
        }
    }

    fn titles(&self, items: &[ComposeMediaItem]) -> Checked<Vec<Title>> {
        let mut titles = Vec::new();
        for (nth, item) in items.iter().enumerate() {
            let here = format!("{}.Items.{nth}", self.here);
            let kind = kind(item, &["Subtitle"], &here)?;
            titles.push(self.title(of(item.subtitle.as_ref(), &here, kind)?, &format!("{here}.Subtitle"))?);
        }
        Ok(titles)
    }

    fn title(&self, item: &ComposeSubtitleItem, here: &str) -> Checked<Title> {
        let ComposeSubtitleItem { style_id, text, track_time } = item;
        let wanted = style_id.as_deref().unwrap_or_default();
        let style = self.styles.iter().find(|(id, _)| id == wanted);
        let (_, style) =
            style.ok_or_else(|| wrong(&format!("{here}.StyleId"), format!("names no style: {wanted:?}")))?;
        // Callers write the end of a line as two characters, too.
        let text = text.as_deref().unwrap_or_default().replace("\r\n", "\n").replace("\\n", "\n");
        let path = format!("{here}.Text");
        if text.trim().is_empty() {
            return Err(missing_parameter(format!("`{path}` is required")));
        }
        if text.chars().count() > TEXT_CHARS {
            return Err(wrong(&path, format!("has at most {TEXT_CHARS} characters")));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(wrong(&path, "contains a control character"));
        }
        let (start_us, length_us) = track_times(track_time.as_ref(), here)?;
        let parts = fonts::stretches(&style.font, &text, self.build)?;
        let part = |(family, text): (&str, &str)| Part { family: family.to_owned(), text: text.to_owned() };
        let parts = parts.into_iter().map(part).collect();
        Ok(Title { parts, style: style.clone(), start_us, length_us: length_us.unwrap_or(USUAL_US) })
    }

    fn video(&self, item: &ComposeVideoItem, here: &str) -> Checked<Element> {
        let ComposeVideoItem {
            source_media,
            track_time,
            x_pos,
            y_pos,
            width,
            height,
            image_operations,
            audio_operations,
        } = item;
        let look = look([x_pos, y_pos, width, height], image_operations.as_deref(), false, here)?;
        self.element(source_media.as_ref(), track_time.as_ref(), look, audio_operations.as_deref(), here)
    }

    fn image(&self, item: &ComposeImageItem, here: &str) -> Checked<Element> {
        let ComposeImageItem { source_media, track_time, x_pos, y_pos, width, height, image_operations } =
            item;
        let look = look([x_pos, y_pos, width, height], image_operations.as_deref(), true, here)?;
        self.element(source_media.as_ref(), track_time.as_ref(), look, None, here)
    }

    fn audio(&self, item: &ComposeAudioItem, here: &str) -> Checked<Element> {
        let ComposeAudioItem { source_media, track_time, audio_operations } = item;
        let look = look([&None; 4], None, false, here)?;
        self.element(source_media.as_ref(), track_time.as_ref(), look, audio_operations.as_deref(), here)
    }

    fn element(
        &self,
        media: Option<&ComposeSourceMedia>,
        track_time: Option<&ComposeTrackTime>,
        look: Look,
        sound: Option<&[ComposeAudioOperation]>,
        here: &str,
    ) -> Checked<Element> {
        let media = media.ok_or_else(|| missing_parameter(format!("`{here}.SourceMedia` is required")))?;
        let ComposeSourceMedia { file_id, start_time, end_time } = media;
        let id = file_id.as_deref().unwrap_or_default();
        let file = self.ids.iter().position(|known| *known == id).ok_or_else(|| {
            wrong(&format!("{here}.SourceMedia.FileId"), format!("names no file of `FileInfos`: {id:?}"))
        })?;
        let moment = |name: &str, text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty())
        {
            None => Ok(None),
            Some(text) => Moment::parse(text).map(Some).ok_or_else(|| {
                let told = format!("is a moment such as 3.5s or 10%, not {text:?}");
                wrong(&format!("{here}.SourceMedia.{name}"), told)
            }),
        };
        let from = moment("StartTime", start_time)?.unwrap_or(Moment::Us(0));
        let to = moment("EndTime", end_time)?;
        let (start_us, length_us) = track_times(track_time, here)?;
        let volume = volume(sound.unwrap_or_default(), here)?;
        Ok(Element { file, from, to, start_us, length_us, look, volume })
    }
}

/// The element's type; members of other types are refused.
fn kind<'a>(item: &'a ComposeMediaItem, allowed: &[&str], here: &str) -> Checked<&'a str> {
    let ComposeMediaItem { r#type, video, audio, image, transition, subtitle, empty } = item;
    let kind = r#type.as_deref().unwrap_or_default();
    if !allowed.contains(&kind) {
        let told = format!("on this track is one of {}, not {kind:?}", allowed.join(", "));
        return Err(wrong(&format!("{here}.Type"), told));
    }
    let filled = [
        ("Video", video.is_some()),
        ("Audio", audio.is_some()),
        ("Image", image.is_some()),
        ("Transition", transition.is_some()),
        ("Subtitle", subtitle.is_some()),
        ("Empty", empty.is_some()),
    ];
    match filled.iter().find(|(name, is_filled)| *is_filled && *name != kind) {
        None => Ok(kind),
        Some((name, _)) => {
            Err(wrong(&format!("{here}.{name}"), format!("has no meaning for an element of type {kind}")))
        }
    }
}

fn of<'a, T>(member: Option<&'a T>, here: &str, name: &str) -> Checked<&'a T> {
    member.ok_or_else(|| missing_parameter(format!("`{here}.{name}` is required for this type")))
}

fn track_times(time: Option<&ComposeTrackTime>, here: &str) -> Checked<(Option<i64>, Option<i64>)> {
    let Some(ComposeTrackTime { start, duration }) = time else { return Ok((None, None)) };
    Ok((
        self::time(&format!("{here}.TrackTime.Start"), start.as_deref())?,
        length(&format!("{here}.TrackTime.Duration"), duration.as_deref())?,
    ))
}

fn look(
    [x, y, width, height]: [&Option<String>; 4],
    turns: Option<&[ComposeImageOperation]>,
    is_image: bool,
    here: &str,
) -> Checked<Look> {
    let middle = Measure::Percent(50.0);
    let position = |name: &str, text: &Option<String>| match text.as_deref() {
        // Unlike a size, a position may be 0.
        Some("0" | "0px" | "0%") => Ok(Measure::Pixels(0.0)),
        text => Ok(measure(&format!("{here}.{name}"), text)?.unwrap_or(middle)),
    };
    let side = |name: &str, text: &Option<String>| -> Checked<Option<Measure>> {
        Ok(measure(&format!("{here}.{name}"), text.as_deref())?.filter(|side| !side.is_zero()))
    };
    let turn = |(nth, operation)| self::turn(operation, &format!("{here}.ImageOperations.{nth}"));
    Ok(Look {
        is_image,
        x: position("XPos", x)?,
        y: position("YPos", y)?,
        width: side("Width", width)?,
        height: side("Height", height)?,
        turns: turns.unwrap_or_default().iter().enumerate().map(turn).collect::<Checked<_>>()?,
    })
}

fn turn(operation: &ComposeImageOperation, here: &str) -> Checked<Turn> {
    let ComposeImageOperation { r#type, rotate_angle, flip_type } = operation;
    match r#type.as_deref().unwrap_or_default() {
        "Rotate" => {
            let path = format!("{here}.RotateAngle");
            let angle = rotate_angle.ok_or_else(|| missing_parameter(format!("`{path}` is required")))?;
            if !(0.0..=360.0).contains(&angle) {
                return Err(wrong(&path, format!("is 0 to 360 degrees, not {angle}")));
            }
            Ok(Turn::Rotate(angle))
        }
        "Flip" => match flip_type.as_deref().unwrap_or_default() {
            "Horizental" => Ok(Turn::Mirror),
            "Vertical" => Ok(Turn::Flip),
            other => {
                Err(wrong(&format!("{here}.FlipType"), format!("is Horizental or Vertical, not {other:?}")))
            }
        },
        other => Err(wrong(&format!("{here}.Type"), format!("is Rotate or Flip, not {other:?}"))),
    }
}

fn volume(operations: &[ComposeAudioOperation], here: &str) -> Checked<f64> {
    let mut whole = 1.0;
    for (nth, operation) in operations.iter().enumerate() {
        let ComposeAudioOperation { r#type, volume } = operation;
        let here = format!("{here}.AudioOperations.{nth}");
        match r#type.as_deref().unwrap_or_default() {
            "Volume" => {}
            other => return Err(wrong(&format!("{here}.Type"), format!("is Volume, not {other:?}"))),
        }
        let path = format!("{here}.Volume");
        let volume = volume.ok_or_else(|| missing_parameter(format!("`{path}` is required")))?;
        if !(0.0..=5.0).contains(&volume) {
            return Err(wrong(&path, format!("is 0 to 5, not {volume}")));
        }
        whole *= volume;
    }
    Ok(whole)
}

fn transition(item: &ComposeTransitionItem, is_video: bool, here: &str) -> Checked<Transition> {
    let ComposeTransitionItem { duration, transitions } = item;
    let path = format!("{here}.Duration");
    let sent = time(&path, duration.as_deref())?.unwrap_or(USUAL_US);
    let whole_us = sent / 1_000_000 * 1_000_000;
    if whole_us == 0 {
        return Err(wrong(&path, "is at least 1s: it is counted in whole seconds"));
    }
    let (mut picture, mut fades_sound) = (None, false);
    let operations = transitions.as_deref().unwrap_or_default();
    for (nth, operation) in operations.iter().enumerate() {
        let word = operation.r#type.as_deref().unwrap_or_default();
        let path = format!("{here}.Transitions.{nth}.Type");
        match word {
            transitions::SOUND if fades_sound => return Err(wrong(&path, "is the second for the sound")),
            transitions::SOUND => fades_sound = true,
            word if !transitions::is_known(word) => {
                return Err(wrong(&path, format!("names no transition: {word:?}")));
            }
            _ if !is_video => {
                return Err(wrong(&path, format!("is {} on a track of sound", transitions::SOUND)));
            }
            _ if picture.is_some() => return Err(wrong(&path, "is the second for the pictures")),
            word => picture = Some(word.to_owned()),
        }
    }
    if operations.is_empty() {
        picture = is_video.then(|| transitions::USUAL.to_owned());
        fades_sound = true;
    }
    Ok(Transition { length_us: whole_us, picture, fades_sound })
}

/// Whether elements overlap, as far as that is known without their media.
fn check_times(compose: &Compose) -> Checked<()> {
    for (nth, track) in compose.tracks.iter().enumerate() {
        lay(track, |_| Source::Unknown).map_err(|clash| invalid_parameter_value(clash.told(nth)))?;
    }
    Ok(())
}
