//! TTML (also called DFXP) as cues: paragraphs with their times, line breaks, slant, weight, underline, colour and place.
//!
//! What only a renderer of its own could do is dropped, such as sizes, roll-up and pictures; the words never are. A
//! paragraph whose spans have times of their own becomes a cue for each of them.

use std::collections::HashMap;

use mps_core::{Error, Result};
use roxmltree::{Document, Node, ParsingOptions};

use super::cue::{Cue, Place};
use super::{markup, style};

/// The most elements, attributes and texts of a file.
const NODES: u32 = 2_000_000;
/// The most quotation marks between two openings of a tag: the parser compares the attributes of an element with each other.
const MOST_QUOTES: usize = 256;
/// The most declarations of a namespace, which the parser looks through for each name.
const MOST_NAMESPACES: usize = 256;
/// How deep elements may lie in each other.
const MOST_DEPTH: usize = 24;
/// The longest text of a cue, in bytes.
const MOST_TEXT: usize = 16 * 1024;
/// The latest moment, in seconds.
const LATEST_S: f64 = 360_000.0;

/// Whether a text is meant to be TTML: its first element is `tt`, in whatever namespace.
pub(super) fn is_meant(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(tail) = rest.strip_prefix("<?").or_else(|| rest.strip_prefix("<!")) {
        let end = if tail.starts_with("--") {
            tail.find("-->").map(|at| at + 3)
        } else {
            tail.find('>').map(|at| at + 1)
        };
        let Some(end) = end else { return false };
        rest = tail[end..].trim_start();
    }
    let name = rest.strip_prefix('<').and_then(|tail| tail.split([' ', '\n', '\t', '>', '/']).next());
    name.is_some_and(|name| name.rsplit(':').next() == Some("tt"))
}

/// Cues of a file.
pub(super) fn read(text: &str) -> Result<Vec<Cue>> {
    let refused = |why: &str| Error::invalid(format!("the subtitles are no TTML that we read: {why}"));
    if text
        .split('<')
        .any(|tag| tag.bytes().filter(|byte| matches!(byte, b'"' | b'\'')).count() > MOST_QUOTES)
    {
        return Err(refused("an element has too many attributes"));
    }
    if text.matches("xmlns").count() > MOST_NAMESPACES {
        return Err(refused("it has too many namespaces"));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let at = error.pos();
        refused(&format!("line {} is no XML ({})", at.row, kind_of(&error)))
    })?;
    let root = document.root_element();
    let mut file =
        File { clock: Clock::of(root), regions: HashMap::new(), styles: HashMap::new(), cues: Vec::new() };
    for node in root.descendants().filter(Node::is_element) {
        let Some(id) = node.attributes().find(|attribute| attribute.name() == "id").map(|id| id.value())
        else {
            continue;
        };
        match node.tag_name().name() {
            "style" => drop(file.styles.insert(id.to_owned(), node)),
            "region" => drop(file.regions.insert(id.to_owned(), node)),
            _ => {}
        }
    }
    if let Some(body) = root.children().find(|node| is(*node, "body")) {
        file.walk(body, Span { start_us: 0, end_us: None }, None, 0)?;
    }
    file.cues.sort_by_key(|cue| cue.start_us);
    Ok(file.cues)
}

/// What is wrong with a document, without any of its text.
fn kind_of(error: &roxmltree::Error) -> &'static str {
    match error {
        roxmltree::Error::DtdDetected => "it has a DTD",
        roxmltree::Error::NodesLimitReached => "it has too many parts",
        roxmltree::Error::UnclosedRootNode | roxmltree::Error::UnexpectedEndOfStream => "it is cut short",
        _ => "it is not well formed",
    }
}

/// Whether it is an element of this name, in any of the namespaces that the format has had.
fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// An attribute of this name, in any of these namespaces.
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
}

/// A stretch of time; without an end it goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    start_us: i64,
    end_us: Option<i64>,
}

