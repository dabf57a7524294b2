//! RFC 6381 codec strings, as HLS and DASH name codecs, from a stream's decoder configuration.

use std::fmt::Write;

use serde_json::Value;

use super::fields::{hex_dump, integer, text};

/// The string for a stream; empty when it cannot be told.
pub(super) fn codecs(stream: &Value) -> String {
    let extradata = stream.get("extradata").and_then(Value::as_str).map(hex_dump).unwrap_or_default();
    let tag = text(stream, "codec_tag_string");
    let profile = text(stream, "profile");
    let built = match text(stream, "codec_name").as_str() {
        "h264" => avc(&extradata, if tag == "avc3" { "avc3" } else { "avc1" }),
        "hevc" => hevc(&extradata, if tag == "hev1" { "hev1" } else { "hvc1" }),
        "av1" => av1(&extradata),
        "vp8" => Some("vp8".to_owned()),
        "vp9" => vp9(stream),
        "mpeg2video" => Some("mp4v.61".to_owned()),
        "mpeg4" => mpeg4(&extradata),
        "aac" => Some(format!("mp4a.40.{}", aac_object_type(&profile, &extradata))),
        "mp3" => Some("mp4a.40.34".to_owned()),
        "mp2" => Some("mp4a.40.33".to_owned()),
        "opus" => Some("opus".to_owned()),
        "vorbis" => Some("vorbis".to_owned()),
        "flac" => Some("flac".to_owned()),
        "alac" => Some("alac".to_owned()),
        "ac3" => Some("ac-3".to_owned()),
        "eac3" => Some("ec-3".to_owned()),
        "dts" => Some("dtsc".to_owned()),
        _ => None,
    };
    // A prober that knows the string itself helps out.
    built.unwrap_or_else(|| text(stream, "mime_codec_string"))
}

fn avc(extradata: &[u8], name: &str) -> Option<String> {
    let [profile, compatibility, level] = match extradata {
        [1, profile, compatibility, level, ..] => [*profile, *compatibility, *level],
        annex_b => {
            let sps = nal_units(annex_b).find(|nal| nal.first().is_some_and(|head| head & 0x1f == 7))?;
            [*sps.get(1)?, *sps.get(2)?, *sps.get(3)?]
        }
    };
    Some(format!("{name}.{profile:02x}{compatibility:02x}{level:02x}"))
}

/// The twelve bytes of profile, tier and level lie in `hvcC` from its second byte, in an SPS from its fourth.
fn hevc(extradata: &[u8], name: &str) -> Option<String> {
    let unescaped;
    let tier_level: &[u8] = if extradata.first() == Some(&1) {
        extradata.get(1..13)?
    } else {
        let sps =
            nal_units(extradata).find(|nal| nal.first().is_some_and(|head| (head >> 1) & 0x3f == 33))?;
        unescaped = unescape(sps);
        unescaped.get(3..15)?
    };
    let [first, c0, c1, c2, c3, constraints @ .., level] = tier_level else { return None };
    let space = ["", "A", "B", "C"][usize::from(first >> 6)];
    let tier = if first & 0x20 == 0 { 'L' } else { 'H' };
    let profile = first & 0x1f;
    let compatibility = u32::from_be_bytes([*c0, *c1, *c2, *c3]).reverse_bits();
    let mut out = format!("{name}.{space}{profile}.{compatibility:X}.{tier}{level}");
    let kept = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in &constraints[..kept] {
        // Writing to a String cannot fail.
        let _ = write!(out, ".{byte:X}");
    }
    Some(out)
}

