//! A ladder on this machine: every object that its manifest names, and what its playlists say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mps_e2e::Bench;
use mps_testkit::compare::{gather, picture_packets};
use mps_testkit::server::OUTPUT;
use serde_json::{Value, json};

/// One stream of H.264 and AAC with everything that a template must say.
pub(super) fn rung(height: u32, kbps: u32) -> Value {
    json!({
        "Video": {"Codec": "h264", "Fps": 25, "Bitrate": kbps, "Height": height},
        "Audio": {"Codec": "aac", "Bitrate": 96, "SampleRate": 48000, "AudioChannel": 2},
    })
}

/// A template of an account's own; gives its number.
pub(super) async fn template(bench: &Bench, body: Value) -> i64 {
    let created = bench.server.ok("CreateAdaptiveDynamicStreamingTemplate", &body).await;
    created["Definition"].as_i64().expect("a number")
}

/// The results of a call with these items.
pub(super) async fn results(bench: &Bench, source: &Path, items: &[Value]) -> Vec<Value> {
    let detail = bench.media(source, &json!({"AdaptiveDynamicStreamingTaskSet": items})).await;
    let set = detail["WorkflowTask"]["MediaProcessResultSet"].as_array().cloned().unwrap_or_default();
    set.into_iter().map(|result| result["AdaptiveDynamicStreamingTask"].clone()).collect()
}

/// One ladder that must succeed.
pub(super) async fn ladder(bench: &Bench, source: &Path, item: Value) -> Ladder {
    let result = results(bench, source, &[item]).await.remove(0);
    Ladder::fetch(bench, &result).await
}

/// A ladder with all its objects.
pub(super) struct Ladder {
    /// `Output` of its result.
    pub(super) output: Value,
    /// The manifest.
    pub(super) manifest: PathBuf,
    /// Names of all objects, as seen from the manifest.
    pub(super) names: Vec<String>,
}

/// A line of a master playlist.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) uri: String,
}

impl Entry {
    pub(super) fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// A segment of a playlist.
pub(super) struct Segment {
    pub(super) length_s: f64,
    /// Its bytes, with the shared header before them.
    pub(super) bytes: Vec<u8>,
}

impl Ladder {
    pub(super) async fn fetch(bench: &Bench, result: &Value) -> Self {
        assert_eq!(result["Status"], "SUCCESS", "{result:#}");
        let output = result["Output"].clone();
        let path = output["Path"].as_str().expect("a path").to_owned();
        let (parent, main) = path.rsplit_once('/').expect("an absolute path");
        let folder = bench.folder.path().join(parent.trim_start_matches('/'));
        let mut names: Vec<String> = vec![main.to_owned()];
        let mut nth = 0;
        while nth < names.len() {
            let name = names[nth].clone();
            let key = format!("{parent}/{name}");
            let bytes = bench.server.object(OUTPUT, &key).await.unwrap_or_else(|| panic!("no object {key}"));
            let file = folder.join(&name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for results");
            std::fs::write(&file, &bytes).expect("a result");
            if ends(&name, "m3u8") || ends(&name, "mpd") {
                let text = String::from_utf8(bytes).expect("a manifest is text");
                for found in named(&text) {
                    if !names.contains(&found) {
                        names.push(found);
                    }
                }
            }
            nth += 1;
        }
        Self { output, manifest: folder.join(main), names }
    }

    /// A file beside the manifest.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.manifest.with_file_name("x").parent().expect("a folder").join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).expect("a text")
    }

    pub(super) fn manifest_text(&self) -> String {
        std::fs::read_to_string(&self.manifest).expect("a manifest")
    }

    /// What a player chooses from.
    pub(super) fn variants(&self) -> Vec<Entry> {
        let text = self.manifest_text();
        let mut lines = text.lines();
        let mut found = Vec::new();
        while let Some(line) = lines.next() {
            if let Some(list) = line.strip_prefix("#EXT-X-STREAM-INF:") {
                let uri = lines.next().expect("an address").to_owned();
                found.push(Entry { attributes: attributes(list), uri });
            }
        }
        found
    }

    /// What goes with it.
    pub(super) fn renditions(&self) -> Vec<Entry> {
        let text = self.manifest_text();
        let lines = text.lines().filter_map(|line| line.strip_prefix("#EXT-X-MEDIA:"));
        lines
            .map(|list| {
                let attributes = attributes(list);
                let uri = attributes.get("URI").cloned().unwrap_or_default();
                Entry { attributes, uri }
            })
            .collect()
    }

