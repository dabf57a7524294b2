//! Every rule of `DrmInfo`, and that what is refused is named and what is secret is not repeated.

use mps_core::Secret;
use serde_json::{Value, json};

use super::*;

const HERE: &str = "MediaProcessTask.AdaptiveDynamicStreamingTaskSet.0";
const FMP4: Package<'_> = Package { format: "HLS", segment_type: "mp4-segment", codecs: &["h264", "aac"] };

/// A checked value for tests of other parts.
pub(super) fn speke(preset: Preset) -> Speke {
    Speke {
        systems: vec![System::Widevine, System::PlayReady, System::FairPlay],
        resource_id: "film-1".to_owned(),
        key_server_url: Secret::new("https://keys.example/speke?ticket=t0p"),
        iv: Iv::from([0x11; 16]),
        scheme: Scheme::Cbcs,
        preset,
        is_hls: true,
    }
}

fn whole(kind: &str) -> Value {
    json!({"Type": kind, "SpekeDrm": {
        "ResourceId": "film_1-a", "KeyServerUrl": "https://keys.example/speke?ticket=t0p&b=%2F",
        "Vector": "0123456789abcdef0123456789ABCDEF",
    }})
}

fn simple(member: &str, value: &Value) -> Value {
    let mut info = json!({"Type": "simpleaes", "SimpleAesDrm": {
        "Uri": "https://keys.example/k?id=1", "Key": "00112233445566778899aabbccddeeff",
        "Vector": "0123456789abcdef0123456789abcdef",
    }});
    info["SimpleAesDrm"][member] = value.clone();
    info
}

fn speke_with(kind: &str, member: &str, value: &Value) -> Value {
    let mut info = whole(kind);
    info["SpekeDrm"][member] = value.clone();
    info
}

fn read(info: &Value, package: Package<'_>) -> Result<Speke, String> {
    match from_wire(HERE, info, package) {
        Ok(Drm::Speke(speke)) => Ok(speke),
        Ok(Drm::SimpleAes(_)) => panic!("simple AES"),
        Err(error) => Err(format!("{}: {}", error.code, error.message)),
    }
}

fn refusal(info: &Value, package: Package<'_>) -> String {
    from_wire(HERE, info, package).map_err(|error| format!("{}: {}", error.code, error.message)).unwrap_err()
}

#[test]
fn every_type_of_the_api_is_known_and_no_other() {
    for (kind, systems) in [
        ("widevine", 1),
        ("fairplay", 1),
        ("playready", 1),
        ("widevine+fairplay", 2),
        ("playready+fairplay", 2),
        ("widevine+playready", 2),
        ("widevine+playready+fairplay", 3),
    ] {
        assert_eq!(read(&whole(kind), FMP4).unwrap().systems.len(), systems, "{kind}");
    }
    assert!(matches!(from_wire(HERE, &simple("Uri", &json!("u")), FMP4), Ok(Drm::SimpleAes(_))));
    for kind in ["Widevine", "fairplay+widevine", "clearkey", "widevine+", "simpleaes+widevine"] {
        let told = refusal(&whole(kind), FMP4);
        assert!(
            told.starts_with("InvalidParameterValue.Type") && told.contains("widevine+playready"),
            "{told}"
        );
    }
    for kind in [Value::Null, json!("")] {
        let mut info = whole("widevine");
        info["Type"] = kind;
        assert!(refusal(&info, FMP4).starts_with("MissingParameter"));
    }
}

#[test]
fn the_method_follows_the_systems_unless_it_is_given() {
    let scheme = |kind: &str, method: Value| {
        read(&speke_with(kind, "EncryptionMethod", &method), FMP4).map(|speke| speke.scheme)
    };
    for kind in ["fairplay", "widevine+fairplay", "playready+fairplay", "widevine+playready+fairplay"] {
        assert_eq!(scheme(kind, Value::Null), Ok(Scheme::Cbcs), "{kind}");
        assert_eq!(scheme(kind, json!("cbcs")), Ok(Scheme::Cbcs), "{kind}");
        assert!(
            scheme(kind, json!("cenc")).unwrap_err().contains("DrmInfo.SpekeDrm.EncryptionMethod"),
            "{kind}"
        );
    }
    for kind in ["widevine", "playready", "widevine+playready"] {
        assert_eq!(scheme(kind, json!("")), Ok(Scheme::Cenc), "{kind}");
        assert_eq!(scheme(kind, json!("cbcs")), Ok(Scheme::Cbcs), "{kind}");
    }
    for odd in ["CENC", "cbc1", "cens"] {
        assert!(scheme("widevine", json!(odd)).unwrap_err().starts_with("InvalidParameterValue"), "{odd}");
    }
}

#[test]
fn dash_and_single_files_have_their_own_rules() {
    let dash = Package { format: "MPEG-DASH", segment_type: "mp4-byterange", ..FMP4 };
    assert!(!read(&whole("widevine+playready"), dash).unwrap().is_hls);
    for kind in ["fairplay", "widevine+fairplay", "playready+fairplay", "widevine+playready+fairplay"] {
        assert!(refusal(&whole(kind), dash).contains("not for MPEG-DASH"), "{kind}");
    }
    assert!(refusal(&simple("Uri", &json!("u")), dash).contains("not for MPEG-DASH"));
    for (segment_type, speke_goes, simple_goes) in [
        ("ts-segment", false, true),
        ("ts-byterange", false, false),
        ("mp4-segment", true, true),
        ("mp4-byterange", true, false),
        ("ts-packed-audio", false, true),
        ("mp4-packed-audio", false, true),
        ("mp4-mp4-segment", true, true),
        ("mp4-mp4-byterange", true, false),
        ("mp4-packed-audio-byterange", false, false),
    ] {
        let package = Package { segment_type, ..FMP4 };
        assert_eq!(from_wire(HERE, &whole("widevine"), package).is_ok(), speke_goes, "{segment_type}");
        let simple = from_wire(HERE, &simple("Uri", &json!("u")), package);
        assert_eq!(simple.is_ok(), simple_goes, "{segment_type}");
    }
    let told = refusal(&whole("widevine"), Package { segment_type: "ts-segment", ..FMP4 });
    assert!(told.contains("DrmInfo.Type") && told.contains("ts-segment"), "{told}");
    let odd = Package { codecs: &["h264", "vorbis"], ..FMP4 };
    assert!(refusal(&whole("widevine"), odd).contains("vorbis"));
}

