//! Questions as vendors read them, and answers as they should not be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_core::{Blame, Retry};
use proptest::prelude::*;

use super::*;
use crate::drm::from_wire_tests::speke;
use crate::drm::tracks::{Wanted, ladder, wanted};
use crate::drm::{Kid, Preset, Speke, System, pssh};

const KEY: [u8; 16] = [0xab; 16];

fn asked(preset: Preset) -> (Speke, Vec<Wanted>) {
    let speke = speke(preset);
    let wanted = wanted(&speke, &ladder());
    (speke, wanted)
}

/// A good answer, whose parts a test replaces.
fn answer(speke: &Speke, wanted: &[Wanted]) -> String {
    let mut text = write(speke, wanted);
    for want in wanted {
        let secret = format!(
            "commonEncryptionScheme=\"cbcs\"><cpix:Data><pskc:Secret><pskc:PlainValue>{}</pskc:PlainValue></pskc:Secret></cpix:Data></cpix:ContentKey>",
            STANDARD.encode(KEY)
        );
        let at = text.find(&format!("ContentKey kid=\"{}\"", want.kid)).unwrap();
        let rest = text[at..].replacen("commonEncryptionScheme=\"cbcs\"/>", &secret, 1);
        text.replace_range(at.., &rest);
        for system in &speke.systems {
            let head = format!("kid=\"{}\" systemId=\"{}\">", want.kid, system.uuid());
            let at = text.find(&head).unwrap();
            let boxes = match system {
                System::Widevine => pssh::widevine(want.kid, "film-1", speke.scheme).bytes(),
                _ => pssh::playready(want.kid, &crate::drm::Key::new(KEY), speke.scheme).bytes(),
            };
            let pssh = format!("<cpix:PSSH>{}</cpix:PSSH>", STANDARD.encode(boxes));
            let line = format!("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://film-1/{}\",X=\"y\"", want.kid);
            let hls = format!(
                "<cpix:HLSSignalingData playlist=\"media\">{}</cpix:HLSSignalingData>",
                STANDARD.encode(line)
            );
            let mut rest =
                text[at..].replacen("<cpix:PSSH/>", &pssh, usize::from(*system != System::FairPlay));
            if *system == System::FairPlay {
                rest = rest.replacen("<cpix:HLSSignalingData playlist=\"media\"/>", &hls, 1);
            }
            text.replace_range(at.., &rest);
        }
    }
    text
}

fn refusal(text: &str, preset: Preset) -> String {
    let (speke, wanted) = asked(preset);
    let error = read(text.as_bytes(), &speke, &wanted).unwrap_err();
    assert_eq!((error.blame(), error.retry()), (Blame::Outside, Retry::Never));
    let told = error.chain();
    assert!(!told.contains(&STANDARD.encode(KEY)) && !told.contains("abab"), "{told}");
    told
}

fn spoilt(from: &str, to: &str) -> String {
    let (speke, wanted) = asked(Preset::OneKey);
    let good = answer(&speke, &wanted);
    assert!(good.contains(from), "{from} is not in {good}");
    refusal(&good.replace(from, to), Preset::OneKey)
}

#[test]
fn the_question_names_content_keys_systems_and_tracks() {
    let (speke, wanted) = asked(Preset::KeyPerStream);
    let text = write(&speke, &wanted);
    let document = roxmltree::Document::parse(&text).unwrap();
    let count = |name: &str| document.descendants().filter(|node| node.has_tag_name((CPIX, name))).count();
    assert_eq!(document.root_element().attribute("contentId"), Some("film-1"));
    assert_eq!((count("ContentKey"), count("DRMSystem"), count("ContentKeyUsageRule")), (3, 9, 3));
    assert_eq!((count("PSSH"), count("HLSSignalingData")), (6, 9));
    assert_eq!((count("VideoFilter"), count("AudioFilter")), (2, 1));
    for part in [
        "intendedTrackType=\"SD-2\"",
        "commonEncryptionScheme=\"cbcs\"",
        "explicitIV=\"ERERERERERERERERERERERERERERERE=\"",
        "systemId=\"94ce86fb-07ff-4f43-adb8-93d2fa968ca2\"",
    ] {
        let part = if part.starts_with("explicitIV") {
            format!("explicitIV=\"{}\"", STANDARD.encode([0x11; 16]))
        } else {
            part.to_owned()
        };
        assert!(text.contains(&part), "{part} is not in {text}");
    }
    assert!(!text.contains("t0p"), "the ticket is for the address alone");
    let dash = Speke { is_hls: false, ..speke };
    assert!(!write(&dash, &wanted).contains("HLSSignalingData"));
}

