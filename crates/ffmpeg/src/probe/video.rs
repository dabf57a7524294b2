//! What is particular to pictures: rotation, fields, colours, dynamic range.

use mps_core::media_info::{Color, DynamicRange, FieldOrder, VideoStream};
use serde_json::Value;

use super::fields::{integer, known_text, list, text};

/// Bits of a component: told, or read off the pixel format's name; 8 when neither tells.
pub(super) fn bit_depth(stream: &Value, pixel_format: &str) -> u32 {
    let told = integer(stream, "bits_per_raw_sample").and_then(|n| u32::try_from(n).ok());
    told.filter(|bits| (1..=32).contains(bits)).unwrap_or_else(|| named_depth(pixel_format))
}

fn named_depth(pixel_format: &str) -> u32 {
    let name = pixel_format.trim_end_matches("le").trim_end_matches("be");
    let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (stem, number) = name.split_at(digits);
    let number: u32 = number.parse().unwrap_or(0);
    match number {
        // Planar formats end in p and the depth, greys in the depth alone; p010 and its kin name it with a zero.
        9 | 10 | 12 | 14 | 16 if stem.ends_with('p') || stem.starts_with("gray") => number,
        10 | 12 | 16 if stem.is_empty() || stem == "x2rgb" || stem == "x2bgr" => number,
        48 | 64 if stem.starts_with("rgb") || stem.starts_with("bgr") => 16,
        _ if matches!(name, "p010" | "p210" | "p410" | "y210") => 10,
        _ if matches!(name, "p012" | "p212" | "p412" | "y212") => 12,
        _ if matches!(name, "p016" | "p216" | "p416" | "y216" | "rgba64" | "bgra64") => 16,
        _ => 8,
    }
}

/// The first letter tells which field is coded first, the second which is shown first: that one counts.
pub(super) fn field_order(stream: &Value) -> FieldOrder {
    match text(stream, "field_order").as_str() {
        "progressive" => FieldOrder::Progressive,
        "tt" | "bt" => FieldOrder::TopFirst,
        "bb" | "tb" => FieldOrder::BottomFirst,
        _ => FieldOrder::Unknown,
    }
}

pub(super) fn color(stream: &Value) -> Color {
    Color {
        range: known_text(stream, "color_range"),
        space: known_text(stream, "color_space"),
        transfer: known_text(stream, "color_transfer"),
        primaries: known_text(stream, "color_primaries"),
        mastering_display: String::new(),
        content_light: String::new(),
    }
}

/// Applies side data of a stream or of its first frame.
pub(super) fn add_side_data(video: &mut VideoStream, side_data: &[Value]) {
    for item in side_data {
        let kind = text(item, "side_data_type");
        match kind.as_str() {
            "Display Matrix" | "3x3 displaymatrix" => {
                if let Some((rotation, mirrored)) = display_matrix(item) {
                    video.rotation_degrees = rotation;
                    video.is_mirrored = mirrored;
                }
            }
            "Mastering display metadata" => {
                if let Some(mastering) = mastering_display(item) {
                    video.color.mastering_display = mastering;
                }
            }
            "Content light level metadata" => {
                let level = |key| integer(item, key).unwrap_or(0).max(0);
                video.color.content_light = format!("{},{}", level("max_content"), level("max_average"));
            }
            "DOVI configuration record" => video.dynamic_range = DynamicRange::DolbyVision,
            _ if video.dynamic_range == DynamicRange::DolbyVision => {}
            _ if kind.contains("2094-40") || kind.contains("HDR10+") => {
                video.dynamic_range = DynamicRange::Hdr10Plus;
            }
            _ => {}
        }
    }
}

/// The range that the transfer alone tells.
pub(super) fn range_of_transfer(transfer: &str) -> DynamicRange {
    match transfer {
        "smpte2084" => DynamicRange::Hdr10,
        "arib-std-b67" => DynamicRange::Hlg,
        _ => DynamicRange::Sdr,
    }
}

/// Side data of a stream as listed by the prober.
pub(super) fn side_data(object: &Value) -> &[Value] {
    list(object, "side_data_list")
}

/// Clockwise quarter turns, and whether the picture is flipped top to bottom before it is turned.
///
/// The matrix maps x to its first column and y to its second; a negative determinant mirrors. Angles that are no
/// quarter turn are taken to the nearest one.
fn display_matrix(item: &Value) -> Option<(u32, bool)> {
    let matrix = matrix_numbers(&text_raw(item, "displaymatrix"));
    if let Some([a, b, _, c, d, ..]) = matrix {
        if a == 0.0 && b == 0.0 {
            return None;
        }
        let mirrored = a * d - b * c < 0.0;
        return Some((quarter_turn(b.atan2(a).to_degrees()), mirrored));
    }
    let counter_clockwise = item.get("rotation").and_then(Value::as_f64)?;
    Some((quarter_turn(-counter_clockwise), false))
}

