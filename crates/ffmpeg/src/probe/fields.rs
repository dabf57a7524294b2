//! Reading a prober's JSON without trusting it: numbers come as text or as numbers, as `N/A`, or not at all.

use mps_core::media_info::Ratio;
use serde_json::Value;

/// Characters kept of a text that comes from the file.
const TEXT_AT_MOST: usize = 256;

/// A text; empty when absent. Control characters are dropped, and what is too long is cut.
pub(super) fn text(object: &Value, key: &str) -> String {
    object.get(key).and_then(Value::as_str).map(clean).unwrap_or_default()
}

/// A text that the prober uses for "do not know" counts as absent.
pub(super) fn known_text(object: &Value, key: &str) -> String {
    let text = text(object, key);
    if matches!(text.as_str(), "unknown" | "N/A" | "und" | "reserved") { String::new() } else { text }
}

/// A tag, whatever the case of its name.
pub(super) fn tag(object: &Value, name: &str) -> Option<String> {
    let tags = object.get("tags")?.as_object()?;
    let (_, value) = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    value.as_str().map(clean)
}

/// A whole number.
pub(super) fn integer(object: &Value, key: &str) -> Option<i64> {
    match object.get(key)? {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|f| f as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number that cannot be negative; absent otherwise.
pub(super) fn count(object: &Value, key: &str) -> Option<u64> {
    integer(object, key).and_then(|n| u64::try_from(n).ok())
}

/// A number of at most 32 bits; 0 otherwise.
pub(super) fn small(object: &Value, key: &str) -> u32 {
    count(object, key).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// Seconds as a decimal, in microseconds.
pub(super) fn micros(object: &Value, key: &str) -> Option<i64> {
    let seconds = match object.get(key)? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    seconds_to_micros(seconds)
}

/// Nothing for what is no number or longer than 10,000 years.
pub(super) fn seconds_to_micros(seconds: f64) -> Option<i64> {
    (seconds.is_finite() && seconds.abs() < 3.2e11).then(|| (seconds * 1e6).round() as i64)
}

/// `HH:MM:SS.fraction` as Matroska tags write it, in microseconds.
pub(super) fn clock_micros(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, ':');
    let hours: f64 = parts.next()?.parse().ok()?;
    let minutes: f64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next()?.parse().ok()?;
    seconds_to_micros(hours * 3600.0 + minutes * 60.0 + seconds)
}

/// `a/b` or `a:b`; unknown when it is neither.
pub(super) fn ratio(object: &Value, key: &str) -> Ratio {
    let parse = |text: &str| {
        let (num, den) = text.split_once(['/', ':'])?;
        Some(Ratio::new(num.trim().parse().ok()?, den.trim().parse().ok()?))
    };
    object.get(key).and_then(Value::as_str).and_then(parse).filter(|r| r.is_known()).unwrap_or_default()
}

/// A member of a list; an empty slice when there is no list.
pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a disposition is set.
pub(super) fn disposition(stream: &Value, name: &str) -> bool {
    stream.get("disposition").and_then(|d| integer(d, name)) == Some(1)
}

/// The bytes of a hex dump: lines of an address, groups of hex digits, two spaces and the bytes as characters.
pub(super) fn hex_dump(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines() {
        let Some((_, rest)) = line.split_once(": ") else { continue };
        let groups = rest.split("  ").next().unwrap_or_default();
        for group in groups.split_whitespace() {
            let digits = group.as_bytes().chunks_exact(2);
            for pair in digits {
                let Some(byte) = std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok())
                else {
                    return bytes;
                };
                bytes.push(byte);
            }
        }
    }
    bytes
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_AT_MOST).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_come_in_any_dress() {
        let value = json!({"a": "12", "b": 12, "c": "N/A", "d": -3, "e": 1e30, "f": null, "g": 4.0});
        assert_eq!(
            (integer(&value, "a"), integer(&value, "b"), integer(&value, "g")),
            (Some(12), Some(12), Some(4))
        );
        assert_eq!((integer(&value, "c"), count(&value, "d"), integer(&value, "f")), (None, None, None));
        assert_eq!(small(&value, "e"), 0);
    }

    #[test]
    fn times_are_exact_to_the_microsecond() {
        let value = json!({"a": "1.001000", "b": "-0.021", "c": "inf", "d": "N/A", "e": "1e99"});
        assert_eq!((micros(&value, "a"), micros(&value, "b")), (Some(1_001_000), Some(-21_000)));
        assert_eq!((micros(&value, "c"), micros(&value, "d"), micros(&value, "e")), (None, None, None));
        assert_eq!(clock_micros("01:00:02.500000000"), Some(3_602_500_000));
        assert_eq!(clock_micros("2.5"), None);
    }

    #[test]
    fn ratios_without_a_value_are_unknown() {
        let value = json!({"a": "30000/1001", "b": "0/0", "c": "0:1", "d": "16:9", "e": "x/1", "f": "-1/2"});
        assert_eq!(ratio(&value, "a"), Ratio::new(30_000, 1001));
        assert_eq!(ratio(&value, "d"), Ratio::new(16, 9));
        assert!(["b", "c", "e", "f", "g"].iter().all(|key| !ratio(&value, key).is_known()));
    }

    #[test]
    fn a_hex_dump_gives_its_bytes_back() {
        let dump = "\n00000000: 0164 001f ffe1  .d....\n00000010: 2c                 ,\n";
        assert_eq!(hex_dump(dump), [0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x2c]);
        assert!(hex_dump("nothing").is_empty());
    }

    #[test]
    fn text_from_a_file_is_cut_and_cleaned() {
        let value = json!({"a": format!("x\u{1b}[31m{}", "y".repeat(999))});
        let cleaned = text(&value, "a");
        assert!(cleaned.len() == TEXT_AT_MOST && cleaned.starts_with("x[31my"));
    }
}
