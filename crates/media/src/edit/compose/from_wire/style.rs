//! How texts are drawn.

use mps_wire::types::{ComposeStyles, ComposeSubtitleStyle};

use super::{Checked, ID_CHARS, measure, wrong};
use crate::edit::compose::params::{Align, Style};
use crate::edit::compose::words::{Measure, color};
use crate::edit::from_wire::is_id;

/// The styles with their ids.
pub(super) fn styles(styles: &[ComposeStyles]) -> Checked<Vec<(String, Style)>> {
    let mut known: Vec<(String, Style)> = Vec::new();
    for (nth, one) in styles.iter().enumerate() {
        let ComposeStyles { id, r#type, subtitle } = one;
        let here = format!("ComposeConfig.Styles.{nth}");
        let id = id.as_deref().unwrap_or_default();
        if !is_id(id, ID_CHARS) {
            let told = format!("is 1 to {ID_CHARS} letters, digits, - or _, not {id:?}");
            return Err(wrong(&format!("{here}.Id"), told));
        }
        if known.iter().any(|(other, _)| other == id) {
            return Err(wrong(&format!("{here}.Id"), format!("{id:?} is there twice")));
        }
        match r#type.as_deref().unwrap_or_default() {
            "Subtitle" => {}
            other => return Err(wrong(&format!("{here}.Type"), format!("is Subtitle, not {other:?}"))),
        }
        let style = subtitle.clone().unwrap_or_default();
        known.push((id.to_owned(), self::style(&style, &format!("{here}.Subtitle"))?));
    }
    Ok(known)
}

fn style(style: &ComposeSubtitleStyle, here: &str) -> Checked<Style> {
    let ComposeSubtitleStyle {
        height,
        margin_bottom,
        font_type,
        font_size,
        font_bold,
        font_italic,
        font_color,
        font_align,
        font_align_margin,
        border_width,
        border_color,
        bottom_color,
    } = style;
    let measure = |name: &str, text: &Option<String>| measure(&format!("{here}.{name}"), text.as_deref());
    let paint = |name: &str, text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => color(text).map(Some).ok_or_else(|| {
            wrong(&format!("{here}.{name}"), format!("is #RRGGBB or #RRGGBBAA, not {text:?}"))
        }),
    };
    let flag = |name: &str, value: &Option<i64>| match value.unwrap_or(0) {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(wrong(&format!("{here}.{name}"), format!("is 0 or 1, not {other}"))),
    };
    let font = font_type.as_deref().filter(|font| !font.is_empty()).unwrap_or("SimHei");
    if !matches!(font, "SimHei" | "SimSun") {
        return Err(wrong(&format!("{here}.FontType"), format!("is SimHei or SimSun, not {font:?}")));
    }
    let align = match font_align.as_deref().unwrap_or_default() {
        "" | "Center" => Align::Center,
        "Left" => Align::Left,
        "Right" => Align::Right,
        other => {
            return Err(wrong(
                &format!("{here}.FontAlign"),
                format!("is Center, Left or Right, not {other:?}"),
            ));
        }
    };
    let size = measure("FontSize", font_size)?.filter(|size| !size.is_zero());
    let none = Measure::Pixels(0.0);
    let black = [0, 0, 0, 255];
    Ok(Style {
        font: font.to_owned(),
        size: size.unwrap_or(Measure::Percent(2.0)),
        height: measure("Height", height)?.filter(|height| !height.is_zero()),
        bottom: measure("MarginBottom", margin_bottom)?.unwrap_or(none),
        is_bold: flag("FontBold", font_bold)?,
        is_italic: flag("FontItalic", font_italic)?,
        color: paint("FontColor", font_color)?.unwrap_or(black),
        align,
        margin: measure("FontAlignMargin", font_align_margin)?.unwrap_or(none),
        border: measure("BorderWidth", border_width)?.unwrap_or(none),
        border_color: paint("BorderColor", border_color)?.unwrap_or(black),
        ground: paint("BottomColor", bottom_color)?,
    })
}
