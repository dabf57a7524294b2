//! What a manifest of DASH says about keys.
//!
//! The packager tells every set of tracks about all keys. Here each set keeps the line that names its own key, and
//! gets from the key server's answer what belongs to that key and nothing else.

use std::fmt::Write as _;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_core::{Error, Result};
use roxmltree::{Document, Node};

use super::{ContentKey, KeySet, Kid, System, SystemData, pssh};

const CENC: &str = "urn:mpeg:cenc:2013";
const MP4_PROTECTION: &str = "urn:mpeg:dash:mp4protection:2011";

/// `manifest` with each set's own signals.
///
/// # Errors
/// `Internal` when the manifest is not one of the packager's, or names a key that is not among `keys`.
pub fn sign(manifest: &str, keys: &KeySet) -> Result<String> {
    let document = Document::parse(manifest)
        .map_err(|e| Error::internal("the packager's manifest cannot be read").because(e))?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let is_protection =
        |node: &Node<'_, '_>| node.has_tag_name(("urn:mpeg:dash:schema:mpd:2011", "ContentProtection"));
    for node in document.descendants().filter(is_protection) {
        if node.attribute("schemeIdUri") != Some(MP4_PROTECTION) {
            edits.push((node.range(), String::new()));
            continue;
        }
        let kid = node.attribute((CENC, "default_KID")).map(Kid::parse).transpose()?;
        let key = kid.and_then(|kid| keys.find(kid));
        let key = key.ok_or_else(|| Error::internal("the manifest names a key that was not given"))?;
        let end = node.range().end;
        edits.push((end..end, told(key)));
    }
    edits.sort_by_key(|(range, _)| range.start);
    Ok(edited(manifest, &edits))
}

/// The elements that tell the systems of DASH about a key.
fn told(key: &ContentKey) -> String {
    let mut out = String::new();
    for told in key.systems.iter().filter(|told| told.system != System::FairPlay) {
        let Some(boxes) = &told.pssh else { continue };
        let (uuid, pssh) = (told.system.uuid(), STANDARD.encode(boxes));
        let (value, more) = of_playready(told);
        let _ = write!(
            out,
            "\n      <ContentProtection{value} schemeIdUri=\"urn:uuid:{uuid}\">\
             \n        <cenc:pssh>{pssh}</cenc:pssh>{more}\n      </ContentProtection>"
        );
    }
    out
}

/// PlayReady's players look for their object without a box around it.
fn of_playready(told: &SystemData) -> (&'static str, String) {
    let object = match told.system {
        System::PlayReady => told.pssh.as_deref().and_then(|boxes| pssh::parse(boxes).ok()),
        _ => None,
    };
    match object.and_then(|boxes| boxes.into_iter().next()) {
        Some(first) => {
            let object = STANDARD.encode(first.data);
            (
                " value=\"MSPR 2.0\"",
                format!("\n        <mspr:pro xmlns:mspr=\"urn:microsoft:playready\">{object}</mspr:pro>"),
            )
        }
        None => ("", String::new()),
    }
}

/// Applies edits that are in order and do not overlap; a line that one leaves empty goes too.
fn edited(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (range, replacement) in edits {
        out.push_str(&text[at..range.start]);
        at = range.end;
        if replacement.is_empty() && text[at..].starts_with('\n') {
            out.truncate(out.trim_end_matches([' ', '\t']).len());
            at += 1;
        }
        out.push_str(replacement);
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drm::Scheme;
    use crate::drm::keys::{Iv, Key};

    fn key(byte: u8) -> ContentKey {
        let (kid, key) = (Kid::from([byte; 16]), Key::new([9; 16]));
        let told = |system, pssh: Option<Vec<u8>>| SystemData { system, pssh, key_uri: None };
        let systems = vec![
            told(System::Widevine, Some(pssh::widevine(kid, "f", Scheme::Cenc).bytes())),
            told(System::PlayReady, Some(pssh::playready(kid, &key, Scheme::Cenc).bytes())),
            told(System::FairPlay, None),
        ];
        ContentKey { kid, key, iv: Iv::from([0; 16]), systems }
    }

    fn manifest() -> String {
        let set = |byte: u8| {
            let kid = Kid::from([byte; 16]);
            format!(
                r#"    <AdaptationSet id="{byte}">
      <ContentProtection value="cenc" schemeIdUri="urn:mpeg:dash:mp4protection:2011" cenc:default_KID="{kid}"/>
      <ContentProtection schemeIdUri="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed">
        <cenc:pssh>YWxs</cenc:pssh>
      </ContentProtection>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
    </AdaptationSet>
"#
            )
        };
        format!(
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" xmlns:cenc=\"{CENC}\">\n  <Period>\n{}{}  </Period>\n</MPD>\n",
            set(1),
            set(2)
        )
    }

    #[test]
    fn each_set_is_told_about_its_own_key_alone() {
        let keys = KeySet(vec![key(1), key(2)]);
        let signed = sign(&manifest(), &keys).unwrap();
        let sets: Vec<&str> = signed.split("<AdaptationSet").skip(1).collect();
        for (nth, set) in sets.iter().enumerate() {
            for (other, key) in keys.0.iter().enumerate() {
                let pssh = STANDARD.encode(key.systems[0].pssh.as_ref().unwrap());
                assert_eq!(set.contains(&pssh), nth == other, "{signed}");
            }
            assert!(!set.contains("YWxs") && set.contains("<Role ") && set.contains("MSPR 2.0"));
            assert!(!set.contains(&System::FairPlay.uuid()));
            assert_eq!(set.matches("<ContentProtection").count(), 3);
        }
        let again = Document::parse(&signed).unwrap();
        assert_eq!(again.descendants().filter(|node| node.has_tag_name((CENC, "pssh"))).count(), 4);
        assert_eq!(sign(&signed, &keys).unwrap(), signed, "signing twice changes nothing");
    }

    #[test]
    fn a_key_that_was_not_given_is_an_error() {
        assert!(sign(&manifest(), &KeySet(vec![key(1)])).is_err());
        assert!(sign("<MPD", &KeySet(Vec::new())).is_err());
    }
}
