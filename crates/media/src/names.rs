//! Names of outputs: patterns with variables such as `{inputName}_{definition}.{format}`, and the keys they give.
//!
//! A pattern is checked when the request comes and rendered when the output is written. A key is always
//! absolute (it begins with `/`), never contains `.` or `..` as a step, an empty step or a control character,
//! and never escapes its bucket: what the source's own name brings in is checked like the rest.

use mps_core::Error;
use serde::{Deserialize, Serialize};

/// The longest pattern that is accepted, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1024;
/// The longest key that is written, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;

/// A word that may stand in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Variable {
    /// `{inputName}`: the source's file name without its extension.
    InputName,
    /// `{inputFormat}`: the source's extension.
    InputFormat,
    /// `{definition}`: the number of the template.
    Definition,
    /// `{format}`: the extension of the output.
    Format,
    /// `{number}`: the number of a file among several.
    Number,
    /// `{subStreamNumber}`: the number of a rendition.
    SubStreamNumber,
    /// `{segmentNumber}`: the number of a segment.
    SegmentNumber,
    /// `{taskId}`: the public id of the task.
    TaskId,
    /// `{rand}`: a random word.
    Rand,
    /// `{streamId}`: the name of a live stream.
    StreamId,
}

const WORDS: &[(&str, Variable)] = &[
    ("inputName", Variable::InputName),
    ("inputFormat", Variable::InputFormat),
    ("definition", Variable::Definition),
    ("format", Variable::Format),
    ("number", Variable::Number),
    ("subStreamNumber", Variable::SubStreamNumber),
    ("segmentNumber", Variable::SegmentNumber),
    ("taskId", Variable::TaskId),
    ("rand", Variable::Rand),
    ("streamId", Variable::StreamId),
];

impl Variable {
    /// The word in braces.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(_, v)| *v == self).map_or("", |(word, _)| word)
    }

    fn from_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(w, _)| *w == word).map(|(_, v)| *v)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(Variable),
}

/// A checked pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

/// What the variables stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// The source's file name without its extension.
    pub input_name: &'a str,
    /// The source's extension.
    pub input_format: &'a str,
    /// The number of the template.
    pub definition: i64,
    /// The extension of the output.
    pub format: &'a str,
    /// The formatted number, see [`NumberFormat::show`].
    pub number: &'a str,
    /// The formatted number of the rendition.
    pub sub_stream_number: &'a str,
    /// The formatted number of the segment.
    pub segment_number: &'a str,
    /// The public id of the task.
    pub task_id: &'a str,
    /// A random word.
    pub rand: &'a str,
    /// The name of a live stream.
    pub stream_id: &'a str,
}

