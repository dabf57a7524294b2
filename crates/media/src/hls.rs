//! HLS media playlists: reading what ffmpeg wrote, joining and renaming segments, writing the playlist that is
//! published. Pure text; time is in microseconds and is never rounded away: the sum of the durations stays.

use std::fmt::Write as _;

use mps_core::Error;
use serde::{Deserialize, Serialize};

use crate::names::{NumberFormat, Pattern, Values, Variable};
use crate::plan::Role;

/// A stretch of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}

/// A segment as it stands in a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Length in microseconds.
    pub duration_us: i64,
    /// Address, as written.
    pub uri: String,
    /// Stretch of the file; `None` is the whole file.
    pub range: Option<ByteRange>,
    /// Whether the timeline or the coding breaks before it.
    pub is_discontinuity: bool,
}

/// A header that all segments share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// Address, as written.
    pub uri: String,
    /// Stretch of the file; `None` is the whole file.
    pub range: Option<ByteRange>,
}

/// A media playlist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Playlist {
    /// The shared header.
    pub init: Option<Init>,
    /// In order of time.
    pub segments: Vec<Segment>,
    /// Whether nothing will be added.
    pub is_ended: bool,
}

impl Playlist {
    /// Reads a media playlist; tags that do not matter to files and time are passed over.
    ///
    /// # Errors
    /// `InvalidInput` when it is not a media playlist or a number in it cannot be read.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        if lines.next() != Some("#EXTM3U") {
            return Err(Error::invalid("not a playlist: it does not begin with #EXTM3U"));
        }
        let mut playlist = Self::default();
        let (mut duration_us, mut range, mut is_discontinuity) = (None, None, false);
        let mut ends: Vec<(String, u64)> = Vec::new();
        for line in lines {
            if let Some(value) = line.strip_prefix("#EXTINF:") {
                duration_us = Some(seconds(value.split(',').next().unwrap_or_default())?);
            } else if let Some(value) = line.strip_prefix("#EXT-X-BYTERANGE:") {
                range = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("#EXT-X-MAP:") {
                playlist.init = Some(parse_map(value)?);
            } else if line.starts_with("#EXT-X-STREAM-INF") {
                return Err(Error::invalid("a list of playlists, where a list of segments was expected"));
            } else if line == "#EXT-X-DISCONTINUITY" {
                is_discontinuity = true;
            } else if line == "#EXT-X-ENDLIST" {
                playlist.is_ended = true;
            } else if !line.starts_with('#') {
                let Some(duration_us) = duration_us.take() else {
                    return Err(Error::invalid(format!("segment {line:?} has no #EXTINF")));
                };
                let previous = ends.iter().position(|(uri, _)| uri == line);
                let range = match range.take() {
                    Some(text) => Some(byte_range(&text, previous.map(|at| ends[at].1))?),
                    None => None,
                };
                if let Some(range) = range {
                    let end = range.offset + range.length;
                    match previous {
                        Some(at) => ends[at].1 = end,
                        None => ends.push((line.to_owned(), end)),
                    }
                }
                let uri = line.to_owned();
                playlist.segments.push(Segment { duration_us, uri, range, is_discontinuity });
                is_discontinuity = false;
            }
        }
        Ok(playlist)
    }

    /// The playlist as text, for video on demand. `independent` says that each segment begins with a key frame.
    pub fn write(&self, independent: bool) -> String {
        let ranged = self.segments.iter().any(|s| s.range.is_some());
        let version = match (&self.init, ranged) {
            (Some(_), _) => 7,
            (None, true) => 4,
            (None, false) => 3,
        };
        let version = if independent { version.max(6) } else { version };
        let longest = self.segments.iter().map(|s| s.duration_us).max().unwrap_or(0);
        let target = ((longest + 500_000) / 1_000_000).max(1);
        let mut out = format!(
            "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        );
        if independent {
            out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
        if let Some(init) = &self.init {
            let range = init.range.map(|r| format!(",BYTERANGE=\"{}@{}\"", r.length, r.offset));
            let _ = writeln!(out, "#EXT-X-MAP:URI=\"{}\"{}", init.uri, range.unwrap_or_default());
        }
        for segment in &self.segments {
            if segment.is_discontinuity {
                out.push_str("#EXT-X-DISCONTINUITY\n");
            }
            let (whole, part) = (segment.duration_us / 1_000_000, segment.duration_us % 1_000_000);
            let _ = writeln!(out, "#EXTINF:{whole}.{part:06},");
            if let Some(range) = segment.range {
                let _ = writeln!(out, "#EXT-X-BYTERANGE:{}@{}", range.length, range.offset);
            }
            out.push_str(&segment.uri);
            out.push('\n');
        }
        out.push_str("#EXT-X-ENDLIST\n");
        out
    }

    /// Joins neighbouring stretches of one file so that segments end at the first cut at or after each target:
    /// `first` gives the length and the number of short segments at the start, `usual_us` the length of the rest.
    /// Wherever a cut lies at one of the times `also` (rising), a segment begins there too.
    #[must_use]
    pub fn joined(&self, usual_us: i64, first: Option<FirstSegments>, also: &[i64]) -> Self {
        let mut out = Self { init: self.init.clone(), segments: Vec::new(), is_ended: self.is_ended };
        let (mut at_us, mut end_us) = (0, 0);
        for piece in &self.segments {
            let is_due = at_us + SLACK_US >= end_us || piece.is_discontinuity;
            let is_asked = also.iter().any(|cut_us| (cut_us - at_us).abs() <= NEAR_US);
            let starts_anew = is_due || is_asked;
            let joins = !starts_anew && out.segments.last().is_some_and(|last| continues(last, piece));
            if joins {
                if let Some(last) = out.segments.last_mut() {
                    last.duration_us += piece.duration_us;
                    if let (Some(range), Some(more)) = (last.range.as_mut(), piece.range) {
                        range.length += more.length;
                    }
                }
            } else {
                let length_us = match first {
                    Some(first) if out.segments.len() < first.count as usize => first.us,
                    _ => usual_us,
                };
                // Targets lie on a grid, so that late cuts do not add up, and those asked for besides do not move it.
                if is_due || !is_asked {
                    end_us += length_us;
                }
                if end_us <= at_us + SLACK_US {
                    end_us = at_us + length_us;
                }
                out.segments.push(piece.clone());
            }
            at_us += piece.duration_us;
        }
        out
    }
}

/// A cut this little before its target counts as on it: time bases round.
const SLACK_US: i64 = 2_000;
/// A cut this near to a time that was asked for is that one: lengths that are told in milliseconds add up their error.
const NEAR_US: i64 = 15_000;

fn continues(last: &Segment, piece: &Segment) -> bool {
    match (last.range, piece.range) {
        (Some(a), Some(b)) => last.uri == piece.uri && a.offset + a.length == b.offset,
        _ => false,
    }
}

fn seconds(text: &str) -> Result<i64, Error> {
    let bad = || Error::invalid(format!("{text:?} is not a duration"));
    let value: f64 = text.trim().parse().map_err(|_| bad())?;
    if !value.is_finite() || !(0.0..1e9).contains(&value) {
        return Err(bad());
    }
    Ok((value * 1e6).round() as i64)
}

fn byte_range(text: &str, previous_end: Option<u64>) -> Result<ByteRange, Error> {
    let bad = || Error::invalid(format!("{text:?} is not a byte range"));
    let (length, offset) = match text.split_once('@') {
        Some((length, offset)) => (length, offset.parse().map_err(|_| bad())?),
        None => (text, previous_end.unwrap_or(0)),
    };
    let length: u64 = length.parse().map_err(|_| bad())?;
    offset.checked_add(length).ok_or_else(bad)?;
    Ok(ByteRange { offset, length })
}

fn parse_map(value: &str) -> Result<Init, Error> {
    let attribute = |name: &str| {
        let rest = &value[value.find(&format!("{name}=\""))? + name.len() + 2..];
        rest.find('"').map(|end| rest[..end].to_owned())
    };
    let uri = attribute("URI").ok_or_else(|| Error::invalid("#EXT-X-MAP without URI"))?;
    let range = attribute("BYTERANGE").map(|text| byte_range(&text, None)).transpose()?;
    Ok(Init { uri, range })
}

/// Short segments at the start, for a quick first picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSegments {
    /// Length of each in microseconds.
    pub us: i64,
    /// How many.
    pub count: u32,
}

