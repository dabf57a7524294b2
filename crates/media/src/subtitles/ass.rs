//! Scripts of ASS: written from cues, or a caller's own with another look put over it.

use std::fmt::Write as _;

use mps_core::{Error, Result};

use super::cue::{Cue, Place};
use super::style::{
    Board, Edge, Look, USUAL_OUTLINE, USUAL_SIZE, USUAL_Y, ass_alpha, ass_colour, ass_style_colour,
};

/// The frame of scripts that name none.
const USUAL_FRAME: (f64, f64) = (384.0, 288.0);
const FORMAT: &str = "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
                      Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
                      Alignment, MarginL, MarginR, MarginV, Encoding";

/// A whole script of cues. Cues behind the board are one layer, the board the one below.
pub(super) fn of_cues(cues: &[Cue], look: &Look, shift_us: i64) -> String {
    let (width, height) = (f64::from(look.frame.0), f64::from(look.frame.1));
    let size = look.size.unwrap_or(height * USUAL_SIZE);
    let y = look.y.unwrap_or(height * USUAL_Y);
    let usual = Edge { width: height * USUAL_OUTLINE, colour: 0, alpha: 1.0 };
    let outline = look.outline.unwrap_or(usual);
    let shadow = look.shadow.unwrap_or(Edge { width: 0.0, colour: 0, alpha: 1.0 });
    let colour = ass_style_colour(look.colour.unwrap_or(0xff_ff_ff), look.alpha.unwrap_or(1.0));
    let family = look.family.as_deref().unwrap_or("Sans");
    let mut script = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\nWrapStyle: 0\n\
         ScaledBorderAndShadow: yes\n\n[V4+ Styles]\n{FORMAT}\n\
         Style: Text,{family},{size:.2},{colour},{colour},{},{},{},0,0,0,100,100,0,0,1,{:.2},{:.2},2,{margin:.0},\
         {margin:.0},{y:.0},-1\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, \
         Text\n",
        ass_style_colour(outline.colour, outline.alpha),
        ass_style_colour(shadow.colour, shadow.alpha),
        if look.is_bold { -1 } else { 0 },
        outline.width,
        shadow.width,
        margin = width * 0.05,
    );
    let mut times: Vec<(i64, i64)> = Vec::new();
    for cue in cues {
        let Some((start_us, end_us)) = shifted(cue.start_us, cue.end_us, shift_us) else { continue };
        times.push((start_us, end_us));
        let placed = placed(cue.place, look, (width, height), size, y);
        let text = spaced(&cue.lines, look.line_spacing);
        let (start, end) = (stamp(start_us), stamp(end_us));
        let _ = writeln!(script, "Dialogue: 1,{start},{end},Text,,0,0,0,,{placed}{text}");
    }
    if let Some(board) = look.board {
        script.push_str(&boards(times, board, (width, height), "Text", (1.0, 1.0)));
    }
    script
}

/// Start and end on another clock; `None` when it is over before that clock begins.
fn shifted(start_us: i64, end_us: i64, shift_us: i64) -> Option<(i64, i64)> {
    (end_us + shift_us > 0).then(|| ((start_us + shift_us).max(0), end_us + shift_us))
}

/// The tags that place a cue: as the call says, else as the file does.
fn placed(place: Option<Place>, look: &Look, (width, height): (f64, f64), size: f64, y: f64) -> String {
    if look.is_top {
        return format!("{{\\an8\\pos({:.0},{:.0})}}", width / 2.0, (height - y - size).max(0.0));
    }
    match place {
        Some(_) if look.y.is_some() => String::new(),
        Some(Place { anchor, at: Some((x, y)) }) => {
            format!("{{\\an{anchor}\\pos({:.0},{:.0})}}", width * x, height * y)
        }
        Some(Place { anchor, at: None }) => format!("{{\\an{anchor}}}"),
        None => String::new(),
    }
}

/// Lines with room between them: an empty line of that height, as scripts know no other.
fn spaced(lines: &[String], spacing: f64) -> String {
    if spacing < 0.5 {
        return lines.join("\\N");
    }
    lines.join(&format!("\\N{{\\fs{spacing:.1}}}\u{a0}\\N{{\\r}}"))
}

/// A board for each stretch of time that has a text.
fn boards(
    mut times: Vec<(i64, i64)>,
    board: Board,
    (width, height): (f64, f64),
    style: &str,
    (across, down): (f64, f64),
) -> String {
    times.sort_unstable();
    let mut stretches: Vec<(i64, i64)> = Vec::new();
    for (start, end) in times {
        match stretches.last_mut() {
            Some((_, last)) if start <= *last => *last = (*last).max(end),
            _ => stretches.push((start, end)),
        }
    }
    let (left, top) = ((width - board.width) / 2.0, height - board.y - board.height);
    let (wide, high) = (board.width * across, board.height * down);
    let tags = format!(
        "{{\\an7\\pos({:.1},{:.1})\\bord0\\shad0\\1c{}\\1a&H{:02X}&\\p1}}m 0 0 l {wide:.1} 0 {wide:.1} {high:.1} 0 \
         {high:.1}",
        left * across,
        top * down,
        ass_colour(board.colour),
        ass_alpha(board.alpha),
    );
    let mut events = String::new();
    for (start, end) in stretches {
        let _ = writeln!(events, "Dialogue: -1,{},{},{style},,0,0,0,,{tags}", stamp(start), stamp(end));
    }
    events
}

