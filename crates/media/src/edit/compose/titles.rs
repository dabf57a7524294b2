//! Texts on the canvas, as a script for libass.
//!
//! A line stands in the middle of a stripe of the style's height, the lowest stripe begins at the bottom margin. A
//! text's font size is that of its letters: libass counts in lines, so each family's size is scaled to it.

use std::fmt::Write as _;

use super::params::{Align, Rgba, Style, Title};
use super::timeline::Laid;
use crate::fonts;

const HEAD: &str =
    "[Script Info]\nScriptType: v4.00+\nWrapStyle: 2\nScaledBorderAndShadow: yes\nYCbCr Matrix: TV.709\n";
const STYLES: &str = "\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, \
    BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
    Alignment, MarginL, MarginR, MarginV, Encoding\n";
const EVENTS: &str =
    "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n";

/// The script for the texts of a track on a canvas of this size.
pub(super) fn script(titles: &[Title], laid: &[Laid], canvas: (u32, u32)) -> String {
    let mut styles = String::new();
    let mut events = String::new();
    for (nth, (title, laid)) in titles.iter().zip(laid).enumerate() {
        let breaks: usize = title.parts.iter().map(|part| part.text.matches('\n').count()).sum();
        let set = Setting::of(&title.style, canvas, breaks + 1);
        let family = title.parts.first().map_or("", |part| &part.family);
        let _ = writeln!(styles, "{}", set.style(nth, &title.style, family));
        let mut text = set.place();
        for part in &title.parts {
            let _ =
                write!(text, "{{\\fn{}\\fs{}}}{}", part.family, set.size(&part.family), escaped(&part.text));
        }
        let (start, end) = (clock(laid.start_us), clock(laid.end_us.unwrap_or(laid.start_us)));
        let _ = writeln!(events, "Dialogue: {nth},{start},{end},t{nth},,0,0,0,,{text}");
    }
    let (width, height) = canvas;
    format!("{HEAD}PlayResX: {width}\nPlayResY: {height}\n{STYLES}{styles}{EVENTS}{events}")
}

/// A style in pixels.
struct Setting {
    letter: f64,
    border: f64,
    /// The ground goes on above and below the letters, to the height of a stripe.
    rim: f64,
    x: f64,
    y: f64,
    align: Align,
}

impl Setting {
    fn of(style: &Style, (width, height): (u32, u32), lines: usize) -> Self {
        let letter = style.size.pixels(height).max(1.0);
        let stripe = style.height.map_or(letter, |measure| measure.pixels(height));
        let block = stripe * lines as f64;
        let margin = style.margin.pixels(width);
        let x = match style.align {
            Align::Center => f64::from(width) / 2.0,
            Align::Left => margin,
            Align::Right => f64::from(width) - margin,
        };
        Self {
            letter,
            border: style.border.pixels(height),
            rim: if style.ground.is_some() { ((stripe - letter * 1.2) / 2.0).max(0.0) } else { 0.0 },
            x,
            y: f64::from(height) - style.bottom.pixels(height) - block / 2.0,
            align: style.align,
        }
    }

    fn size(&self, family: &str) -> String {
        decimal(self.letter * f64::from(fonts::line_permille(family)) / 1000.0)
    }

    /// Where the middle of the lines is.
    fn place(&self) -> String {
        let anchor = match self.align {
            Align::Left => 4,
            Align::Center => 5,
            Align::Right => 6,
        };
        format!(
            "{{\\an{anchor}\\pos({},{})\\xshad0\\yshad{}}}",
            decimal(self.x),
            decimal(self.y),
            decimal(self.rim)
        )
    }

    fn style(&self, nth: usize, style: &Style, family: &str) -> String {
        let flag = |on: bool| if on { "-1" } else { "0" };
        // The fourth kind draws the line around the letters and a ground behind them.
        let kind = if style.ground.is_some() { 4 } else { 1 };
        let border = if style.border.is_zero() { 0.0 } else { self.border };
        // Without a ground the same colour would be that of a shadow.
        let ground = style.ground.unwrap_or([0, 0, 0, 0]);
        format!(
            "Style: t{nth},{},{},{},{},{},{},{},{},0,0,100,100,0,0,{kind},{},0,5,0,0,0,1",
            family,
            self.size(family),
            color(style.color),
            color(style.color),
            color(style.border_color),
            color(ground),
            flag(style.is_bold),
            flag(style.is_italic),
            decimal(border),
        )
    }
}

/// `&HAABBGGRR`, where 00 is solid.
fn color([r, g, b, solid]: Rgba) -> String {
    format!("&H{:02X}{b:02X}{g:02X}{r:02X}", 255 - solid)
}

/// `h:mm:ss.cc`
fn clock(us: i64) -> String {
    let hundredths = (us + 5_000) / 10_000;
    let (seconds, hundredths) = (hundredths / 100, hundredths % 100);
    format!("{}:{:02}:{:02}.{hundredths:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn decimal(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A text that says nothing but itself: braces and backslashes have a meaning in scripts.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\N"),
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            // A joiner, which is never drawn, keeps it apart from the letter behind.
            '\\' => out.push_str("\\\u{2060}"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_give_orders() {
        assert_eq!(escaped("a{\\b1}b\\N\nc"), "a\\{\\\u{2060}b1\\}b\\\u{2060}N\\Nc");
    }

    #[test]
    fn colours_are_written_from_blue_to_red_and_clear_instead_of_solid() {
        assert_eq!(color([255, 128, 0, 255]), "&H000080FF");
        assert_eq!(color([0, 0, 255, 0]), "&HFFFF0000");
    }

    #[test]
    fn times_are_in_hundredths() {
        assert_eq!(clock(3_723_456_789), "1:02:03.46");
        assert_eq!(clock(0), "0:00:00.00");
    }
}
