//! What playlists of HLS say about keys.
//!
//! The packager writes one address for all keys of FairPlay, without a vector, and none that a browser's own system
//! takes; so its lines are taken out and ours written instead, one for each system that was told something.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ContentKey, Scheme, SimpleAes, System, SystemData};

const KEY: &str = "#EXT-X-KEY:";

/// `playlist`, of media and not of renditions, with the lines of `key` in place of any others.
pub fn sign(playlist: &str, key: &ContentKey, scheme: Scheme) -> String {
    let lines: Vec<String> = key.systems.iter().filter_map(|told| line(told, key, scheme)).collect();
    with_lines(playlist, &lines)
}

/// `playlist` of segments that [`super::aes128`] encrypts. Their header, if they have one, stays clear.
pub fn sign_simple(playlist: &str, aes: &SimpleAes) -> String {
    let vector = aes.iv.map(|iv| format!(",IV=0x{}", iv.hex())).unwrap_or_default();
    with_lines(playlist, &[format!("{KEY}METHOD=AES-128,URI=\"{}\"{vector}", aes.uri)])
}

/// `playlist` without any lines about keys.
pub fn unsigned(playlist: &str) -> String {
    with_lines(playlist, &[])
}

/// The line of a playlist for players of one system; `None` where nothing can be said to them.
pub fn line(told: &SystemData, key: &ContentKey, scheme: Scheme) -> Option<String> {
    let uri = told.key_uri.clone().or_else(|| own_uri(told, key))?;
    let key_id = match told.system {
        System::Widevine => format!(",KEYID=0x{}", key.kid.hex()),
        _ => String::new(),
    };
    // In counter mode each sample has a vector of its own, in the file.
    let vector = match scheme {
        Scheme::Cbcs => format!(",IV=0x{}", key.iv.hex()),
        Scheme::Cenc => String::new(),
    };
    let (method, format) = (scheme.method(), told.system.key_format());
    Some(format!(
        "{KEY}METHOD={method},URI=\"{uri}\"{key_id}{vector},KEYFORMAT=\"{format}\",KEYFORMATVERSIONS=\"1\""
    ))
}

/// What a system's line holds by its own rules, where the server said nothing else.
fn own_uri(told: &SystemData, key: &ContentKey) -> Option<String> {
    match told.system {
        System::Widevine => {
            told.pssh.as_ref().map(|pssh| format!("data:text/plain;base64,{}", STANDARD.encode(pssh)))
        }
        System::PlayReady => {
            let data = super::pssh::parse(told.pssh.as_deref()?).ok()?.into_iter().next()?.data;
            Some(format!("data:text/plain;charset=UTF-16;base64,{}", STANDARD.encode(data)))
        }
        System::FairPlay => None,
        System::ClearKey => Some(format!("data:text/plain;base64,{}", STANDARD.encode(key.kid.bytes()))),
    }
}

/// Puts `lines` in front of the first segment, behind the header's line: so they are about segments alone.
fn with_lines(playlist: &str, lines: &[String]) -> String {
    let mut out = String::with_capacity(playlist.len() + 1024);
    let mut is_told = false;
    for text in playlist.lines().filter(|text| !text.starts_with(KEY)) {
        let begins = text.starts_with("#EXTINF:") || text.starts_with("#EXT-X-BYTERANGE:");
        if begins && !is_told {
            is_told = true;
            for line in lines {
                out.push_str(line);
                out.push('\n');
            }
        }
        out.push_str(text);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drm::keys::{Iv, Key, Kid};
    use crate::drm::pssh;
    use mps_core::Secret;

    const PLAYLIST: &str = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-MAP:URI=\"i.mp4\"\n\
        #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\",KEYFORMAT=\"identity\"\n\
        #EXTINF:2.000,\n1.m4s\n#EXTINF:2.000,\n2.m4s\n#EXT-X-ENDLIST\n";

    fn key() -> ContentKey {
        let (kid, key) = (Kid::from([0x11; 16]), Key::new([9; 16]));
        let told = |system, pssh: Option<pssh::Pssh>, uri: Option<&str>| SystemData {
            system,
            pssh: pssh.map(|pssh| pssh.bytes()),
            key_uri: uri.map(str::to_owned),
        };
        let systems = vec![
            told(System::Widevine, Some(pssh::widevine(kid, "f", Scheme::Cbcs)), None),
            told(System::PlayReady, Some(pssh::playready(kid, &key, Scheme::Cbcs)), None),
            told(System::FairPlay, None, Some("skd://film-1/1")),
            told(System::ClearKey, Some(pssh::common(&[kid])), None),
        ];
        ContentKey { kid, key, iv: Iv::from([0x22; 16]), systems }
    }

    #[test]
    fn each_system_gets_its_line_in_front_of_the_first_segment_and_old_ones_go() {
        let signed = sign(PLAYLIST, &key(), Scheme::Cbcs);
        let lines: Vec<&str> = signed.lines().collect();
        assert_eq!(lines[2], "#EXT-X-MAP:URI=\"i.mp4\"");
        assert_eq!(lines[7], "#EXTINF:2.000,");
        let iv = "22".repeat(16);
        assert!(lines[3].contains(&format!("KEYID=0x{},IV=0x{iv},", "11".repeat(16))), "{}", lines[3]);
        assert!(lines[3].starts_with("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,AAAA"));
        assert!(
            lines[3].ends_with(
                r#"KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",KEYFORMATVERSIONS="1""#
            )
        );
        assert!(lines[4].contains("charset=UTF-16;base64,") && lines[4].contains("com.microsoft.playready"));
        assert_eq!(
            lines[5],
            format!(
                r#"#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://film-1/1",IV=0x{iv},KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1""#
            )
        );
        assert!(
            lines[6].contains("base64,EREREREREREREREREREREQ==\"") && lines[6].contains("org.w3.clearkey")
        );
        assert!(!unsigned(&signed).contains("EXT-X-KEY") && unsigned(&signed).contains("EXT-X-MAP"));
        assert!(!signed.contains("identity") && signed.ends_with("#EXT-X-ENDLIST\n"));
    }

    #[test]
    fn in_counter_mode_the_playlist_names_no_vector() {
        let signed = sign(PLAYLIST, &key(), Scheme::Cenc);
        assert!(signed.contains("METHOD=SAMPLE-AES-CTR,") && !signed.contains("IV=0x"), "{signed}");
    }

    #[test]
    fn whole_segments_have_one_line_that_leaves_the_header_clear() {
        let mut aes = SimpleAes {
            uri: "https://k/1?a=b".to_owned(),
            key: Secret::new("00112233445566778899aabbccddeeff"),
            iv: Some(Iv::from([0x22; 16])),
        };
        let lines =
            |aes: &SimpleAes| sign_simple(PLAYLIST, aes).lines().map(str::to_owned).collect::<Vec<_>>();
        let wanted = format!(r#"#EXT-X-KEY:METHOD=AES-128,URI="https://k/1?a=b",IV=0x{}"#, "22".repeat(16));
        assert_eq!(lines(&aes)[2..4], ["#EXT-X-MAP:URI=\"i.mp4\"".to_owned(), wanted]);
        aes.iv = None;
        assert_eq!(lines(&aes)[3], r#"#EXT-X-KEY:METHOD=AES-128,URI="https://k/1?a=b""#);
        assert!(!sign_simple(PLAYLIST, &aes).contains("0011"));
    }
}