impl Pattern {
    /// Reads a pattern that may use the `allowed` variables.
    ///
    /// # Errors
    /// `InvalidInput` with a sentence for the caller when the pattern is empty or too long, names an unknown or
    /// unavailable variable, leaves a brace open, contains a control character, an empty step, `.` or `..`.
    pub fn parse(text: &str, allowed: &[Variable]) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::invalid("the path is empty"));
        }
        if text.len() > MAX_PATTERN_BYTES {
            return Err(Error::invalid(format!("the path is longer than {MAX_PATTERN_BYTES} bytes")));
        }
        check_steps(text)?;
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(open);
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let Some(body) = after.strip_prefix('{') else {
                return Err(Error::invalid("a closing brace without an opening one"));
            };
            let Some(close) = body.find('}') else {
                return Err(Error::invalid("an opening brace without a closing one"));
            };
            let word = &body[..close];
            match Variable::from_word(word) {
                Some(variable) if allowed.contains(&variable) => pieces.push(Piece::Variable(variable)),
                Some(_) => return Err(Error::invalid(format!("{{{word}}} is not available here"))),
                None => return Err(Error::invalid(format!("{{{word}}} is not a known variable"))),
            }
            rest = &body[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    /// Whether the pattern begins with `/`.
    pub fn is_absolute(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Text(text)) if text.starts_with('/'))
    }

    /// Whether the pattern uses `variable`.
    pub fn uses(&self, variable: Variable) -> bool {
        self.pieces.contains(&Piece::Variable(variable))
    }

    /// The pattern with its variables replaced, in one pass: a value with braces is not read again.
    pub fn render(&self, values: &Values<'_>) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(Variable::InputName) => out.push_str(values.input_name),
                Piece::Variable(Variable::InputFormat) => out.push_str(values.input_format),
                Piece::Variable(Variable::Definition) => out.push_str(&values.definition.to_string()),
                Piece::Variable(Variable::Format) => out.push_str(values.format),
                Piece::Variable(Variable::Number) => out.push_str(values.number),
                Piece::Variable(Variable::SubStreamNumber) => out.push_str(values.sub_stream_number),
                Piece::Variable(Variable::SegmentNumber) => out.push_str(values.segment_number),
                Piece::Variable(Variable::TaskId) => out.push_str(values.task_id),
                Piece::Variable(Variable::Rand) => out.push_str(values.rand),
                Piece::Variable(Variable::StreamId) => out.push_str(values.stream_id),
            }
        }
        out
    }

    /// The key of an output: [`Pattern::render`], with the extension appended where the pattern does not end
    /// with it, below `directory` (which begins and ends with `/`) unless the pattern is absolute.
    ///
    /// # Errors
    /// `InvalidInput` when what the variables brought in makes the key unsafe or too long.
    pub fn key(&self, directory: &str, values: &Values<'_>) -> Result<String, Error> {
        let mut name = self.render(values);
        let extension = format!(".{}", values.format);
        if !values.format.is_empty() && !name.ends_with(&extension) {
            name.push_str(&extension);
        }
        let key = if name.starts_with('/') { name } else { format!("{directory}{name}") };
        check_steps(&key)?;
        if key.len() > MAX_KEY_BYTES {
            return Err(Error::invalid(format!("the output's name is longer than {MAX_KEY_BYTES} bytes")));
        }
        Ok(key)
    }
}

/// Refuses control characters, empty steps, `.`, `..` and a path that ends with `/`.
fn check_steps(path: &str) -> Result<(), Error> {
    if path.chars().any(char::is_control) {
        return Err(Error::invalid("the path contains a control character"));
    }
    let steps = path.strip_prefix('/').unwrap_or(path);
    for step in steps.split('/') {
        match step {
            "" => return Err(Error::invalid("the path contains an empty step")),
            "." | ".." => return Err(Error::invalid(format!("the path contains {step:?}"))),
            _ => {}
        }
    }
    Ok(())
}

/// Checks a directory of outputs: it begins and ends with `/` and is as safe as a key.
///
/// # Errors
/// `InvalidInput` with a sentence for the caller.
pub fn check_directory(directory: &str) -> Result<(), Error> {
    if !directory.starts_with('/') || !directory.ends_with('/') {
        return Err(Error::invalid("the directory must begin and end with \"/\""));
    }
    if directory.len() > MAX_PATTERN_BYTES {
        return Err(Error::invalid(format!("the directory is longer than {MAX_PATTERN_BYTES} bytes")));
    }
    match directory.trim_end_matches('/') {
        "" if directory == "/" => Ok(()),
        _ => check_steps(&directory[..directory.len() - 1]),
    }
}

/// How `{number}` is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberFormat {
    /// The first number.
    pub initial: u64,
    /// The step from one number to the next; at least 1.
    pub increment: u64,
    /// The least number of characters; at most [`NumberFormat::MAX_LENGTH`].
    pub min_length: u64,
    /// What fills a short number from the left.
    pub placeholder: String,
}

impl Default for NumberFormat {
    fn default() -> Self {
        Self { initial: 0, increment: 1, min_length: 1, placeholder: "0".to_owned() }
    }
}

impl NumberFormat {
    /// The largest `min_length`.
    pub const MAX_LENGTH: u64 = 64;

