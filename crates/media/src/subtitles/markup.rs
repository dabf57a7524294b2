//! The markup of SRT and WebVTT in the words of ASS.

/// The lines of a cue in the markup of ASS, and the anchor that an SRT file may give.
pub(super) fn lines(lines: &[&str]) -> (Vec<String>, Option<u8>) {
    let mut anchor = None;
    let lines = lines.iter().map(|line| one(line.trim(), &mut anchor)).collect();
    (lines, anchor)
}

fn one(line: &str, anchor: &mut Option<u8>) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '{', '}', '\\', '&']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let (written, used) = match tail.as_bytes()[0] {
            b'<' => tag(tail),
            b'{' => block(tail, anchor),
            b'&' => entity(tail),
            // A word joiner keeps the next letter from making a command of it.
            b'\\' => ("\\\u{2060}".to_owned(), 1),
            _ => ("\\}".to_owned(), 1),
        };
        out.push_str(&written);
        rest = &tail[used..];
    }
    out.push_str(rest);
    out
}

/// A tag between angle brackets: what it becomes, and how many bytes it is. A bracket that opens none is a sign.
fn tag(text: &str) -> (String, usize) {
    let Some(end) = text.find('>') else { return ("<".to_owned(), 1) };
    let inside = &text[1..end];
    let name: String = inside
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let is_end = inside.starts_with('/');
    let is_time = inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b':' || byte == b'.');
    let written = match name.as_str() {
        "b" | "i" | "u" | "s" => format!("{{\\{name}{}}}", u8::from(!is_end)),
        "font" if is_end => "{\\c}".to_owned(),
        "font" => colour(inside).map(|colour| format!("{{\\c{colour}}}")).unwrap_or_default(),
        "c" | "v" | "lang" | "ruby" | "rt" | "span" => String::new(),
        _ if is_time => String::new(),
        _ => return ("<".to_owned(), 1),
    };
    (written, end + 1)
}

/// The colour of `font color="#RRGGBB"` as ASS writes it.
fn colour(inside: &str) -> Option<String> {
    let (_, value) = inside.split_once("color")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let digits = value.strip_prefix('#')?.get(..6)?;
    let rgb = u32::from_str_radix(digits, 16).ok()?;
    Some(super::style::ass_colour(rgb))
}

/// A block between braces, as some SRT files borrow them from ASS: only the anchor counts.
fn block(text: &str, anchor: &mut Option<u8>) -> (String, usize) {
    let Some(end) = text.find('}').filter(|_| text.starts_with("{\\")) else { return ("\\{".to_owned(), 1) };
    let key = text[..end].split_once("\\an").and_then(|(_, rest)| rest.bytes().next());
    if let Some(key @ b'1'..=b'9') = key {
        *anchor = Some(key - b'0');
    }
    (String::new(), end + 1)
}

fn entity(text: &str) -> (String, usize) {
    const KNOWN: &[(&str, &str)] = &[
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", "\u{a0}"),
        ("&lrm;", "\u{200e}"),
        ("&rlm;", "\u{200f}"),
        ("&quot;", "\""),
    ];
    let found = KNOWN.iter().find(|(name, _)| text.starts_with(name));
    found.map_or_else(|| ("&".to_owned(), 1), |(name, sign)| ((*sign).to_owned(), name.len()))
}

/// A text without any markup in the markup of ASS.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            // As above, a word joiner keeps the next letter from making a command of it.
            '\\' => out.push_str("\\\u{2060}"),
            other => out.push(other),
        }
    }
    out
}

/// Whether a line with the markup of ASS shows nothing.
pub(super) fn is_blank(line: &str) -> bool {
    let mut rest = line;
    while let Some(tail) = rest.strip_prefix('{') {
        let Some(end) = tail.find('}') else { return false };
        rest = tail[end + 1..].trim_start();
    }
    rest.trim().is_empty()
}

/// A line with the markup of ASS in the words of WebVTT.
pub(super) fn to_vtt(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['{', '\\', '<', '>', '&']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let used = match tail.as_bytes()[0] {
            b'{' => {
                let end = tail.find('}').unwrap_or(tail.len() - 1);
                out.push_str(match &tail.as_bytes()[1..end] {
                    b"\\b1" => "<b>",
                    b"\\b0" => "</b>",
                    b"\\i1" => "<i>",
                    b"\\i0" => "</i>",
                    b"\\u1" => "<u>",
                    b"\\u0" => "</u>",
                    _ => "",
                });
                end + 1
            }
            b'\\' if tail.starts_with("\\{") || tail.starts_with("\\}") => {
                out.push_str(&tail[1..2]);
                2
            }
            b'\\' => {
                out.push('\\');
                if tail.starts_with("\\\u{2060}") { 1 + '\u{2060}'.len_utf8() } else { 1 }
            }
            b'<' => {
                out.push_str("&lt;");
                1
            }
            b'>' => {
                out.push_str("&gt;");
                1
            }
            _ => {
                out.push_str("&amp;");
                1
            }
        };
        rest = &tail[used..];
    }
    out.push_str(rest);
    out
}