fn quarter_turn(clockwise_degrees: f64) -> u32 {
    if !clockwise_degrees.is_finite() {
        return 0;
    }
    let turns = (clockwise_degrees.rem_euclid(360.0) / 90.0).round() as u32;
    turns % 4 * 90
}

fn text_raw(item: &Value, key: &str) -> String {
    item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn matrix_numbers(dump: &str) -> Option<[f64; 9]> {
    let rows = dump.lines().filter_map(|line| line.split_once(':'));
    let numbers: Vec<f64> =
        rows.flat_map(|(_, row)| row.split_whitespace()).map_while(|n| n.parse().ok()).take(9).collect();
    numbers.try_into().ok()
}

/// In x265's units: chromaticity by 1/50000, luminance by 1/10000 candela per square metre.
fn mastering_display(item: &Value) -> Option<String> {
    let scaled = |key: &str, unit: f64| {
        let (num, den) = item.get(key)?.as_str()?.split_once('/')?;
        let value = num.parse::<f64>().ok()? / den.parse::<f64>().ok()?;
        (value.is_finite() && (0.0..1e6).contains(&value)).then(|| (value * unit).round() as u64)
    };
    let point = |x, y| Some(format!("({},{})", scaled(x, 50_000.0)?, scaled(y, 50_000.0)?));
    let green = point("green_x", "green_y")?;
    let blue = point("blue_x", "blue_y")?;
    let red = point("red_x", "red_y")?;
    let white = point("white_point_x", "white_point_y")?;
    let (max, min) = (scaled("max_luminance", 10_000.0)?, scaled("min_luminance", 10_000.0)?);
    Some(format!("G{green}B{blue}R{red}WP{white}L({max},{min})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matrix(numbers: [i64; 4]) -> Value {
        let [a, b, c, d] = numbers.map(|n| n * 65_536);
        let dump = format!("\n00000000: {a} {b} 0\n00000001: {c} {d} 0\n00000002: 0 0 1073741824\n");
        json!({"side_data_type": "Display Matrix", "displaymatrix": dump, "rotation": 0})
    }

    #[test]
    fn every_quarter_turn_and_mirror() {
        for (numbers, expected) in [
            ([1, 0, 0, 1], (0, false)),
            ([0, 1, -1, 0], (90, false)),
            ([-1, 0, 0, -1], (180, false)),
            ([0, -1, 1, 0], (270, false)),
            ([1, 0, 0, -1], (0, true)),
            ([-1, 0, 0, 1], (180, true)),
            ([0, 1, 1, 0], (90, true)),
        ] {
            assert_eq!(display_matrix(&matrix(numbers)), Some(expected), "{numbers:?}");
        }
    }

    #[test]
    fn rotation_alone_is_counter_clockwise() {
        assert_eq!(display_matrix(&json!({"rotation": -90})), Some((90, false)));
        assert_eq!(display_matrix(&json!({"rotation": 180})), Some((180, false)));
        assert_eq!(display_matrix(&json!({"displaymatrix": "0: 0 0 0 0 0 0 0 0 0"})), None);
        assert_eq!(display_matrix(&json!({})), None);
    }

    #[test]
    fn depth_from_the_name() {
        for (name, depth) in [
            ("yuv420p", 8),
            ("yuv420p10le", 10),
            ("yuv444p12be", 12),
            ("p010le", 10),
            ("nv12", 8),
            ("gray16le", 16),
            ("gray", 8),
            ("rgb48be", 16),
            ("rgb24", 8),
            ("yuva444p16le", 16),
            ("pal8", 8),
            ("", 8),
        ] {
            assert_eq!(named_depth(name), depth, "{name}");
        }
    }

    #[test]
    fn mastering_display_in_x265s_words() {
        let item = json!({
            "red_x": "34000/50000", "red_y": "16000/50000", "green_x": "13250/50000", "green_y": "34500/50000",
            "blue_x": "7500/50000", "blue_y": "3000/50000", "white_point_x": "15635/50000",
            "white_point_y": "16450/50000", "min_luminance": "1/10000", "max_luminance": "10000000/10000"
        });
        assert_eq!(
            mastering_display(&item).unwrap(),
            "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
        );
        assert_eq!(mastering_display(&json!({"red_x": "1/0"})), None);
    }

    #[test]
    fn dolby_vision_outranks_the_rest() {
        let mut video = VideoStream { dynamic_range: DynamicRange::Hdr10, ..VideoStream::default() };
        add_side_data(
            &mut video,
            &[
                json!({"side_data_type": "DOVI configuration record"}),
                json!({"side_data_type": "HDR Dynamic Metadata SMPTE2094-40 (HDR10+)"}),
                json!({"side_data_type": "Content light level metadata", "max_content": 1000, "max_average": 200}),
            ],
        );
        assert_eq!(video.dynamic_range, DynamicRange::DolbyVision);
        assert_eq!(video.color.content_light, "1000,200");
    }
}