    /// Refuses what could not name different files.
    ///
    /// # Errors
    /// `InvalidInput` for a step of 0, a length over [`NumberFormat::MAX_LENGTH`], numbers over 2^53, or a
    /// placeholder that is empty, a path or a control character.
    pub fn check(&self) -> Result<(), Error> {
        const LARGEST: u64 = 1 << 53;
        const LARGEST_STEP: u64 = 1 << 32;
        if self.increment == 0 {
            return Err(Error::invalid("Increment must be at least 1"));
        }
        if self.initial > LARGEST || self.increment > LARGEST_STEP {
            return Err(Error::invalid("InitialValue must be at most 2^53, Increment at most 2^32"));
        }
        if self.min_length > Self::MAX_LENGTH {
            return Err(Error::invalid(format!("MinLength must be at most {}", Self::MAX_LENGTH)));
        }
        let unsafe_text = |c: char| c.is_control() || matches!(c, '/' | '\\' | '{' | '}');
        // Two numbers must never look alike.
        let is_digit = |c: char| c.is_ascii_digit() && c != '0';
        if self.placeholder.is_empty()
            || self.placeholder.contains(is_digit)
            || self.placeholder.chars().count() > 8
            || self.placeholder.contains(unsafe_text)
        {
            return Err(Error::invalid(
                "PlaceHolder must be 1 to 8 characters, without \"/\", braces or digits other than 0",
            ));
        }
        Ok(())
    }

    /// The text of the `nth` file, counted from 0.
    pub fn show(&self, nth: u64) -> String {
        let number = self.initial.saturating_add(self.increment.saturating_mul(nth)).to_string();
        let missing = usize::try_from(self.min_length).unwrap_or(0).saturating_sub(number.len());
        let mut out: String = self.placeholder.chars().cycle().take(missing).collect();
        out.push_str(&number);
        out
    }
}

/// What the source's address gives to names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceName {
    /// Directory of the source, beginning and ending with `/`.
    pub directory: String,
    /// File name without extension; never empty.
    pub name: String,
    /// Extension without the dot; empty when there is none.
    pub format: String,
}

impl SourceName {
    /// Of a key in a bucket, with or without a leading `/`.
    pub fn from_key(key: &str) -> Self {
        let key = key.trim_start_matches('/');
        let (directory, file) = key.rsplit_once('/').unwrap_or(("", key));
        Self::build(directory.split('/'), file)
    }

    /// Of a URL: the path alone counts, percent signs decoded, a `/` inside a step replaced.
    pub fn from_url(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let path = path.split_once('/').map_or("", |(_, path)| path);
        let steps: Vec<String> = path.split('/').map(percent_decode).collect();
        let (file, directory) = steps.split_last().map_or(("", &[][..]), |(f, d)| (f.as_str(), d));
        Self::build(directory.iter().map(String::as_str), file)
    }

    fn build<'a>(directory: impl Iterator<Item = &'a str>, file: &str) -> Self {
        let mut path = "/".to_owned();
        for step in directory.filter(|step| !matches!(*step, "" | "." | "..")) {
            path.push_str(&clean(step));
            path.push('/');
        }
        let (name, format) = match file.rsplit_once('.') {
            Some((name, format)) if !name.is_empty() => (clean(name), clean(format)),
            _ => (clean(file), String::new()),
        };
        let name = if matches!(name.as_str(), "" | "." | "..") { "input".to_owned() } else { name };
        Self { directory: path, name, format }
    }
}

fn clean(step: &str) -> String {
    step.chars().map(|c| if c.is_control() || c == '/' { '_' } else { c }).collect()
}