/// How times are written.
#[derive(Debug, Clone, Copy)]
struct Clock {
    frames: f64,
    ticks: f64,
}

impl Clock {
    fn of(root: Node<'_, '_>) -> Self {
        let number = |name: &str| attribute(root, name).and_then(|text| text.trim().parse::<f64>().ok());
        let known = |number: &f64| number.is_finite() && *number > 0.0;
        let multiplier = attribute(root, "frameRateMultiplier").and_then(|text| {
            let (num, den) = text.trim().split_once([' ', ':'])?;
            Some(num.trim().parse::<f64>().ok()? / den.trim().parse::<f64>().ok()?)
        });
        let whole = number("frameRate").filter(known);
        let frames = whole.unwrap_or(30.0) * multiplier.filter(known).unwrap_or(1.0);
        let sub_frames = number("subFrameRate").filter(known).unwrap_or(1.0);
        let usual = if whole.is_some() { frames * sub_frames } else { 1.0 };
        Self { frames, ticks: number("tickRate").filter(known).unwrap_or(usual) }
    }

    /// `HH:MM:SS.fff`, `HH:MM:SS:FF` or `12.5s` and its like, in microseconds.
    fn us(self, text: &str) -> Option<i64> {
        let text = text.trim();
        let number = |text: &str| {
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            text.parse::<f64>().ok().filter(|_| is_plain)
        };
        let seconds = if text.contains(':') {
            let parts: Option<Vec<f64>> = text.split(':').map(number).collect();
            match parts?.as_slice() {
                [hours, minutes, seconds] => hours * 3600.0 + minutes * 60.0 + seconds,
                [hours, minutes, seconds, frames] => {
                    hours * 3600.0 + minutes * 60.0 + seconds + frames / self.frames
                }
                _ => return None,
            }
        } else {
            let units = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
            let units = units.into_iter().chain([("f", 1.0 / self.frames), ("t", 1.0 / self.ticks)]);
            let (digits, unit) =
                units.into_iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
            number(digits)? * unit
        };
        (seconds <= LATEST_S).then(|| (seconds * 1e6).round() as i64)
    }
}

struct File<'a> {
    clock: Clock,
    regions: HashMap<String, Node<'a, 'a>>,
    styles: HashMap<String, Node<'a, 'a>>,
    cues: Vec<Cue>,
}

impl<'a> File<'a> {
    /// When an element is shown, inside of what it lies in; `None` when it has no times of its own.
    fn times(&self, node: Node<'_, '_>, within: Span) -> Result<Option<Span>> {
        let time = |name: &str| {
            let told = |text: &str| {
                let line = node.document().text_pos_at(node.range().start).row;
                Error::invalid(format!("line {line} of the subtitles has no time in {name}: {text:.40}"))
            };
            attribute(node, name).map(|text| self.clock.us(text).ok_or_else(|| told(text))).transpose()
        };
        let (begin, end, length) = (time("begin")?, time("end")?, time("dur")?);
        if begin.is_none() && end.is_none() && length.is_none() {
            return Ok(None);
        }
        let start_us = within.start_us + begin.unwrap_or(0);
        let ends =
            [end.map(|end| within.start_us + end), length.map(|length| start_us + length), within.end_us];
        Ok(Some(Span { start_us, end_us: ends.into_iter().flatten().min() }))
    }

    /// Reads an element and what lies in it; gives when it is over.
    fn walk(
        &mut self,
        node: Node<'a, 'a>,
        within: Span,
        region: Option<&'a str>,
        depth: usize,
    ) -> Result<Option<i64>> {
        if depth > MOST_DEPTH {
            return Err(Error::invalid(
                "the subtitles are no TTML that we read: elements lie too deep in each other",
            ));
        }
        let region = attribute(node, "region").or(region);
        let own = self.times(node, within)?.unwrap_or(within);
        if is(node, "p") {
            self.paragraph(node, own, region)?;
            return Ok(own.end_us);
        }
        let is_in_turn = attribute(node, "timeContainer") == Some("seq");
        let mut next = own;
        for child in node.children().filter(Node::is_element) {
            if matches!(child.tag_name().name(), "div" | "p") {
                let over = self.walk(child, next, region, depth + 1)?;
                if let (true, Some(over)) = (is_in_turn, over) {
                    next.start_us = over;
                }
            }
        }
        Ok(own.end_us)
    }