#[test]
fn an_id_is_letters_digits_underscores_and_hyphens() {
    let id = |id: &str| read(&speke_with("widevine", "ResourceId", &json!(id)), FMP4);
    assert_eq!(id("A_z-9").unwrap().resource_id, "A_z-9");
    assert!(id(&"a".repeat(128)).is_ok());
    for odd in ["", "a b", "ä", "a/b", "a.b", "<x>", &"a".repeat(129)] {
        let told = id(odd).unwrap_err();
        assert!(
            told.starts_with("InvalidParameterValue") && told.contains("SpekeDrm.ResourceId"),
            "{odd}: {told}"
        );
    }
}

#[test]
fn a_key_servers_address_is_taken_as_it_is_or_refused_without_being_repeated() {
    let url = |url: &str| read(&speke_with("widevine", "KeyServerUrl", &json!(url)), FMP4);
    for good in
        ["https://keys.example/speke?ticket=t0p&b=%2F", "HTTP://10.0.0.1:99", "https://u:p@h/x?y=a+b#c"]
    {
        assert_eq!(url(good).unwrap().key_server_url.reveal(), good);
    }
    for odd in
        ["abc", "ftp://x/t0p", "http://", "http:///t0p", "https://a b/t0p", "file:///etc/t0p", "//h/t0p", ""]
    {
        let told = url(odd).unwrap_err();
        assert!(
            told.starts_with("InvalidParameterValue") && told.contains("SpekeDrm.KeyServerUrl"),
            "{odd}: {told}"
        );
        assert!(!told.contains("t0p"), "{told}");
    }
    assert!(url(&format!("https://h/{}", "a".repeat(5000))).is_err());
}

#[test]
fn vectors_keys_and_presets_are_checked() {
    let speke = |member: &str, value: Value| read(&speke_with("widevine", member, &value), FMP4);
    assert_eq!(read(&whole("widevine"), FMP4).unwrap().iv.hex(), "0123456789abcdef0123456789abcdef");
    for odd in
        [json!("0123456789abcdef0123456789abcde"), json!("0123456789abcdef0123456789abcdeg"), json!("")]
    {
        assert!(speke("Vector", odd.clone()).unwrap_err().contains("SpekeDrm.Vector"), "{odd}");
        if odd != "" {
            assert!(refusal(&simple("Vector", &odd), FMP4).contains("SimpleAesDrm.Vector"), "{odd}");
        }
    }
    assert_eq!(speke("EncryptionPreset", json!("preset0")).unwrap().preset, Preset::OneKey);
    assert_eq!(speke("EncryptionPreset", json!("preset1")).unwrap().preset, Preset::KeyPerStream);
    assert!(speke("EncryptionPreset", json!("preset2")).unwrap_err().contains("preset2"));
    let told = refusal(&simple("Key", &json!("5ecre7")), FMP4);
    assert!(told.contains("SimpleAesDrm.Key") && !told.contains("5ecre7"), "{told}");
    for (member, odd) in [("Uri", "a\"b"), ("Uri", "a\nb"), ("Uri", "")] {
        assert!(refusal(&simple(member, &json!(odd)), FMP4).contains("SimpleAesDrm.Uri"), "{odd:?}");
    }
    let Ok(Drm::SimpleAes(aes)) = from_wire(HERE, &simple("Vector", &Value::Null), FMP4) else { panic!() };
    assert_eq!(aes.iv, None);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let mut both = whole("widevine");
    both["SimpleAesDrm"] = json!({"Uri": "u", "Key": "k"});
    assert!(refusal(&both, FMP4).contains("DrmInfo.SimpleAesDrm"));
    let mut both = simple("Uri", &json!("u"));
    both["SpekeDrm"] = json!({"ResourceId": "a"});
    assert!(refusal(&both, FMP4).contains("DrmInfo.SpekeDrm"));
    for (kind, member) in [("widevine", "SpekeDrm"), ("simpleaes", "SimpleAesDrm")] {
        let told = refusal(&json!({"Type": kind}), FMP4);
        assert!(told.starts_with("MissingParameter") && told.contains(member), "{told}");
    }
    for member in ["ResourceId", "KeyServerUrl", "Vector"] {
        let told = refusal(&speke_with("widevine", member, &Value::Null), FMP4);
        assert!(told.starts_with("MissingParameter") && told.contains(member), "{told}");
    }
}

#[test]
fn params_are_stored_whole_and_printed_without_secrets() {
    let Ok(aes) = from_wire(HERE, &simple("Uri", &json!("https://u/")), FMP4) else { panic!() };
    for drm in [aes, Drm::Speke(speke(Preset::OneKey))] {
        let stored = serde_json::to_value(&drm).unwrap();
        assert_eq!(serde_json::from_value::<Drm>(stored).unwrap(), drm);
        let told = format!("{drm:?}");
        assert!(!told.contains("t0p") && !told.contains("00112233"), "{told}");
    }
}
