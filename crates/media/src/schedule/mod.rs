//! Orchestrations: activities in a graph, each of which reads what the one before it made.
//!
//! A graph begins with one `input`, branches as it likes and comes together in `output` alone: where two branches met
//! in an activity, it would have two media to read. An activity that makes no film, such as a snapshot, hands on what
//! it read itself.

pub mod graph;

pub use graph::{Graph, Node};

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, invalid_parameter_value_name};

/// The family under which orchestrations are stored.
pub const STORED_AS: &str = "schedule";
/// The first number of an account's own ones; the console shows numbers of five digits.
pub const FIRST: i64 = 20_001;
/// The most that an account may have.
pub const MOST: usize = 1_000;
/// The longest name, in characters.
pub const MOST_NAME: usize = 128;

/// Checks a name: letters of any script, digits, underscores and hyphens.
///
/// # Errors
/// `InvalidParameterValue.Name`.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    let is_known = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let length = name.chars().count();
    if length == 0 || length > MOST_NAME {
        let told = format!("`ScheduleName` has 1 to {MOST_NAME} characters, not {length}");
        return Err(invalid_parameter_value_name(told));
    }
    match name.chars().find(|c| !is_known(*c)) {
        Some(odd) => Err(invalid_parameter_value_name(format!(
            "`ScheduleName` consists of letters, digits, `_` and `-`, and has {odd:?}"
        ))),
        None => Ok(()),
    }
}

/// What starts an orchestration, as its trigger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formats(Option<Vec<String>>);

/// What starts one where the trigger names no formats.
const USUAL: &[&str] = &[
    "mp4", "ts", "flv", "wmv", "asf", "rm", "rmvb", "mpg", "mpeg", "3gp", "mov", "webm", "mkv", "avi", "m4v",
    "mp3", "m4a", "flac", "ogg", "wav", "amr", "aac", "vtt", "srt",
];
const LONGEST_FORMAT: usize = 64;

impl Formats {
    /// Reads the list of a trigger: extensions with or without their dot, `*` for any file; an empty list is the usual
    /// media.
    ///
    /// # Errors
    /// `InvalidParameterValue` naming `path`.
    pub fn read(path: &str, list: &[String]) -> Result<Self, ApiError> {
        let mut formats = Vec::with_capacity(list.len());
        for text in list {
            if text == "*" {
                return Ok(Self(None));
            }
            let bare = text.strip_prefix('.').unwrap_or(text);
            let is_sound =
                (1..=LONGEST_FORMAT).contains(&bare.len()) && bare.chars().all(|c| c.is_ascii_alphanumeric());
            if !is_sound {
                return Err(invalid_parameter_value(format!(
                    "`{path}`: {text:?} is not an extension of 1 to {LONGEST_FORMAT} letters and digits"
                )));
            }
            formats.push(bare.to_ascii_lowercase());
        }
        if formats.is_empty() {
            formats = USUAL.iter().map(|format| (*format).to_owned()).collect();
        }
        Ok(Self(Some(formats)))
    }

    /// Whether a file of this key starts it.
    pub fn fit(&self, key: &str) -> bool {
        let Some(formats) = &self.0 else { return true };
        let file = key.rsplit('/').next().unwrap_or(key);
        let Some((_, extension)) = file.rsplit_once('.') else { return false };
        formats.iter().any(|format| format.eq_ignore_ascii_case(extension))
    }
}

/// Whether `key` lies in the directory `dir` of a trigger, at any depth; an empty `dir` is the whole bucket.
pub fn is_below(dir: &str, key: &str) -> bool {
    key.trim_start_matches('/').starts_with(dir.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_letters_of_any_script() {
        for good in ["a", "转码-1", "Évaluation_2", &"字".repeat(128)] {
            check_name(good).unwrap();
        }
        for bad in ["", "a b", "a/b", "x!", &"a".repeat(129)] {
            assert_eq!(check_name(bad).unwrap_err().code, "InvalidParameterValue.Name", "{bad}");
        }
    }

    #[test]
    fn formats_come_with_or_without_dots() {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let some = Formats::read("F", &list(&[".mp4", "MKV"])).unwrap();
        assert!(some.fit("a/b.mp4") && some.fit("b.MP4") && some.fit("b.mkv"));
        assert!(!some.fit("b.mov") && !some.fit("mp4") && !some.fit("dir.mp4/file"));
        let usual = Formats::read("F", &[]).unwrap();
        assert!(usual.fit("a.mov") && usual.fit("a.srt") && !usual.fit("a.txt") && !usual.fit("a"));
        let any = Formats::read("F", &list(&["mp4", "*"])).unwrap();
        assert!(any.fit("a.txt") && any.fit("a"));
        for bad in ["", ".", "a.b", "mp 4"] {
            assert_eq!(Formats::read("F", &list(&[bad])).unwrap_err().code, "InvalidParameterValue", "{bad}");
        }
    }

    #[test]
    fn a_directory_holds_what_lies_below_it() {
        assert!(is_below("/input/", "input/a.mp4") && is_below("/input/", "input/deep/a.mp4"));
        assert!(!is_below("/input/", "other/a.mp4") && !is_below("/input/", "input.mp4"));
        assert!(is_below("", "a.mp4") && is_below("/", "x/a.mp4"));
    }
}
