//! The question of the service, answered: the same document with keys and signals in it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_media::drm::{ContentKey, Iv, Kid, Scheme, System, SystemData, hls, pssh};
use roxmltree::{Document, Node, ParsingOptions};

use super::Seed;

const CPIX: &str = "urn:dashif:org:cpix";
/// The most parts of a question.
const NODES: u32 = 8192;

/// A key that is asked for.
struct Asked {
    kid: Kid,
    iv: Option<Iv>,
    scheme: Scheme,
}

/// The document with the keys that `question` asks for.
pub(super) fn answer(question: &[u8], seed: &Seed) -> Result<String, String> {
    let text = std::str::from_utf8(question).map_err(|_| "the question is not UTF-8")?;
    if text.bytes().filter(|byte| matches!(byte, b'"' | b'\'')).count() > 2 * NODES as usize {
        return Err("the question has too many parts".to_owned());
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| format!("the question is no XML: {error}"))?;
    let root = document.root_element();
    if !root.has_tag_name((CPIX, "CPIX")) {
        return Err("the question is no CPIX document".to_owned());
    }
    let content_id = root.attribute("contentId").or_else(|| root.attribute("id")).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !(1..=128).contains(&content_id.len()) || !content_id.chars().all(is_plain) {
        return Err("contentId has 1 to 128 letters, digits, underscores and hyphens".to_owned());
    }
    let asked = items(root, "ContentKeyList", "ContentKey").map(asked).collect::<Result<Vec<_>, _>>()?;
    if asked.is_empty() {
        return Err("the question asks for no key".to_owned());
    }
    write(root, content_id, &asked, seed)
}

fn asked(node: Node<'_, '_>) -> Result<Asked, String> {
    let iv = match node.attribute("explicitIV") {
        Some(text) => {
            let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
            Some(Iv::from(bytes.ok_or("explicitIV is 16 bytes in base64")?))
        }
        None => None,
    };
    let scheme = match node.attribute("commonEncryptionScheme") {
        Some("cbcs") => Scheme::Cbcs,
        Some("cenc") | None => Scheme::Cenc,
        Some(other) => return Err(format!("commonEncryptionScheme is cenc or cbcs, not {other:?}")),
    };
    Ok(Asked { kid: kid(node)?, iv, scheme })
}

fn write(root: Node<'_, '_>, content_id: &str, asked: &[Asked], seed: &Seed) -> Result<String, String> {
    let (mut keys, mut systems, mut rules) = (String::new(), String::new(), String::new());
    for Asked { kid, iv, scheme } in asked {
        let secret = STANDARD.encode(seed.key(*kid).reveal());
        let iv = iv.map(|iv| format!(" explicitIV=\"{}\"", STANDARD.encode(iv.bytes()))).unwrap_or_default();
        let scheme = scheme.name();
        let _ = writeln!(
            keys,
            "<cpix:ContentKey kid=\"{kid}\"{iv} commonEncryptionScheme=\"{scheme}\"><cpix:Data><pskc:Secret>\
             <pskc:PlainValue>{secret}</pskc:PlainValue></pskc:Secret></cpix:Data></cpix:ContentKey>"
        );
    }
    let all: Vec<Kid> = asked.iter().map(|key| key.kid).collect();
    for node in items(root, "DRMSystemList", "DRMSystem") {
        let kid = kid(node)?;
        let key =
            asked.iter().find(|key| key.kid == kid).ok_or("a DRMSystem names a key that is not asked for")?;
        let id = node.attribute("systemId").and_then(|text| Kid::parse(text).ok());
        let system = id.and_then(|id| System::of_id(*id.bytes()));
        let system = system.ok_or("a DRMSystem is Widevine, PlayReady, FairPlay or the common one")?;
        let wants_hls = node.children().any(|child| child.has_tag_name((CPIX, "HLSSignalingData")));
        let told = content_key(key, content_id, system, seed, &all);
        signal(&mut systems, system, &told, key.scheme, wants_hls);
    }
    // Browsers play by ClearKey what vendors' players play by their own systems. Some ask for a licence once, by the
    // first box that they see, so that box lists all keys.
    for key in asked {
        let told = content_key(key, content_id, System::ClearKey, seed, &all);
        signal(&mut systems, System::ClearKey, &told, key.scheme, false);
    }
    for rule in items(root, "ContentKeyUsageRuleList", "ContentKeyUsageRule") {
        let (kid, intended) = (kid(rule)?, escaped(rule.attribute("intendedTrackType").unwrap_or_default()));
        let _ = writeln!(rules, "<cpix:ContentKeyUsageRule kid=\"{kid}\" intendedTrackType=\"{intended}\"/>");
    }
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cpix:CPIX contentId=\"{content_id}\" version=\"2.3\" \
         xmlns:cpix=\"{CPIX}\" xmlns:pskc=\"urn:ietf:params:xml:ns:keyprov:pskc\">\n\
         <cpix:ContentKeyList>\n{keys}</cpix:ContentKeyList>\n<cpix:DRMSystemList>\n{systems}</cpix:DRMSystemList>\n\
         <cpix:ContentKeyUsageRuleList>\n{rules}</cpix:ContentKeyUsageRuleList>\n</cpix:CPIX>\n"
    ))
}

/// The key with what one system is told about it, among `all`.
fn content_key(asked: &Asked, content_id: &str, system: System, seed: &Seed, all: &[Kid]) -> ContentKey {
    let (kid, key) = (asked.kid, seed.key(asked.kid));
    let pssh = match system {
        System::Widevine => Some(pssh::widevine(kid, content_id, asked.scheme)),
        System::PlayReady => Some(pssh::playready(kid, &key, asked.scheme)),
        System::ClearKey => Some(pssh::common(all)),
        System::FairPlay => None,
    };
    let key_uri = (system == System::FairPlay).then(|| format!("skd://{content_id}/{kid}"));
    let told = SystemData { system, pssh: pssh.map(|pssh| pssh.bytes()), key_uri };
    let iv = asked.iv.unwrap_or_else(|| Iv::from(*kid.bytes()));
    ContentKey { kid, key, iv, systems: vec![told] }
}

fn signal(out: &mut String, system: System, key: &ContentKey, scheme: Scheme, wants_hls: bool) {
    let (kid, id) = (key.kid, system.uuid());
    let _ = write!(out, "<cpix:DRMSystem kid=\"{kid}\" systemId=\"{id}\">");
    for told in &key.systems {
        if let Some(pssh) = &told.pssh {
            let _ = write!(out, "<cpix:PSSH>{}</cpix:PSSH>", STANDARD.encode(pssh));
        }
        if let Some(line) = hls::line(told, key, scheme).filter(|_| wants_hls) {
            let line = STANDARD.encode(line);
            let _ = write!(out, "<cpix:HLSSignalingData playlist=\"media\">{line}</cpix:HLSSignalingData>");
        }
    }
    out.push_str("</cpix:DRMSystem>\n");
}

fn items<'a, 'i>(
    root: Node<'a, 'i>,
    list: &'static str,
    item: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    let lists = root.children().filter(move |node| node.has_tag_name((CPIX, list)));
    lists.flat_map(move |list| list.children().filter(move |node| node.has_tag_name((CPIX, item))))
}

fn kid(node: Node<'_, '_>) -> Result<Kid, String> {
    node.attribute("kid").and_then(|text| Kid::parse(text).ok()).ok_or_else(|| "a kid is a UUID".to_owned())
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}
