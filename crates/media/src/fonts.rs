//! The API's names of fonts, and what stands for them.
//!
//! Most of these fonts are sold; each name has free families of the same script and nearly the same look, the best one
//! first. What is used is the first one that is installed.

use mps_wire::ApiError;
use mps_wire::codes::{unsupported_operation, value_of};

use crate::plan::Build;

/// A name with the families that stand for it and the Debian package of the last one.
struct Font {
    names: &'static [&'static str],
    families: &'static [&'static str],
    package: &'static str,
}

const fn font(
    names: &'static [&'static str],
    families: &'static [&'static str],
    package: &'static str,
) -> Font {
    Font { names, families, package }
}

const CJK: &str = "fonts-noto-cjk";
const CORE: &str = "fonts-noto-core";

const SANS: &str = "Noto Sans CJK SC";
const LATIN: &[&str] = &["Arial", "Liberation Sans", "Noto Sans"];

const FONTS: &[Font] = &[
    font(&["hei.ttf", "SimHei"], &["SimHei", SANS], CJK),
    font(&["song.ttf", "SimSun"], &["SimSun", "Noto Serif CJK SC"], CJK),
    font(&["kai.ttf", "simkai.ttf"], &["KaiTi", "AR PL UKai CN", "Noto Serif CJK SC"], CJK),
    font(&["msyh.ttf", "msyhbd.ttf"], &["Microsoft YaHei", SANS], CJK),
    font(&["hkjgt.ttf", "dhttx.ttf", "xqgdzt.ttf", "qpcyt.ttf"], &[SANS], CJK),
    font(&["arial.ttf", "helveticalt.ttf", "helveticains.ttf", "dinalternate.ttf"], LATIN, CORE),
    font(&["trajanpro.ttf"], &["Trajan Pro", "Liberation Serif", "Noto Serif"], CORE),
    font(&["korean.ttf", "notosanskr.ttf", "gothica1.ttf"], &["Noto Sans CJK KR"], CJK),
    font(&["nanummyeongjo.ttf"], &["NanumMyeongjo", "Noto Serif CJK KR"], CJK),
    font(&["japanese.ttf", "notosansjp.ttf"], &["Noto Sans CJK JP"], CJK),
    font(&["notoserifjp.ttf", "shipporimincho.ttf"], &["Noto Serif CJK JP"], CJK),
    font(&["notosanstc.ttf"], &["Noto Sans CJK TC"], CJK),
    font(&["thai.ttf", "notosansthai.ttf"], &["Noto Sans Thai"], CORE),
    font(&["sarabun.ttf"], &["Sarabun", "Noto Sans Thai"], CORE),
    font(&["kanit.ttf"], &["Kanit", "Noto Sans Thai"], CORE),
    font(&["charmonman.ttf"], &["Charmonman", "Noto Serif Thai"], CORE),
    font(&["notosans.ttf"], &["Noto Sans"], CORE),
    font(&["roboto.ttf"], &["Roboto", "Noto Sans"], CORE),
    font(&["notonaskharabic.ttf"], &["Noto Naskh Arabic"], CORE),
    font(&["notosansdevanagari.ttf"], &["Noto Sans Devanagari"], CORE),
];

/// The family that stands for `name` on this machine.
///
/// # Errors
/// `InvalidParameterValue` for a name that the API does not have; `UnsupportedOperation` naming the package
/// when no family of it is installed.
pub fn family(name: &str, build: &Build) -> Result<&'static str, ApiError> {
    let font = find(name)?;
    installed(font.families, build).ok_or_else(|| missing(name, font.package))
}

fn find(name: &str) -> Result<&'static Font, ApiError> {
    let known = FONTS.iter().find(|font| font.names.contains(&name));
    known.ok_or_else(|| value_of("FontType", format!("there is no font {name:?}")))
}

/// The family for one text in one font, without another to help out: that of `name`, unless it lacks the text's script.
///
/// # Errors
/// As for [`family`].
pub fn family_for(name: &str, text: &str, build: &Build) -> Result<&'static str, ApiError> {
    let needed = Script::of(text);
    let (families, package): (&[&str], _) = match needed {
        Script::Latin => return family(name, build),
        Script::Han if find(name)?.package == CJK => return family(name, build),
        Script::Han | Script::EastAsian => (&[SANS], CJK),
        Script::Cyrillic => (&["Arial", "Liberation Sans", "Noto Sans", SANS], CORE),
        Script::Thai => (&["Noto Sans Thai"], CORE),
        Script::Arabic => (&["Noto Naskh Arabic"], CORE),
        Script::Devanagari => (&["Noto Sans Devanagari"], CORE),
    };
    installed(families, build).ok_or_else(|| missing(name, package))
}

/// The family of a font file, also of a collection: that of its first face.
///
/// # Errors
/// `InvalidInput` when it is no TrueType or OpenType font or has no name.
pub fn family_of(font: &[u8]) -> mps_core::Result<String> {
    let broken = || mps_core::Error::invalid("the font is no TrueType or OpenType font with a name");
    let face = ttf_parser::Face::parse(font, 0).map_err(|_| broken())?;
    let names = face.names().into_iter().filter(|name| name.name_id == ttf_parser::name_id::FAMILY);
    let family = names.filter_map(|name| name.to_string()).find(|name| !name.trim().is_empty());
    // A script separates its fields by commas.
    family.filter(|name| !name.contains([',', '\n', '{', '}'])).ok_or_else(broken)
}

