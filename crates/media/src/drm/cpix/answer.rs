//! Reading what a key server answered. It is not trusted: what is not exactly what we asked for is refused, and no
//! message repeats a key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_core::{Blame, Error, Result, Retry};
use roxmltree::{Document, Node, ParsingOptions};

use super::{ANSWER_BYTES, CPIX, PSKC};
use crate::drm::keys::SystemData;
use crate::drm::tracks::Wanted;
use crate::drm::{ContentKey, Iv, Key, KeySet, Kid, Speke, System, pssh};

/// The most elements, attributes and texts.
const NODES: u32 = 4096;
/// The longest address in a playlist.
const URI_BYTES: usize = 16 << 10;
/// How addresses of keys may begin; a player follows them.
const URI_SCHEMES: [&str; 3] = ["skd://", "data:", "https://"];

/// The keys of `answer`, in the order of `wanted`.
///
/// # Errors
/// `Unavailable`, not to be retried, blame outside: the answer is not a document of this kind, has too few or too many
/// keys, or lacks what a system needs.
pub fn read(answer: &[u8], speke: &Speke, wanted: &[Wanted]) -> Result<KeySet> {
    understand(answer, speke, wanted).map_err(|why| {
        Error::unavailable(format!("the key server's answer cannot be used: {why}"))
            .with_blame(Blame::Outside)
            .with_retry(Retry::Never)
    })
}

type Told<T> = std::result::Result<T, String>;

fn understand(answer: &[u8], speke: &Speke, wanted: &[Wanted]) -> Told<KeySet> {
    if answer.len() > ANSWER_BYTES {
        return Err(format!("it has more than {ANSWER_BYTES} bytes"));
    }
    let text = std::str::from_utf8(answer).map_err(|_| "it is not UTF-8")?;
    // The parser compares the attributes of an element with each other, so their number is bounded first.
    if text.bytes().filter(|byte| matches!(byte, b'"' | b'\'')).count() > 2 * NODES as usize {
        return Err(format!("it has more than {NODES} parts"));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| format!("it is not XML that we read ({})", kind_of(&error)))?;
    let root = document.root_element();
    if !root.has_tag_name((CPIX, "CPIX")) {
        return Err("it is not a CPIX document".to_owned());
    }
    if root.attribute("contentId").is_some_and(|id| id != speke.resource_id) {
        return Err("it is about other content than was asked for".to_owned());
    }
    let mut keys = content_keys(root, speke)?;
    if keys.len() != wanted.len() {
        return Err(format!("it has {} keys where {} were asked for", keys.len(), wanted.len()));
    }
    in_order(&mut keys, root, wanted)?;
    let mut told = systems(root, &keys)?;
    for key in &mut keys {
        key.systems = told.remove(&key.kid).unwrap_or_default();
        complete(key, speke)?;
    }
    Ok(KeySet(keys))
}

/// The kind of a fault, without the text around it: that may hold keys.
fn kind_of(error: &roxmltree::Error) -> String {
    match error {
        roxmltree::Error::DtdDetected => "it has a DTD".to_owned(),
        roxmltree::Error::NodesLimitReached => format!("it has more than {NODES} parts"),
        other => format!("line {}", other.pos().row),
    }
}