fn av1(extradata: &[u8]) -> Option<String> {
    let [0x81, profile_level, flags, ..] = extradata else { return None };
    let (profile, level) = (profile_level >> 5, profile_level & 0x1f);
    let tier = if flags & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (flags & 0x40 != 0, flags & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    Some(format!("av01.{profile}.{level:02}{tier}.{depth:02}"))
}

fn vp9(stream: &Value) -> Option<String> {
    let profile: u8 = text(stream, "profile").strip_prefix("Profile ")?.trim().parse().ok()?;
    let level = integer(stream, "level").filter(|level| (10..=62).contains(level))?;
    let pixels = text(stream, "pix_fmt");
    let depth = super::video::bit_depth(stream, &pixels);
    Some(format!("vp09.{profile:02}.{level:02}.{depth:02}"))
}

fn mpeg4(extradata: &[u8]) -> Option<String> {
    let at = extradata.windows(4).position(|code| code == [0, 0, 1, 0xb0])?;
    Some(format!("mp4v.20.{}", extradata.get(at + 4)?))
}

fn aac_object_type(profile: &str, extradata: &[u8]) -> u8 {
    match profile {
        "LC" => 2,
        "HE-AAC" => 5,
        "HE-AACv2" => 29,
        "Main" => 1,
        "SSR" => 3,
        "LTP" => 4,
        "LD" => 23,
        "ELD" => 39,
        "xHE-AAC" => 42,
        _ => extradata.first().map(|byte| byte >> 3).filter(|kind| (1..=30).contains(kind)).unwrap_or(2),
    }
}

/// Units between start codes.
fn nal_units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let begin = rest.windows(3).position(|code| code == [0, 0, 1])? + 3;
        let unit = &rest[begin..];
        let end = unit.windows(3).position(|code| code == [0, 0, 1]).unwrap_or(unit.len());
        rest = &unit[end..];
        Some(&unit[..end])
    })
}

/// Drops the bytes that keep start codes out of a unit.
fn unescape(unit: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len());
    for &byte in unit {
        if byte != 3 || !out.ends_with(&[0, 0]) {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dump(bytes: &[u8]) -> String {
        let mut out = String::from("\n00000000: ");
        for (at, byte) in bytes.iter().enumerate() {
            let gap = if at % 2 == 1 { " " } else { "" };
            let _ = write!(out, "{byte:02x}{gap}");
        }
        out + "  ...\n"
    }

    fn of(codec: &str, profile: &str, extradata: &[u8]) -> String {
        codecs(&json!({"codec_name": codec, "profile": profile, "extradata": dump(extradata)}))
    }

    #[test]
    fn h264_from_a_file_and_from_a_stream() {
        assert_eq!(of("h264", "High", &[1, 0x64, 0, 0x1f, 0xff]), "avc1.64001f");
        assert_eq!(
            of("h264", "Main", &[0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 0x4d, 0x40, 0x1e, 9]),
            "avc1.4d401e"
        );
        assert_eq!(of("h264", "High", &[]), "");
    }

    #[test]
    fn hevc_from_a_file_and_from_a_stream() {
        let level = [0x02, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 0x99];
        let hvcc: Vec<u8> = [&[1][..], &level, &[0xf0]].concat();
        assert_eq!(of("hevc", "Main 10", &hvcc), "hvc1.2.4.L153.B0");
        // In a stream the zeros are interrupted, lest they look like a start code.
        let escaped = [
            0, 0, 1, 0x42, 1, 1, 0x02, 0x20, 0, 0, 3, 0, 0xb0, 0, 0, 3, 0, 0, 3, 0, 0x99, 0xa0, 0, 0, 1, 0x44,
        ];
        assert_eq!(of("hevc", "Main 10", &escaped), "hvc1.2.4.L153.B0");
    }

    #[test]
    fn av1_vp9_and_sound() {
        assert_eq!(of("av1", "Main", &[0x81, 0x08, 0x4c, 0]), "av01.0.08M.10");
        let vp9 = json!({"codec_name": "vp9", "profile": "Profile 2", "level": 41, "pix_fmt": "yuv420p10le"});
        assert_eq!(codecs(&vp9), "vp09.02.41.10");
        assert_eq!(of("aac", "LC", &[]), "mp4a.40.2");
        assert_eq!(of("aac", "HE-AACv2", &[]), "mp4a.40.29");
        assert_eq!(of("aac", "", &[0x2b, 0x92]), "mp4a.40.5");
        assert_eq!(of("eac3", "", &[]), "ec-3");
    }

    #[test]
    fn the_probers_own_string_fills_the_gap() {
        let stream = json!({"codec_name": "vp9", "level": -99, "mime_codec_string": "vp09.00.10.08"});
        assert_eq!(codecs(&stream), "vp09.00.10.08");
        assert_eq!(codecs(&json!({"codec_name": "cinepak"})), "");
    }
}