    fn paragraph(&mut self, node: Node<'a, 'a>, own: Span, region: Option<&'a str>) -> Result<()> {
        let mut timed = Vec::new();
        for span in node.descendants().filter(|inner| is(*inner, "span")) {
            if let Some(times) = self.times(span, own)? {
                timed.push((span, times));
            }
        }
        if timed.is_empty() {
            return self.cue(node, own, region);
        }
        for (span, times) in timed {
            self.cue(span, times, attribute(span, "region").or(region))?;
        }
        Ok(())
    }

    fn cue(&mut self, node: Node<'a, 'a>, span: Span, region: Option<&'a str>) -> Result<()> {
        let is_kept = node.ancestors().find_map(|outer| attribute(outer, "space")) == Some("preserve");
        let mut words = Words { is_kept, ..Words::default() };
        self.words(node, &mut words, 0)?;
        let lines = words.lines();
        let Some(end_us) = span.end_us.filter(|end_us| *end_us > span.start_us) else { return Ok(()) };
        if lines.iter().all(|line| markup::is_blank(line)) {
            return Ok(());
        }
        if lines.iter().map(String::len).sum::<usize>() > MOST_TEXT {
            let line = node.document().text_pos_at(node.range().start).row;
            return Err(Error::invalid(format!("the cue of line {line} has more than {MOST_TEXT} bytes")));
        }
        let region = region.and_then(|id| self.regions.get(id).copied());
        let place = self.place(node, region);
        self.cues.push(Cue { start_us: span.start_us, end_us, lines, place });
        Ok(())
    }

    /// The words of an element with their looks.
    fn words(&self, node: Node<'a, 'a>, words: &mut Words, depth: usize) -> Result<()> {
        if depth > MOST_DEPTH {
            return Err(Error::invalid(
                "the subtitles are no TTML that we read: elements lie too deep in each other",
            ));
        }
        let looks = self.looks(node);
        words.text.extend(looks.iter().map(|(on, _)| on.as_str()));
        for child in node.children() {
            match child.tag_name().name() {
                _ if child.is_text() => words.add(child.text().unwrap_or_default()),
                "br" => words.text.push('\n'),
                "span" => self.words(child, words, depth + 1)?,
                _ => {}
            }
        }
        words.text.extend(looks.iter().rev().map(|(_, off)| *off));
        Ok(())
    }

    /// What an element says of itself, or the styles that it names.
    fn style(&self, node: Node<'a, 'a>, name: &str) -> Option<&'a str> {
        let of = |node: Node<'a, 'a>| {
            node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
        };
        let named = |node: Node<'a, 'a>| {
            let list = node.attributes().find(|attribute| attribute.name() == "style")?.value();
            list.split_whitespace().rev().find_map(|id| of(*self.styles.get(id)?))
        };
        // A region carries its style as a child as well.
        let inner = || node.children().filter(|child| is(*child, "style")).find_map(of);
        of(node).or_else(|| named(node)).or_else(inner)
    }

    fn looks(&self, node: Node<'a, 'a>) -> Vec<(String, &'static str)> {
        let mut looks = Vec::new();
        if matches!(self.style(node, "fontStyle"), Some("italic" | "oblique")) {
            looks.push(("{\\i1}".to_owned(), "{\\i0}"));
        }
        if self.style(node, "fontWeight") == Some("bold") {
            looks.push(("{\\b1}".to_owned(), "{\\b0}"));
        }
        if self.style(node, "textDecoration") == Some("underline") {
            looks.push(("{\\u1}".to_owned(), "{\\u0}"));
        }
        if let Some(rgb) = self.style(node, "color").and_then(colour) {
            looks.push((format!("{{\\c{}}}", style::ass_colour(rgb)), "{\\c}"));
        }
        looks
    }

    /// Where a cue stands: in its region, by the region's alignment.
    fn place(&self, node: Node<'a, 'a>, region: Option<Node<'a, 'a>>) -> Option<Place> {
        let of = |name: &str| {
            self.style(node, name).or_else(|| region.and_then(|region| self.style(region, name)))
        };
        let column = match of("textAlign") {
            Some("left" | "start") => 0,
            Some("right" | "end") => 2,
            _ => 1,
        };
        let row = match of("displayAlign") {
            Some("before") => 6,
            Some("center") => 3,
            _ => 0,
        };
        let anchor = 1 + column + row;
        let at =
            of("origin").and_then(pair).zip(of("extent").and_then(pair)).map(|((x, y), (width, height))| {
                let (across, down) = (f64::from(column) / 2.0, 1.0 - f64::from(row) / 6.0);
                ((x + width * across).clamp(0.0, 1.0), (y + height * down).clamp(0.0, 1.0))
            });
        (anchor != 2 || at.is_some()).then_some(Place { anchor, at })
    }
}