fn percent_decode(step: &str) -> String {
    let bytes = step.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOD: &[Variable] = &[
        Variable::InputName,
        Variable::InputFormat,
        Variable::Definition,
        Variable::Format,
        Variable::Number,
    ];

    fn key(pattern: &str, directory: &str) -> Result<String, Error> {
        let values = Values {
            input_name: "AnimalWorldE01",
            input_format: "mp4",
            definition: 100_010,
            format: "mp4",
            number: "0",
            ..Values::default()
        };
        Pattern::parse(pattern, VOD)?.key(directory, &values)
    }

    #[test]
    fn samples_of_the_documents_give_their_names() {
        assert_eq!(key("{inputName}_{definition}.{format}", "/").unwrap(), "/AnimalWorldE01_100010.mp4");
        assert_eq!(
            key("{inputName}_from_{inputFormat}_{number}", "/out/").unwrap(),
            "/out/AnimalWorldE01_from_mp4_0.mp4"
        );
    }

    #[test]
    fn an_absolute_path_overrides_the_directory_and_an_extension_is_not_doubled() {
        assert_eq!(key("/a/b/{inputName}.mp4", "/out/").unwrap(), "/a/b/AnimalWorldE01.mp4");
        assert_eq!(key("sub/x", "/out/").unwrap(), "/out/sub/x.mp4");
    }

    #[test]
    fn unsafe_or_unknown_patterns_are_refused() {
        let long = "x".repeat(MAX_PATTERN_BYTES + 1);
        for pattern in [
            "",
            "../../x.mp4",
            "a/../x",
            "./x",
            "{foo}.mp4",
            "{streamId}.mp4",
            "{inputName",
            "inputName}",
            "{}",
            "a//b",
            "a/",
            "/",
            "a\u{0}b",
            "a\nb",
            &long,
        ] {
            assert!(Pattern::parse(pattern, VOD).is_err(), "{pattern:?} was accepted");
        }
    }

    #[test]
    fn what_a_value_brings_in_is_checked_and_not_read_again() {
        let pattern = Pattern::parse("{inputName}", VOD).unwrap();
        let values = Values { input_name: "../../etc/passwd", ..Values::default() };
        assert!(pattern.key("/out/", &values).is_err());
        let values = Values { input_name: "{definition}", ..Values::default() };
        assert_eq!(pattern.key("/out/", &values).unwrap(), "/out/{definition}");
    }

    #[test]
    fn numbers_step_and_fill() {
        let format = NumberFormat { initial: 1, increment: 5, min_length: 3, placeholder: "0".to_owned() };
        assert_eq!([format.show(0), format.show(1), format.show(300)], ["001", "006", "1501"]);
        assert_eq!(NumberFormat::default().show(7), "7");
        assert!(NumberFormat { increment: 0, ..NumberFormat::default() }.check().is_err());
        assert!(NumberFormat { placeholder: "/".to_owned(), ..NumberFormat::default() }.check().is_err());
    }

    #[test]
    fn directories_begin_and_end_with_a_slash() {
        for good in ["/", "/output/", "/a/b c/"] {
            assert!(check_directory(good).is_ok(), "{good}");
        }
        for bad in ["", "output", "/output", "output/", "//", "/a//b/", "/../", "/a/./"] {
            assert!(check_directory(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_and_addresses_give_name_format_and_directory() {
        let of = |name: &str, format: &str, directory: &str| SourceName {
            directory: directory.to_owned(),
            name: name.to_owned(),
            format: format.to_owned(),
        };
        assert_eq!(SourceName::from_key("/video/123.mp4"), of("123", "mp4", "/video/"));
        assert_eq!(SourceName::from_key("video/a.b.ts"), of("a.b", "ts", "/video/"));
        assert_eq!(SourceName::from_key("noext"), of("noext", "", "/"));
        assert_eq!(SourceName::from_key(".mp4"), of(".mp4", "", "/"));
        assert_eq!(
            SourceName::from_url("https://h:8/a/%E4%B8%AD%20b%2Fc.mp4?x=/y.ts#z"),
            of("中 b_c", "mp4", "/a/")
        );
        assert_eq!(SourceName::from_url("http://h"), of("input", "", "/"));
        assert_eq!(SourceName::from_url("http://h/a/%2e%2e"), of("input", "", "/a/"));
        assert_eq!(SourceName::from_url("http://h/%zz%4.mov"), of("%zz%4", "mov", "/"));
    }
}