/// What the files of a playlist become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packaging {
    /// Key of the playlist.
    pub playlist_key: String,
    /// Directory of the segments, beginning and ending with `/`.
    pub directory: String,
    /// Checked pattern of the segments' names, relative to `directory`.
    pub segment: String,
    /// How `{number}` is written.
    pub number: NumberFormat,
    /// Extension of the segments.
    pub extension: String,
    /// Media type of the segments.
    pub content_type: String,
    /// All segments are stretches of one object.
    pub is_single: bool,
    /// Usual length of a segment in microseconds; the run cut at each key frame.
    pub join_us: i64,
    /// Short segments at the start.
    pub first: Option<FirstSegments>,
    /// Times in microseconds, rising, where a segment begins besides.
    #[serde(default)]
    pub also_us: Vec<i64>,
    /// Each segment begins with a key frame.
    pub is_independent: bool,
    /// What `{inputName}` stands for.
    pub input_name: String,
    /// What `{inputFormat}` stands for.
    pub input_format: String,
    /// What `{definition}` stands for.
    pub definition: i64,
    /// What `{taskId}` stands for.
    pub task_id: String,
    /// What `{subStreamNumber}` stands for; empty where there is one stream only.
    #[serde(default)]
    pub sub_stream: String,
}

/// Variables that the name of a segment may use.
pub const SEGMENT_VARIABLES: &[Variable] = &[
    Variable::InputName,
    Variable::InputFormat,
    Variable::Definition,
    Variable::Format,
    Variable::Number,
    Variable::SegmentNumber,
    Variable::TaskId,
];