/// `H:MM:SS.cc`.
fn stamp(us: i64) -> String {
    let hundredths = (us + 5_000) / 10_000;
    let (seconds, part) = (hundredths / 100, hundredths % 100);
    format!("{}:{:02}:{:02}.{part:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The time of a script, in microseconds.
fn time(text: &str) -> Option<i64> {
    let mut seconds = 0.0;
    for number in text.trim().split(':') {
        seconds = seconds * 60.0 + number.parse::<f64>().ok().filter(|n| (0.0..1e6).contains(n))?;
    }
    Some((seconds * 1e6) as i64)
}

/// A caller's script with the look put over its styles; what the look leaves open stays.
pub(super) fn of_script(script: &str, look: &Look, shift_us: i64) -> Result<String> {
    let info = |name: &str| {
        let line = script.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix(':'));
        line.and_then(|value| value.trim().parse::<f64>().ok()).filter(|size| *size > 0.0)
    };
    let own = match (info("PlayResX"), info("PlayResY")) {
        (Some(x), Some(y)) => (x, y),
        (Some(x), None) => (x, x * 0.75),
        (None, Some(y)) => (y / 0.75, y),
        (None, None) => USUAL_FRAME,
    };
    let frame = (f64::from(look.frame.0), f64::from(look.frame.1));
    let scale = (own.0 / frame.0, own.1 / frame.1);
    let mut out = String::with_capacity(script.len() + 1024);
    let (mut section, mut fields) = (String::new(), Vec::new());
    let (mut times, mut style) = (Vec::new(), String::from("Default"));
    for (number, line) in script.lines().enumerate() {
        let text = line.trim();
        let broken = |what: &str| Error::invalid(format!("line {} of the subtitles: {what}", number + 1));
        if text.starts_with('[') {
            section = text.to_ascii_lowercase();
            fields.clear();
        } else if let Some(names) = text.strip_prefix("Format:") {
            fields = names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        } else if let (true, Some(values)) = (section.contains("styles"), text.strip_prefix("Style:")) {
            values.split(',').next().unwrap_or("Default").trim().clone_into(&mut style);
            out.push_str(&restyled(values, &fields, look, scale));
            out.push('\n');
            continue;
        } else if let (true, Some(values)) = (section == "[events]", text.strip_prefix("Dialogue:")) {
            let mut values: Vec<&str> = values.splitn(fields.len().max(1), ',').collect();
            let at = |name: &str| fields.iter().position(|field| field == name);
            let (Some(start), Some(end)) = (at("start"), at("end")) else {
                return Err(broken("a Dialogue without a Format that names Start and End"));
            };
            let read = |nth: usize| values.get(nth).and_then(|text| time(text));
            let (Some(start_us), Some(end_us)) = (read(start), read(end)) else {
                return Err(broken("a Dialogue without times"));
            };
            let Some((start_us, end_us)) = shifted(start_us, end_us, shift_us) else { continue };
            times.push((start_us, end_us));
            let (start_text, end_text) = (stamp(start_us), stamp(end_us));
            (values[start], values[end]) = (&start_text, &end_text);
            let words =
                values.pop().map(|words| if look.y.is_some() { unplaced(words) } else { words.to_owned() });
            let _ = writeln!(out, "Dialogue:{},{}", values.join(","), words.unwrap_or_default());
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    if times.is_empty() {
        return Err(Error::invalid("the subtitles have no Dialogue"));
    }
    if let Some(board) = look.board {
        out.push_str(
            "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n",
        );
        out.push_str(&boards(times, board, frame, &style, scale));
    }
    Ok(out)
}

/// A style with what the look says.
fn restyled(values: &str, fields: &[String], look: &Look, (_, down): (f64, f64)) -> String {
    let mut values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
    let mut set = |name: &str, value: Option<String>| {
        let place = fields.iter().position(|field| field == name);
        if let (Some(value), Some(slot)) = (value, place.and_then(|nth| values.get_mut(nth))) {
            *slot = value;
        }
    };
    let length = |pixels: f64| format!("{:.2}", pixels * down);
    set("fontname", look.family.clone());
    set("fontsize", look.size.map(length));
    if look.colour.is_some() || look.alpha.is_some() {
        let colour = ass_style_colour(look.colour.unwrap_or(0xff_ff_ff), look.alpha.unwrap_or(1.0));
        set("primarycolour", Some(colour));
    }
    for (edge, width, colour) in
        [(look.outline, "outline", "outlinecolour"), (look.shadow, "shadow", "backcolour")]
    {
        set(width, edge.map(|edge| length(edge.width)));
        set(colour, edge.map(|edge| ass_style_colour(edge.colour, edge.alpha)));
    }
    set("marginv", look.y.map(|y| format!("{:.0}", y * down)));
    set("alignment", look.y.map(|_| "2".to_owned()));
    if look.is_bold {
        set("bold", Some("-1".to_owned()));
    }
    format!("Style: {}", values.join(","))
}

/// Words without the tags that place them.
fn unplaced(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|at| open + at) else { break };
        out.push_str(&rest[..=open]);
        let kept = rest[open + 1..close]
            .split('\\')
            .skip(1)
            .filter(|tag| !["an", "pos", "move", "org"].iter().any(|name| tag.starts_with(name)));
        for tag in kept {
            out.push('\\');
            out.push_str(tag);
        }
        out.push('}');
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}