fn content_keys(root: Node<'_, '_>, speke: &Speke) -> Told<Vec<ContentKey>> {
    let mut keys: Vec<ContentKey> = Vec::new();
    for node in below(root, &["ContentKeyList", "ContentKey"]) {
        let key = content_key(node, speke)?;
        if keys.iter().any(|known| known.kid == key.kid) {
            return Err(format!("it has the key {} twice", key.kid));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn content_key(node: Node<'_, '_>, speke: &Speke) -> Told<ContentKey> {
    let kid = kid_of(node, "a ContentKey")?;
    if let Some(scheme) =
        node.attribute("commonEncryptionScheme").filter(|given| *given != speke.scheme.name())
    {
        let asked = speke.scheme.name();
        return Err(format!("the key {kid} is for {:?}, {asked} was asked for", short(scheme)));
    }
    let value = node.descendants().find(|node| node.has_tag_name((PSKC, "PlainValue")));
    let Some(value) = value else {
        let is_wrapped = node.descendants().any(|node| node.tag_name().name() == "EncryptedValue");
        let why = if is_wrapped { "comes encrypted, which is not supported" } else { "has no value" };
        return Err(format!("the key {kid} {why}"));
    };
    let key =
        Key::new(sixteen(&content(value)).ok_or_else(|| format!("the key {kid} is not 128 bits long"))?);
    let iv = match node.attribute("explicitIV") {
        Some(text) => {
            Iv::from(sixteen(text).ok_or_else(|| format!("explicitIV of the key {kid} is not 16 bytes"))?)
        }
        None => speke.iv,
    };
    Ok(ContentKey { kid, key, iv, systems: Vec::new() })
}

/// Puts the keys into the order in which they were asked for.
///
/// A server may give ids of its own; then its rules say what each is for, or else its order does.
fn in_order(keys: &mut [ContentKey], root: Node<'_, '_>, wanted: &[Wanted]) -> Told<()> {
    let place_of = |kid: Kid| wanted.iter().position(|want| want.kid == kid);
    let known = keys.iter().filter(|key| place_of(key.kid).is_some()).count();
    if known == keys.len() {
        keys.sort_by_key(|key| place_of(key.kid));
        return Ok(());
    }
    if known > 0 {
        return Err("it has some of the keys that were asked for and others that were not".to_owned());
    }
    let mut places = BTreeMap::new();
    for rule in below(root, &["ContentKeyUsageRuleList", "ContentKeyUsageRule"]) {
        let kid = kid_of(rule, "a ContentKeyUsageRule")?;
        let intended = rule.attribute("intendedTrackType").unwrap_or_default();
        if let Some(place) = wanted.iter().position(|want| want.intended == intended) {
            places.insert(kid, place);
        }
    }
    let mut taken: Vec<usize> = keys.iter().filter_map(|key| places.get(&key.kid).copied()).collect();
    taken.sort_unstable();
    taken.dedup();
    if taken.len() == keys.len() {
        keys.sort_by_key(|key| places.get(&key.kid).copied());
    }
    Ok(())
}

/// What each key's systems are told.
fn systems(root: Node<'_, '_>, keys: &[ContentKey]) -> Told<BTreeMap<Kid, Vec<SystemData>>> {
    let mut told: BTreeMap<Kid, Vec<SystemData>> = BTreeMap::new();
    for node in below(root, &["DRMSystemList", "DRMSystem"]) {
        let kid = kid_of(node, "a DRMSystem")?;
        if !keys.iter().any(|key| key.kid == kid) {
            return Err(format!("a DRMSystem names the key {kid}, which is not there"));
        }
        let id = node.attribute("systemId").and_then(|text| Kid::parse(text).ok());
        let id = id.ok_or("a DRMSystem has no systemId")?;
        // What we know nothing of, nobody asked for.
        let Some(system) = System::of_id(*id.bytes()) else { continue };
        let data =
            SystemData { system, pssh: boxes(node, system, kid)?, key_uri: key_uri(node, system, kid)? };
        let own = told.entry(kid).or_default();
        if own.iter().any(|known| known.system == system) {
            return Err(format!("it tells {system} twice about the key {kid}"));
        }
        own.push(data);
    }
    Ok(told)
}

fn boxes(node: Node<'_, '_>, system: System, kid: Kid) -> Told<Option<Vec<u8>>> {
    let Some(text) = child(node, "PSSH").map(content).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if system == System::FairPlay {
        return Ok(None);
    }
    let wrong = |why: &str| format!("PSSH of {system} for the key {kid} {why}");
    let bytes = STANDARD.decode(&text).map_err(|_| wrong("is not base64"))?;
    let boxes = pssh::parse(&bytes).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if boxes.iter().any(|one| one.system_id != system.id()) {
        return Err(wrong("is a box of another system"));
    }
    Ok(Some(bytes))
}

/// The address in the line that the server wants in a playlist: of its attributes only this is taken, the rest follows
/// from what was asked for.
fn key_uri(node: Node<'_, '_>, system: System, kid: Kid) -> Told<Option<String>> {
    let wrong = |why: &str| format!("the signal of {system} in playlists for the key {kid} {why}");
    let decoded = |node| {
        let bytes = STANDARD.decode(content(node)).map_err(|_| wrong("is not base64"))?;
        String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8"))
    };
    let of_media = |node: &Node<'_, '_>| {
        node.has_tag_name((CPIX, "HLSSignalingData"))
            && node.attribute("playlist").is_none_or(|word| word == "media")
    };
    let lines = node.children().find(of_media).filter(|node| !content(*node).is_empty());
    let uri = match (lines, child(node, "URIExtXKey").filter(|node| !content(*node).is_empty())) {
        (Some(node), _) => {
            let lines = decoded(node)?;
            let line = lines.lines().find(|line| line.starts_with("#EXT-X-KEY:"));
            let line = line.ok_or_else(|| wrong("has no #EXT-X-KEY line"))?;
            let (_, rest) = line.split_once("URI=\"").ok_or_else(|| wrong("has no URI"))?;
            rest.split_once('"').ok_or_else(|| wrong("has no whole URI"))?.0.to_owned()
        }
        (None, Some(node)) => decoded(node)?,
        (None, None) => return Ok(None),
    };
    let is_odd = |c: char| c == '"' || c == '\\' || c.is_control() || c.is_whitespace();
    if uri.len() > URI_BYTES || uri.chars().any(is_odd) {
        return Err(wrong("has an address that cannot stand in a playlist"));
    }
    if !URI_SCHEMES.iter().any(|scheme| uri.starts_with(scheme)) {
        return Err(wrong(&format!("has an address that begins with none of {}", URI_SCHEMES.join(", "))));
    }
    Ok(Some(uri))
}

/// Whether every system that was asked for can play.
fn complete(key: &mut ContentKey, speke: &Speke) -> Told<()> {
    key.systems.retain(|told| told.system == System::ClearKey || speke.systems.contains(&told.system));
    key.systems.sort_by_key(|told| told.system);
    for system in &speke.systems {
        let told = key.systems.iter().find(|told| told.system == *system);
        let lacks = match system {
            System::FairPlay => told.is_none_or(|told| told.key_uri.is_none()).then_some("HLSSignalingData"),
            _ => told.is_none_or(|told| told.pssh.is_none()).then_some("PSSH"),
        };
        if let Some(lacks) = lacks {
            return Err(format!("it has no {lacks} of {system} for the key {}", key.kid));
        }
    }
    Ok(())
}

fn below<'a, 'i>(root: Node<'a, 'i>, path: &[&'static str; 2]) -> impl Iterator<Item = Node<'a, 'i>> {
    let [list, item] = *path;
    let lists = root.children().filter(move |node| node.has_tag_name((CPIX, list)));
    lists.flat_map(move |list| list.children().filter(move |node| node.has_tag_name((CPIX, item))))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name((CPIX, name)))
}

/// All text of an element, without the white space that people put into long base64.
fn content(node: Node<'_, '_>) -> String {
    let texts = node.children().filter(Node::is_text).filter_map(|text| text.text());
    texts.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
}

fn kid_of(node: Node<'_, '_>, what: &str) -> Told<Kid> {
    let text = node.attribute("kid").ok_or_else(|| format!("{what} has no kid"))?;
    Kid::parse(text).map_err(|_| format!("{what} has the kid {:?}, which is no UUID", short(text)))
}

fn sixteen(base64: &str) -> Option<[u8; 16]> {
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(base64).ok()?);
    bytes.as_slice().try_into().ok()
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