/// The text in stretches of one family each, for renderers that may change it within a line: that of `name` wherever it
/// has the script. What belongs to no script, such as a space, stays with what is before it.
///
/// # Errors
/// As for [`family`].
pub fn stretches<'t>(
    name: &str,
    text: &'t str,
    build: &Build,
) -> Result<Vec<(&'static str, &'t str)>, ApiError> {
    let mut found: Vec<(&'static str, &'t str)> = Vec::new();
    let mut from = 0;
    let mut now = None;
    let mut letter = [0; 4];
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
        let family = family_for(name, c.encode_utf8(&mut letter), build)?;
        match now {
            Some(before) if before != family => {
                found.push((before, &text[from..at]));
                from = at;
            }
            _ => {}
        }
        now = Some(family);
    }
    let last = match now {
        Some(family) => family,
        None => family_for(name, text, build)?,
    };
    found.push((last, &text[from..]));
    Ok(found)
}

/// Thousandths of the letters' size that a line of the family is high: renderers that count in lines need it.
pub fn line_permille(family: &str) -> u32 {
    const KNOWN: &[(&str, u32)] = &[
        ("Noto Sans CJK", 1448),
        ("Noto Serif CJK", 1437),
        ("Noto Sans", 1362),
        ("Noto Serif", 1362),
        ("Noto Naskh", 1703),
        ("Liberation Sans", 1117),
        ("Liberation Serif", 1107),
        ("Arial", 1117),
    ];
    KNOWN.iter().find(|(begins, _)| family.starts_with(begins)).map_or(1150, |(_, permille)| *permille)
}

fn installed(families: &'static [&'static str], build: &Build) -> Option<&'static str> {
    families.iter().copied().find(|family| build.has_font(family))
}

fn missing(name: &str, package: &str) -> ApiError {
    unsupported_operation(format!(
        "no font for {name} is installed on this server; install the package {package} and start it again"
    ))
}

/// What a font must have for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Han,
    /// Han with letters of Japanese or Korean, or with Cyrillic or Greek ones.
    EastAsian,
    Thai,
    Arabic,
    Devanagari,
}

impl Script {
    fn of(text: &str) -> Self {
        let has = |ranges: &[(char, char)]| {
            text.chars().any(|c| ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)))
        };
        let has_han = has(&[
            ('\u{2e80}', '\u{303f}'),
            ('\u{3400}', '\u{9fff}'),
            ('\u{f900}', '\u{faff}'),
            ('\u{ff00}', '\u{ffef}'),
            ('\u{20000}', '\u{323af}'),
        ]);
        let has_sounds = has(&[('\u{3040}', '\u{31ff}'), ('\u{1100}', '\u{11ff}'), ('\u{ac00}', '\u{d7af}')]);
        let is_wide = has(&[('\u{0370}', '\u{052f}')]);
        match () {
            () if has_sounds || (has_han && is_wide) => Self::EastAsian,
            () if has_han => Self::Han,
            () if has(&[('\u{0590}', '\u{077f}'), ('\u{fb1d}', '\u{fefc}')]) => Self::Arabic,
            () if has(&[('\u{0e00}', '\u{0e7f}')]) => Self::Thai,
            () if has(&[('\u{0900}', '\u{097f}')]) => Self::Devanagari,
            () if is_wide => Self::Cyrillic,
            () => Self::Latin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(families: &[&str]) -> Build {
        Build { fonts: families.iter().map(|name| (*name).to_owned()).collect(), ..Build::default() }
    }

    #[test]
    fn the_best_family_that_is_installed_is_taken() {
        let all = build(&["AR PL UKai CN", "Noto Serif CJK SC", "Liberation Sans"]);
        assert_eq!(family("simkai.ttf", &all).unwrap(), "AR PL UKai CN");
        assert_eq!(family("song.ttf", &all).unwrap(), "Noto Serif CJK SC");
        assert_eq!(family("arial.ttf", &all).unwrap(), "Liberation Sans");
        let told = family("hei.ttf", &all).unwrap_err();
        assert_eq!(told.code, "UnsupportedOperation");
        assert!(told.message.contains("fonts-noto-cjk"), "{}", told.message);
        assert_eq!(family("comic.ttf", &all).unwrap_err().code, "InvalidParameterValue");
    }

    #[test]
    fn a_line_changes_its_family_where_the_script_changes() {
        let all = build(&[SANS, "Liberation Sans"]);
        assert_eq!(
            stretches("SimHei", "片头 – Hi, Привет! 世界", &all).unwrap(),
            [(SANS, "片头 – Hi, "), ("Liberation Sans", "Привет! "), (SANS, "世界")]
        );
        assert_eq!(stretches("SimHei", "…", &all).unwrap(), [(SANS, "…")]);
        assert!(stretches("SimSun", "片", &all).is_err());
    }

    #[test]
    fn a_text_gets_a_font_that_has_its_script() {
        let all = build(&["AR PL UKai CN", SANS, "Liberation Sans", "Noto Sans Thai", "Noto Naskh Arabic"]);
        for (name, text, family) in [
            ("arial.ttf", "Live", "Liberation Sans"),
            ("arial.ttf", "直播", SANS),
            ("simkai.ttf", "Live 直播", "AR PL UKai CN"),
            ("simkai.ttf", "ライブ", SANS),
            ("simkai.ttf", "직접", SANS),
            ("simkai.ttf", "Прямой эфир", "Liberation Sans"),
            ("simkai.ttf", "эфир 直播", SANS),
            ("arial.ttf", "ถ่ายทอดสด", "Noto Sans Thai"),
            ("arial.ttf", "مباشر", "Noto Naskh Arabic"),
        ] {
            assert_eq!(family_for(name, text, &all).unwrap(), family, "{name} {text}");
        }
    }
}