/// The same where there are several streams.
pub const SUB_STREAM_SEGMENT_VARIABLES: &[Variable] = &[
    Variable::InputName,
    Variable::InputFormat,
    Variable::Definition,
    Variable::Format,
    Variable::Number,
    Variable::SegmentNumber,
    Variable::SubStreamNumber,
    Variable::TaskId,
];

/// Media type of a playlist.
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// An object made of a file or of a stretch of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Name in the job's folder.
    pub file: String,
    /// Stretch of the file; `None` is the whole file.
    pub range: Option<ByteRange>,
    /// Key of the object.
    pub key: String,
    /// Media type of the object.
    pub content_type: String,
    /// What it is for.
    pub role: Role,
}

/// A playlist ready to be published with its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Text of the playlist, for [`Packaging::playlist_key`].
    pub playlist: String,
    /// The other objects, in the order of the playlist.
    pub pieces: Vec<Piece>,
    /// Length of the whole in microseconds.
    pub duration_us: i64,
    /// Length in microseconds and bytes of each segment, where the run told stretches.
    pub spans: Vec<(i64, u64)>,
}

impl Packaging {
    /// Turns the playlist that the run wrote into the one that is published.
    ///
    /// # Errors
    /// `InvalidInput` when the playlist cannot be read, has no segments or leads out of the job's folder, or a
    /// key would be unsafe; `Internal` when two segments would get the same key.
    pub fn finish(&self, text: &str) -> Result<Finished, Error> {
        let mut playlist = Playlist::parse(text)?.joined(self.join_us, self.first, &self.also_us);
        if playlist.segments.is_empty() {
            return Err(Error::invalid("the output has no segments"));
        }
        let bytes = |segment: &Segment| segment.range.map_or(0, |range| range.length);
        let spans = playlist.segments.iter().map(|s| (s.duration_us, bytes(s))).collect();
        let mut pieces: Vec<Piece> = Vec::new();
        if let Some(init) = &mut playlist.init {
            let file = local(&init.uri)?;
            let key = if self.is_single { self.key(0)? } else { self.init_key()? };
            if !self.is_single {
                let range = init.range.take();
                pieces.push(self.piece(file, range, key.clone(), Role::Init));
            }
            init.uri = relative_uri(&self.playlist_key, &key);
        }
        for (nth, segment) in (0..).zip(&mut playlist.segments) {
            let file = local(&segment.uri)?;
            let key = self.key(if self.is_single { 0 } else { nth })?;
            segment.uri = relative_uri(&self.playlist_key, &key);
            if self.is_single {
                if pieces.is_empty() {
                    pieces.push(self.piece(file, None, key, Role::Segment));
                } else if pieces[0].file != file {
                    return Err(Error::internal("the segments of one object lie in several files"));
                }
            } else {
                let range = segment.range.take();
                pieces.push(self.piece(file, range, key, Role::Segment));
            }
        }
        let mut keys: Vec<&str> = pieces.iter().map(|p| p.key.as_str()).collect();
        keys.push(&self.playlist_key);
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid("two files of the playlist would get the same name"));
        }
        let duration_us = playlist.segments.iter().map(|s| s.duration_us).sum();
        Ok(Finished { playlist: playlist.write(self.is_independent), pieces, duration_us, spans })
    }

    fn piece(&self, file: String, range: Option<ByteRange>, key: String, role: Role) -> Piece {
        Piece { file, range, key, content_type: self.content_type.clone(), role }
    }

    /// Key of the `nth` segment, from 0; of the one object of all where they are stretches of it.
    ///
    /// # Errors
    /// `InvalidInput` when it would be unsafe.
    pub fn key(&self, nth: u64) -> Result<String, Error> {
        self.named(&self.number.show(nth), &self.extension)
    }

    fn init_key(&self) -> Result<String, Error> {
        self.named("init", "mp4")
    }

    fn named(&self, number: &str, extension: &str) -> Result<String, Error> {
        let values = Values {
            input_name: &self.input_name,
            input_format: &self.input_format,
            definition: self.definition,
            format: extension,
            number,
            segment_number: number,
            sub_stream_number: &self.sub_stream,
            task_id: &self.task_id,
            ..Values::default()
        };
        Pattern::parse(&self.segment, SUB_STREAM_SEGMENT_VARIABLES)?.key(&self.directory, &values)
    }
}

/// A name in the job's folder, as the run wrote it.
fn local(uri: &str) -> Result<String, Error> {
    if uri.is_empty() || uri.contains(['/', '\\', ':', '%', '?']) || uri.starts_with('.') {
        return Err(Error::invalid(format!("the playlist names {uri:?}, which is not a file of the job")));
    }
    Ok(uri.to_owned())
}

/// The address of the object `to` as seen from the object `from`, both keys beginning with `/`.
pub fn relative_uri(from: &str, to: &str) -> String {
    let steps = |key: &str| key.trim_start_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (steps(from), steps(to));
    let shared = from[..from.len() - 1].iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = from.len() - 1 - shared;
    let mut out = "../".repeat(up);
    let down: Vec<String> = to[shared..].iter().map(|step| percent_encode(step)).collect();
    out.push_str(&down.join("/"));
    // "#…" would read as a comment, "x:…" as a scheme; both are encoded, so a bare name is always safe.
    out
}

fn percent_encode(step: &str) -> String {
    let mut out = String::with_capacity(step.len());
    for byte in step.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