    /// The segments of a playlist.
    pub(super) fn segments(&self, playlist: &str) -> Vec<Segment> {
        let text = self.text(playlist);
        let stretch = |uri: &str, range: Option<&str>| {
            let bytes = std::fs::read(self.file(uri)).expect("a segment");
            let Some(range) = range else { return bytes };
            let (length, offset) = range.split_once('@').expect("a whole range");
            let (length, offset): (usize, usize) = (length.parse().unwrap(), offset.parse().unwrap());
            bytes[offset..offset + length].to_vec()
        };
        let (mut header, mut length_s, mut range, mut found) = (Vec::new(), 0.0, None, Vec::new());
        for line in text.lines() {
            if let Some(list) = line.strip_prefix("#EXT-X-MAP:") {
                let map = attributes(list);
                header = stretch(&map["URI"], map.get("BYTERANGE").map(String::as_str));
            } else if let Some(length) = line.strip_prefix("#EXTINF:") {
                length_s = length.trim_end_matches(',').parse().expect("a length");
            } else if let Some(told) = line.strip_prefix("#EXT-X-BYTERANGE:") {
                range = Some(told.to_owned());
            } else if !line.starts_with('#') && !line.is_empty() {
                let mut bytes = header.clone();
                bytes.extend(stretch(line, range.take().as_deref()));
                found.push(Segment { length_s, bytes });
            }
        }
        found
    }

    /// All that a playlist lists as one file.
    pub(super) fn whole(&self, playlist: &str) -> PathBuf {
        let to = self.file(&format!("{}.whole.mp4", playlist.replace('/', "_")));
        let bytes: Vec<u8> = named(&self.text(playlist))
            .iter()
            .flat_map(|name| std::fs::read(self.file(name)).expect("a piece"))
            .collect();
        std::fs::write(&to, bytes).expect("a whole file");
        to
    }

    /// Playlists of pictures and of sound.
    pub(super) fn playlists(&self) -> Vec<String> {
        let sound = self.renditions().into_iter().filter(|entry| entry.get("TYPE") == "AUDIO");
        self.variants().into_iter().chain(sound).map(|entry| entry.uri).collect()
    }

    /// When the pictures of each segment begin on the clock of its first one; each must begin with a key frame.
    pub(super) fn begins(&self, playlist: &str) -> Vec<f64> {
        let folder = tempfile::tempdir().expect("a folder");
        let extension = if self.text(playlist).contains("EXT-X-MAP") { "mp4" } else { "ts" };
        let mut begins = Vec::new();
        for (nth, segment) in self.segments(playlist).iter().enumerate() {
            let file = folder.path().join(format!("{nth}.{extension}"));
            std::fs::write(&file, &segment.bytes).expect("a segment");
            let packets = picture_packets(&file);
            let first = packets.iter().map(|packet| packet.0).fold(f64::MAX, f64::min);
            assert_eq!(packets.first(), Some(&(first, true)), "{playlist} {nth} begins with no key frame");
            begins.push(first);
        }
        let zero = begins.first().copied().unwrap_or_default();
        begins.iter().map(|at| at - zero).collect()
    }

    /// The pictures of a playlist as one file.
    pub(super) fn pictures(&self, playlist: &str) -> PathBuf {
        let to = self.file(&format!("{}.mkv", playlist.replace('/', "_")));
        gather(&self.file(playlist), &["0:v:0"], &to);
        to
    }
}

/// Whether a name has this extension.
pub(super) fn ends(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// The files that a manifest names, each once, in order.
fn named(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if text.starts_with("<?xml") {
        let urls = text.split("<BaseURL>").skip(1).filter_map(|rest| rest.split('<').next());
        return urls.map(str::to_owned).collect();
    }
    // What a line about keys names is no object of ours.
    for line in text.lines().filter(|line| !line.starts_with("#EXT-X-KEY")) {
        let quoted = line.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next());
        let name =
            if line.starts_with('#') { quoted } else { Some(line.trim()).filter(|line| !line.is_empty()) };
        if let Some(name) = name
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// `A=1,B="x,y"`.
fn attributes(list: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = list;
    while let Some((name, value)) = rest.split_once('=') {
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').expect("a closing quote");
                (value, after.trim_start_matches(','))
            }
            None => value.split_once(',').unwrap_or((value, "")),
        };
        found.insert(name.to_owned(), value.to_owned());
        rest = after;
    }
    found
}
