//! Files of the caller's that become tracks of an output: sound and subtitles.

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, missing_parameter, unsupported_operation, value_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::item::Given;
use crate::plan::{Arg, Command, Convert, Extra, Fetch, Into};

/// Most files of sound and of subtitles; ours, as the API names no limit.
const MOST: usize = 20;
/// The most bytes of a file with subtitles.
const MOST_CAPTIONS_BYTES: u64 = 20 << 20;
/// The most bytes of a file with sound.
const MOST_SOUND_BYTES: u64 = 4 << 30;

/// A file of the caller's that becomes a track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Added {
    /// Where it is: the API's `MediaInputInfo`, checked.
    pub input: Value,
    /// Its place in the request, such as `AddOnSubtitles.0`.
    pub path: String,
    /// What a player calls it; empty leaves it to us.
    pub name: String,
    /// Its language; empty is unknown.
    pub language: String,
    /// Whether it is played unless another is chosen.
    pub is_default: bool,
}

/// A list of a request and what its members are called.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// The structure that has the list.
    pub holder: &'a Value,
    /// Its path from the item down, ending in `.`, or empty.
    pub above: &'a str,
    /// The list's name.
    pub list: &'a str,
    /// The member that names the file; empty when the whole member does.
    pub input: &'a str,
    /// The member with the name, and that with the language; empty when there is none.
    pub labels: (&'a str, &'a str),
}

/// Files of a list, each with its input as the call checked it.
///
/// # Errors
/// `InvalidParameterValue` and `MissingParameter` naming the member below `here`.
pub fn read(of: List<'_>, given: &[Given], here: &str) -> Result<Vec<Added>, ApiError> {
    let list = of.holder[of.list].as_array().map(Vec::as_slice).unwrap_or_default();
    let here = format!("{here}.{}{}", of.above, of.list);
    if list.len() > MOST {
        return Err(invalid_parameter_value(format!("{here} has {} files; {MOST} is the most", list.len())));
    }
    let (name, language) = of.labels;
    let mut all: Vec<Added> = Vec::new();
    for (nth, file) in list.iter().enumerate() {
        let place = format!("{}.{nth}", of.list);
        let here = format!("{here}.{nth}");
        let path = format!("{}{place}", of.above);
        let path = if of.input.is_empty() { path } else { format!("{path}.{}", of.input) };
        let checked = given.iter().find(|found| found.path == path);
        let checked = checked.ok_or_else(|| missing_parameter(format!("{here}.{} is required", of.input)))?;
        all.push(Added {
            input: checked.input.clone(),
            path: place,
            name: label(&file[name], name, 64, &here)?,
            language: label(&file[language], language, 16, &here)?,
            is_default: file["DefaultTrack"] == true,
        });
    }
    if all.iter().filter(|file| file.is_default).count() > 1 {
        let told = format!("{here} has several files with DefaultTrack; it can have one");
        return Err(value_of("DefaultTrack", told));
    }
    Ok(all)
}

fn label(value: &Value, name: &str, most: usize, here: &str) -> Result<String, ApiError> {
    let text = value.as_str().unwrap_or_default();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(invalid_parameter_value(format!(
            "{here}.{name} is longer than {most} characters or holds a control character"
        )));
    }
    if name.ends_with("Language") && !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(invalid_parameter_value(format!("{here}.{name} {text:?} is no code of a language")));
    }
    Ok(text.to_owned())
}

/// Files of `AddOnSubtitles` in `holder`, whose path from the item down is `above`.
///
/// # Errors
/// As for [`read`]; `UnsupportedOperation` for captions inside of the pictures and for TTML.
pub fn captions(holder: &Value, above: &str, given: &[Given], here: &str) -> Result<Vec<Added>, ApiError> {
    for (nth, file) in holder["AddOnSubtitles"].as_array().into_iter().flatten().enumerate() {
        let here = format!("{here}.{above}AddOnSubtitles.{nth}");
        match file["Type"].as_str().unwrap_or_default() {
            "" | "subtitle-stream" => {}
            kind @ ("close-caption-708" | "close-caption-608") => {
                let told = format!(
                    "{here}.Type {kind} cannot be written: no encoder here makes captions of a text; take subtitle-stream"
                );
                return Err(unsupported_operation(told));
            }
            other => {
                let told = format!(
                    "{here}.Type {other:?} is not one of subtitle-stream, close-caption-708, close-caption-608"
                );
                return Err(invalid_parameter_value(told));
            }
        }
        match file["OutputFormat"].as_str().unwrap_or_default() {
            "" | "WebVTT" => {}
            "TTML" => {
                let told = format!("{here}.OutputFormat TTML is not built yet: take WebVTT");
                return Err(unsupported_operation(told));
            }
            other => {
                let told = format!("{here}.OutputFormat {other:?} is not one of WebVTT, TTML");
                return Err(invalid_parameter_value(told));
            }
        }
    }
    let labels = ("SubtitleName", "SubtitleLanguage");
    read(List { holder, above, list: "AddOnSubtitles", input: "Subtitle", labels }, given, here)
}

/// Names of files in the job's folder.
pub fn sound_file(nth: usize) -> String {
    format!("given-sound-{nth}")
}

fn given_captions(nth: usize) -> String {
    format!("given-captions-{nth}")
}

/// Subtitles of a kind that ffmpeg knows.
fn plain_captions(nth: usize) -> String {
    format!("plain-captions-{nth}")
}

/// Subtitles as WebVTT.
pub fn captions_file(nth: usize) -> String {
    format!("captions-{nth}.vtt")
}

/// The files to be there.
pub fn fetches(sounds: &[Added], captions: &[Added]) -> impl Iterator<Item = Fetch> {
    let fetch = |file: String, added: &Added, most_bytes| Fetch {
        from: Extra::Input(added.input.clone()),
        file,
        name: added.path.clone(),
        most_bytes,
    };
    let sounds = sounds.iter().enumerate();
    let sounds = sounds.map(move |(nth, added)| fetch(sound_file(nth), added, MOST_SOUND_BYTES));
    let captions = captions.iter().enumerate();
    sounds.chain(captions.map(move |(nth, added)| fetch(given_captions(nth), added, MOST_CAPTIONS_BYTES)))
}

/// What makes them ready, each told by its own name when it fails.
pub fn prepared(sounds: &[Added], captions: &[Added]) -> impl Iterator<Item = Command> {
    let prepare = |added: &Added, file: String, words: &[&str], made: Arg| {
        let mut args = vec![Arg::from("-i"), Arg::File(file)];
        args.extend(words.iter().map(|word| Arg::from(*word)));
        args.push(made);
        Command { prepares: Some(added.path.clone()), ..Command::ffmpeg(args, 0) }
    };
    let sounds = sounds.iter().enumerate().map(move |(nth, added)| {
        let words = ["-map", "0:a:0", "-frames:a", "1", "-f", "null"];
        prepare(added, sound_file(nth), &words, Arg::from("-"))
    });
    sounds.chain(captions.iter().enumerate().map(move |(nth, added)| {
        let words = ["-map", "0:s:0", "-c:s", "webvtt", "-f", "webvtt"];
        let convert = Convert {
            from: given_captions(nth),
            to: plain_captions(nth),
            into: Into::Plainer,
            shift_us: 0,
            window_us: None,
            name: added.path.clone(),
        };
        let command = prepare(added, plain_captions(nth), &words, Arg::File(captions_file(nth)));
        Command { convert: vec![convert], ..command }
    }))
}