/// Words on their way to lines.
#[derive(Default)]
struct Words {
    text: String,
    is_kept: bool,
}

impl Words {
    fn add(&mut self, text: &str) {
        if self.is_kept {
            self.text.push_str(&markup::plain(text));
            return;
        }
        // Spaces of any kind and number are one.
        let mut was_space = self.text.ends_with([' ', '\n']);
        for piece in text.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end();
            if !word.is_empty() {
                self.text.push_str(&markup::plain(word));
                was_space = false;
            }
            if word.len() < piece.len() && !was_space {
                self.text.push(' ');
                was_space = true;
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.text.lines().map(str::trim).map(str::to_owned);
        let mut lines: Vec<String> = lines.skip_while(String::is_empty).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

/// `10% 80%` as parts.
fn pair(text: &str) -> Option<(f64, f64)> {
    let part = |text: &str| {
        let number: f64 = text.strip_suffix('%')?.parse().ok()?;
        (0.0..=100.0).contains(&number).then_some(number / 100.0)
    };
    let (x, y) = text.trim().split_once(char::is_whitespace)?;
    Some((part(x)?, part(y.trim())?))
}

/// `#RRGGBB`, `#RRGGBBAA` or a name, as `0xRRGGBB`.
fn colour(text: &str) -> Option<u32> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix('#') {
        return u32::from_str_radix(digits.get(..6)?, 16).ok();
    }
    Some(match text.to_ascii_lowercase().as_str() {
        "white" => 0xff_ff_ff,
        "black" => 0x00_00_00,
        "red" => 0xff_00_00,
        "lime" => 0x00_ff_00,
        "green" => 0x00_80_00,
        "blue" => 0x00_00_ff,
        "yellow" => 0xff_ff_00,
        "cyan" | "aqua" => 0x00_ff_ff,
        "magenta" | "fuchsia" => 0xff_00_ff,
        "silver" => 0xc0_c0_c0,
        "gray" => 0x80_80_80,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues(body: &str) -> Vec<Cue> {
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made by hand -->\n\
            <tt xmlns=\"http://www.w3.org/ns/ttml\" xmlns:tts=\"http://www.w3.org/ns/ttml#styling\" \
            xmlns:ttp=\"http://www.w3.org/ns/ttml#parameter\" ttp:frameRate=\"25\" ttp:tickRate=\"10000000\">\
            <head><styling><style xml:id=\"s\" tts:fontStyle=\"italic\" tts:color=\"#ff8000\"/></styling>\
            <layout><region xml:id=\"top\" tts:origin=\"10% 5%\" tts:extent=\"80% 20%\" tts:displayAlign=\"before\"/></layout></head>";
        let text = format!("{head}<body>{body}</body></tt>");
        assert!(is_meant(&text));
        read(&text).unwrap()
    }

    fn times(body: &str) -> Vec<(i64, i64)> {
        cues(body).iter().map(|cue| (cue.start_us / 1000, cue.end_us / 1000)).collect()
    }

    #[test]
    fn every_way_to_write_a_time_is_read() {
        for (begin, wanted) in [
            ("00:01:02.500", 62_500),
            ("00:01:02:05", 62_200),
            ("62.5s", 62_500),
            ("62500ms", 62_500),
            ("1.5m", 90_000),
            ("0.1h", 360_000),
            ("50f", 2_000),
            ("25000000t", 2_500),
        ] {
            assert_eq!(
                times(&format!("<div><p begin=\"{begin}\" dur=\"1s\">x</p></div>")),
                [(wanted, wanted + 1000)],
                "{begin}"
            );
        }
        let refused =
            read("<tt><body><div>\n<p begin=\"soon\" end=\"2s\">x</p></div></body></tt>").unwrap_err();
        assert!(refused.message().contains("line 2") && refused.message().contains("begin"), "{refused}");
    }

    #[test]
    fn times_lie_inside_of_each_other() {
        let body = "<div begin=\"10s\" end=\"20s\"><p begin=\"1s\" end=\"3s\">a</p><p begin=\"8s\" end=\"30s\">b</p><p>c</p></div>";
        assert_eq!(times(body), [(10_000, 20_000), (11_000, 13_000), (18_000, 20_000)]);
        let turns = "<div timeContainer=\"seq\"><p dur=\"2s\">a</p><p dur=\"3s\">b</p></div>";
        assert_eq!(times(turns), [(0, 2_000), (2_000, 5_000)]);
        let spans = "<div><p begin=\"5s\" end=\"9s\"><span begin=\"0s\" end=\"1s\">a</span><span begin=\"1s\">b</span></p></div>";
        assert_eq!(times(spans), [(5_000, 6_000), (6_000, 9_000)]);
        assert_eq!(times("<div><p>for ever</p><p begin=\"3s\" end=\"2s\">never</p></div>"), []);
    }

    #[test]
    fn words_keep_their_lines_looks_and_place() {
        let body = "<div><p begin=\"0s\" end=\"1s\" region=\"top\">\n   first <span style=\"s\">slanted</span>\n  words<br/>{b} \\N &lt;i&gt;\n</p></div>";
        let cue = &cues(body)[0];
        assert_eq!(
            cue.lines,
            ["first {\\i1}{\\c&H0080FF&}slanted{\\c}{\\i0} words", "\\{b\\} \\\u{2060}N <i>"]
        );
        assert_eq!(cue.place, Some(Place { anchor: 8, at: Some((0.5, 0.05)) }));
        let kept = "<div xml:space=\"preserve\"><p begin=\"0s\" end=\"1s\">a  b\nc</p></div>";
        assert_eq!(
            (&cues(kept)[0].lines, cues(kept)[0].place),
            (&vec!["a  b".to_owned(), "c".to_owned()], None)
        );
    }

    #[test]
    fn what_would_only_cost_time_is_refused() {
        let told = |text: &str| read(text).unwrap_err().message().to_owned();
        let deep = format!("<tt><body>{}x{}</body></tt>", "<div>".repeat(5000), "</div>".repeat(5000));
        assert!(told(&deep).contains("too deep"), "{}", told(&deep));
        let spans = format!(
            "<tt><body><p end=\"1s\">{}x{}</p></body></tt>",
            "<span>".repeat(5000),
            "</span>".repeat(5000)
        );
        assert!(told(&spans).contains("too deep"));
        let wide = " a=\"\"".repeat(1000);
        assert!(told(&format!("<tt{wide}/>")).contains("attributes"));
        assert!(told("<!DOCTYPE tt [<!ENTITY a \"b\">]><tt>&a;</tt>").contains("DTD"));
        assert!(told("<tt><body>").contains("cut short"), "{}", told("<tt><body>"));
    }
}