#[test]
fn a_good_answer_is_read_in_the_order_of_the_question() {
    let (speke, wanted) = asked(Preset::KeyPerStream);
    let keys = read(answer(&speke, &wanted).as_bytes(), &speke, &wanted).unwrap();
    let ids: Vec<Kid> = keys.0.iter().map(|key| key.kid).collect();
    assert_eq!(ids, wanted.iter().map(|want| want.kid).collect::<Vec<_>>());
    let first = &keys.0[0];
    assert_eq!((first.key.reveal(), first.iv), (&KEY, speke.iv));
    let systems: Vec<System> = first.systems.iter().map(|told| told.system).collect();
    assert_eq!(systems, [System::Widevine, System::PlayReady, System::FairPlay]);
    assert_eq!(first.systems[2].key_uri, Some(format!("skd://film-1/{}", first.kid)));
    assert!(first.systems[0].pssh.is_some() && first.systems[2].pssh.is_none());
}

#[test]
fn a_server_may_give_ids_and_vectors_of_its_own() {
    let (speke, wanted) = asked(Preset::KeyPerStream);
    let mut text = answer(&speke, &wanted);
    for (nth, want) in wanted.iter().enumerate() {
        text = text.replace(&want.kid.to_string(), &Kid::from([nth as u8 + 1; 16]).to_string());
    }
    text = text.replacen(&STANDARD.encode([0x11; 16]), &STANDARD.encode([0x33; 16]), 1);
    // The order of the keys does not matter where rules say what each is for.
    let begin = text.find("    <cpix:ContentKey kid").unwrap();
    let end = begin + text[begin..].find('\n').unwrap() + 1;
    let first = text[begin..end].to_owned();
    text.replace_range(begin..end, "");
    text = text.replacen("  </cpix:ContentKeyList>", &format!("{first}  </cpix:ContentKeyList>"), 1);
    let keys = read(text.as_bytes(), &speke, &wanted).unwrap();
    assert_eq!(keys.0.iter().map(|key| key.kid.bytes()[0]).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(keys.0[0].iv.bytes(), &[0x33; 16]);
    // Half of them is a mistake.
    let mixed = text.replace(&Kid::from([1; 16]).to_string(), &wanted[0].kid.to_string());
    assert!(refusal(&mixed, Preset::KeyPerStream).contains("others that were not"));
}

#[test]
fn clearkey_is_taken_when_offered_and_other_systems_are_not() {
    let (speke, wanted) = asked(Preset::OneKey);
    let kid = wanted[0].kid;
    let more = |id: &str, pssh: &[u8]| {
        format!(
            "<cpix:DRMSystem kid=\"{kid}\" systemId=\"{id}\"><cpix:PSSH>{}</cpix:PSSH></cpix:DRMSystem></cpix:DRMSystemList>",
            STANDARD.encode(pssh)
        )
    };
    let good = answer(&speke, &wanted);
    let offered = more(&System::ClearKey.uuid(), &pssh::common(&[kid]).bytes());
    let offered = good.replace("</cpix:DRMSystemList>", &offered);
    let keys = read(offered.as_bytes(), &speke, &wanted).unwrap();
    assert_eq!(keys.0[0].systems.last().unwrap().system, System::ClearKey);
    let marlin = good.replace("</cpix:DRMSystemList>", &more("5e629af5-38da-4063-8977-97ffbd9902d4", b"?"));
    assert_eq!(read(marlin.as_bytes(), &speke, &wanted).unwrap().0[0].systems.len(), 3);
    let narrow = Speke { systems: vec![System::Widevine], ..speke };
    assert_eq!(read(good.as_bytes(), &narrow, &wanted).unwrap().0[0].systems.len(), 1);
}

#[test]
fn the_address_of_an_older_servers_answer_is_understood() {
    let (speke, wanted) = asked(Preset::OneKey);
    let good = answer(&speke, &wanted);
    let begin = good.rfind("<cpix:HLSSignalingData playlist=\"media\">").unwrap();
    let end = begin + good[begin..].find("</cpix:HLSSignalingData>").unwrap();
    let older = format!(
        "{}<cpix:URIExtXKey>{}</cpix:URIExtXKey>{}",
        &good[..begin],
        STANDARD.encode("skd://older"),
        &good[end + "</cpix:HLSSignalingData>".len()..]
    );
    let keys = read(older.as_bytes(), &speke, &wanted).unwrap();
    assert_eq!(keys.0[0].systems[2].key_uri.as_deref(), Some("skd://older"));
}

#[test]
fn a_wrong_number_of_keys_is_told_in_numbers() {
    let (speke, wanted) = asked(Preset::KeyPerStream);
    let one = answer(&Speke { preset: Preset::OneKey, ..speke.clone() }, &wanted[..1]);
    assert!(refusal(&one, Preset::KeyPerStream).contains("1 keys where 3 were asked for"));
    let three = answer(&speke, &wanted);
    assert!(refusal(&three, Preset::OneKey).contains("3 keys where 1"));
    let none = spoilt("ContentKeyList", "KeyList");
    assert!(none.contains("0 keys where 1"), "{none}");
}

#[test]
fn faults_of_a_key_are_named() {
    let key = STANDARD.encode(KEY);
    for short in [STANDARD.encode([1; 15]), STANDARD.encode([1; 32]), "%%%".to_owned(), String::new()] {
        assert!(spoilt(&key, &short).contains("is not 128 bits long"), "{short}");
    }
    assert!(spoilt("pskc:PlainValue", "pskc:EncryptedValue").contains("encrypted"));
    assert!(
        spoilt("commonEncryptionScheme=\"cbcs\"", "commonEncryptionScheme=\"cenc\"")
            .contains("cbcs was asked for")
    );
    assert!(spoilt(&STANDARD.encode([0x11; 16]), "AAAA").contains("explicitIV"));
    assert!(spoilt("ContentKey kid=\"", "ContentKey kid=\"x").contains("no UUID"));
    assert!(spoilt("ContentKey kid=", "ContentKey id=").contains("has no kid"));
    assert!(spoilt("contentId=\"film-1\"", "contentId=\"film-2\"").contains("other content"));
}

#[test]
fn faults_of_a_signal_are_named() {
    let (speke, wanted) = asked(Preset::OneKey);
    let kid = wanted[0].kid;
    let boxes = STANDARD.encode(pssh::widevine(kid, "film-1", speke.scheme).bytes());
    assert!(spoilt(&boxes, "").contains("no PSSH of Widevine"));
    assert!(spoilt(&boxes, "!!").contains("is not base64"));
    assert!(
        spoilt(&boxes, &STANDARD.encode(&STANDARD.decode(&boxes).unwrap()[1..])).contains("not well-formed")
    );
    assert!(spoilt(&boxes, &STANDARD.encode(pssh::common(&[kid]).bytes())).contains("another system"));
    assert!(spoilt(&System::FairPlay.uuid(), &System::Widevine.uuid()).contains("twice"));
    assert!(spoilt("DRMSystem kid=\"", "DRMSystem kid=\"00").contains("no UUID"));
    let line = |line: &str| {
        let good = format!("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://film-1/{kid}\",X=\"y\"");
        spoilt(&STANDARD.encode(good), &STANDARD.encode(line))
    };
    assert!(line("#EXT-X-MAP:URI=\"x\"").contains("no #EXT-X-KEY line"));
    assert!(line("#EXT-X-KEY:METHOD=SAMPLE-AES").contains("no URI"));
    assert!(line("#EXT-X-KEY:URI=\"skd://x").contains("no whole URI"));
    for odd in ["file:///etc/passwd", "javascript:1", "http://plain/", "../x"] {
        assert!(line(&format!("#EXT-X-KEY:URI=\"{odd}\"")).contains("begins with none of"), "{odd}");
    }
    assert!(line("#EXT-X-KEY:URI=\"skd://a b\"").contains("cannot stand in a playlist"));
    assert!(line(&format!("#EXT-X-KEY:URI=\"skd://{}\"", "a".repeat(20_000))).contains("cannot stand"));
}

#[test]
fn documents_that_attack_are_refused_quickly() {
    let begin = std::time::Instant::now();
    let entity = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><cpix:CPIX xmlns:cpix=\"urn:dashif:org:cpix\">&b;</cpix:CPIX>";
    assert!(refusal(entity, Preset::OneKey).contains("DTD"));
    let file = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>";
    assert!(refusal(file, Preset::OneKey).contains("DTD"));
    let deep = format!("<cpix:CPIX xmlns:cpix=\"urn:dashif:org:cpix\">{}", "<a>".repeat(300_000));
    assert!(refusal(&deep, Preset::OneKey).contains("more than"));
    let wide =
        format!("<cpix:CPIX xmlns:cpix=\"urn:dashif:org:cpix\">{}</cpix:CPIX>", "<a/>".repeat(200_000));
    assert!(refusal(&wide, Preset::OneKey).contains("more than"));
    assert!(refusal(&" ".repeat(ANSWER_BYTES + 1), Preset::OneKey).contains("more than 1048576 bytes"));
    let attributes: String =
        (0..60_000).flat_map(|n| [" a".to_owned(), n.to_string(), "=''".to_owned()]).collect();
    refusal(&format!("<x{attributes}/>"), Preset::OneKey);
    assert!(begin.elapsed() < std::time::Duration::from_secs(5), "{:?}", begin.elapsed());
    for odd in ["", "<", "no XML", "{}", "<html/>", "<CPIX/>", "<cpix:CPIX/>", "\u{feff}<x/>"] {
        refusal(odd, Preset::OneKey);
    }
    let (speke, wanted) = asked(Preset::OneKey);
    assert!(read(&[0xff, 0xfe, b'<'], &speke, &wanted).unwrap_err().message().contains("UTF-8"));
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(at in 0usize..4000, byte in any::<u8>(), cut in 0usize..4000) {
        let (speke, wanted) = asked(Preset::OneKey);
        let mut bytes = answer(&speke, &wanted).into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = read(&bytes, &speke, &wanted);
        bytes.truncate(cut % length);
        let _ = read(&bytes, &speke, &wanted);
    }
}
