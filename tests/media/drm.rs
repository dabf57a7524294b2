//! Encrypted packages (DRM-04, DRM-09 to DRM-19): what its own key opens equals the clear package, frame by frame.
//!
//! Keys come from `mps keyserver` over HTTP, the packager gets them on standard input, and every decrypted track is
//! compared with that of a package that was never encrypted.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mps_e2e::packages::{MANIFEST, MASTER, Made, Wish, make};
use mps_media::drm::{ContentKey, Kid, System};
use mps_testkit::media_files;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const VECTOR: &str = "0123456789abcdef0123456789abcdef";

/// Skips where a tool is absent.
fn tools() -> Option<[PathBuf; 3]> {
    Some([media_files::tool("ffmpeg")?, media_files::tool("ffprobe")?, media_files::tool("packager")?])
}

/// `mps keyserver`, ended with this value.
pub(crate) struct Keyserver {
    child: Child,
    pub(crate) url: String,
    folder: TempDir,
}

impl Keyserver {
    #[expect(clippy::disallowed_methods, reason = "the key server is tested as a program")]
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(mps_testkit::server::binary())
            .args(["keyserver", "--listen", "127.0.0.1:0", "--seed-file"])
            .arg(folder.path().join("seed"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().to_owned(), folder }
    }

    pub(crate) fn drm(&self, kind: &str, method: &str, preset: &str) -> Value {
        json!({"Type": kind, "SpekeDrm": {
            "ResourceId": "film_1-a", "KeyServerUrl": format!("{}/speke?ticket=a%2Fb&x=1", self.url),
            "Vector": VECTOR, "EncryptionMethod": method, "EncryptionPreset": preset,
        }})
    }
}

impl Drop for Keyserver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Bench {
    keyserver: Keyserver,
    tools: [PathBuf; 3],
}

impl Bench {
    fn start() -> Option<Self> {
        let tools = tools()?;
        Some(Self { tools, keyserver: Keyserver::start() })
    }

    fn wish(&self, name: &str, format: &str, segment_type: &str, drm: Option<Value>) -> Wish {
        Wish {
            folder: self.keyserver.folder.path().join(name),
            format: format.to_owned(),
            segment_type: segment_type.to_owned(),
            drm,
            binary: mps_testkit::server::binary(),
            tools: self.tools.clone(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the measuring tools of tests are processes")]
    fn frames(&self, file: &Path, key: Option<&ContentKey>) -> String {
        let mut command = Command::new(&self.tools[0]);
        command.args(["-v", "error"]);
        if let Some(key) = key {
            let key = u128::from_be_bytes(*key.key.reveal());
            command.args(["-decryption_key", &format!("{key:032x}")]);
        }
        let done = command.arg("-i").arg(file).args(["-f", "framemd5", "-"]).output().unwrap();
        assert!(done.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&done.stderr));
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(text.lines().filter(|line| !line.starts_with('#')).count() > 100, "{text}");
        text
    }

    /// One file of a track: what its playlist lists, one after the other.
    fn whole(wish: &Wish, label: &str) -> PathBuf {
        let single = wish.folder.join(format!("{label}.mp4"));
        if single.exists() {
            return single;
        }
        let mut bytes = std::fs::read(wish.folder.join(format!("{label}_init.mp4"))).unwrap();
        for number in 1.. {
            let Ok(segment) = std::fs::read(wish.folder.join(format!("{label}_{number}.m4s"))) else { break };
            bytes.extend(segment);
        }
        let path = wish.folder.join(format!("{label}.whole.mp4"));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Compares every track with the clear one, decrypted by its own key.
    fn assert_same(&self, wish: &Wish, made: &Made, clear: &Wish) {
        let keys = made.keys.as_ref().unwrap();
        for (track, place) in made.tracks.iter().zip(&made.key_of_each) {
            let (own, other) = (Self::whole(wish, &track.label), Self::whole(clear, &track.label));
            let key = &keys.0[*place];
            assert_eq!(self.frames(&own, Some(key)), self.frames(&other, None), "{}", track.label);
            let bytes = std::fs::read(&own).unwrap();
            assert!(has(&bytes, b"tenc") && has(&bytes, key.kid.bytes()) && !has(&bytes, key.key.reveal()));
        }
    }
}

pub(crate) fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn text(wish: &Wish, name: &str) -> String {
    std::fs::read_to_string(wish.folder.join(name)).unwrap()
}

fn scheme_of(wish: &Wish, label: &str) -> String {
    let bytes = std::fs::read(Bench::whole(wish, label)).unwrap();
    let at = bytes.windows(4).position(|window| window == b"schm").unwrap();
    String::from_utf8_lossy(&bytes[at + 8..at + 12]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_hls_opens_with_its_own_keys_to_the_very_frames() {
    let Some(bench) = Bench::start() else { return };
    for segment_type in ["mp4-segment", "mp4-byterange"] {
        let clear = bench.wish(&format!("clear-{segment_type}"), "HLS", segment_type, None);
        make(&clear).await.unwrap();
        for (kind, method, preset, scheme, count) in [
            ("widevine+playready+fairplay", "", "preset1", "cbcs", 3),
            ("fairplay", "", "", "cbcs", 1),
            ("widevine+playready", "", "preset0", "cenc", 1),
            ("playready", "", "preset1", "cenc", 3),
        ] {
            let name = format!("{segment_type}-{kind}");
            let drm = bench.keyserver.drm(kind, method, preset);
            let wish = bench.wish(&name, "HLS", segment_type, Some(drm));
            let made = make(&wish).await.unwrap();
            assert_eq!(made.keys.as_ref().unwrap().0.len(), count, "{name}");
            bench.assert_same(&wish, &made, &clear);
            assert_eq!(scheme_of(&wish, "video-1"), scheme, "{name}");
            signals_are_each_tracks_own(&wish, &made, kind, scheme);
        }
    }
}

fn signals_are_each_tracks_own(wish: &Wish, made: &Made, kind: &str, scheme: &str) {
    let keys = made.keys.as_ref().unwrap();
    for (track, place) in made.tracks.iter().zip(&made.key_of_each) {
        let (own, playlist) = (&keys.0[*place], text(wish, &format!("{}.m3u8", track.label)));
        let lines: Vec<&str> = playlist.lines().filter(|line| line.starts_with("#EXT-X-KEY:")).collect();
        assert_eq!(lines.len(), own.systems.len(), "{playlist}");
        for (word, format) in [
            ("widevine", "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"),
            ("playready", "com.microsoft.playready"),
            ("fairplay", "com.apple.streamingkeydelivery"),
        ] {
            let line = lines.iter().find(|line| line.contains(format));
            assert_eq!(line.is_some(), kind.contains(word), "{playlist}");
        }
        assert!(lines.iter().all(|line| line.contains(&format!("IV=0x{VECTOR}")) == (scheme == "cbcs")));
        assert!(!kind.contains("fairplay") || playlist.contains(&format!("skd://film_1-a/{}", own.kid)));
        let file = std::fs::read(Bench::whole(wish, &track.label)).unwrap();
        for key in &keys.0 {
            for told in &key.systems {
                if let Some(pssh) = &told.pssh {
                    let is_own = own.systems.iter().any(|own| own.pssh.as_ref() == Some(pssh));
                    assert_eq!(has(&file, pssh), is_own, "{} {}", track.label, told.system);
                }
            }
        }
    }
    assert!(text(wish, MASTER).contains("video-1.m3u8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_dash_opens_with_its_own_keys_to_the_very_frames() {
    let Some(bench) = Bench::start() else { return };
    let clear = bench.wish("clear", "MPEG-DASH", "mp4-byterange", None);
    make(&clear).await.unwrap();
    for (kind, method, preset, scheme, count) in [
        ("widevine", "", "", "cenc", 1),
        ("widevine+playready", "cbcs", "preset1", "cbcs", 3),
        ("playready", "", "preset1", "cenc", 3),
    ] {
        let drm = bench.keyserver.drm(kind, method, preset);
        let wish = bench.wish(kind, "MPEG-DASH", "mp4-byterange", Some(drm));
        let made = make(&wish).await.unwrap();
        bench.assert_same(&wish, &made, &clear);
        assert_eq!(scheme_of(&wish, "audio"), scheme);
        let manifest = text(&wish, MANIFEST);
        for key in &made.keys.as_ref().unwrap().0 {
            assert!(manifest.contains(&format!("cenc:default_KID=\"{}\"", key.kid)), "{manifest}");
        }
        let ids: Vec<Kid> = made.keys.as_ref().unwrap().0.iter().map(|key| key.kid).collect();
        assert_eq!(ids.len(), count);
        assert_eq!(manifest.contains(&System::PlayReady.uuid()), kind.contains("playready"));
        assert_eq!(manifest.contains(&System::Widevine.uuid()), kind.contains("widevine"));
        assert!(manifest.contains(&format!("value=\"{scheme}\"")) && !manifest.contains("dynamic"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_has_the_same_keys_and_a_server_that_refuses_is_told() {
    let Some(bench) = Bench::start() else { return };
    let drm = bench.keyserver.drm("widevine", "", "preset1");
    let one = make(&bench.wish("one", "HLS", "mp4-segment", Some(drm.clone()))).await.unwrap();
    let two = make(&bench.wish("two", "MPEG-DASH", "mp4-byterange", Some(drm))).await.unwrap();
    let ids = |made: &Made| made.keys.as_ref().unwrap().0.iter().map(|key| key.kid).collect::<Vec<_>>();
    assert_eq!(ids(&one), ids(&two));
    let mut lost = bench.keyserver.drm("widevine", "", "");
    lost["SpekeDrm"]["KeyServerUrl"] = json!(format!("{}/nothing?ticket=s3cr3t", bench.keyserver.url));
    let error = make(&bench.wish("lost", "HLS", "mp4-segment", Some(lost))).await.unwrap_err();
    assert!(
        error.message().contains("/nothing, it answered 404") && !error.chain().contains("s3cr3t"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "another program decrypts what ours encrypted")]
async fn another_program_decrypts_simple_aes() {
    let Some(bench) = Bench::start() else { return };
    let key = "00112233445566778899aabbccddeeff";
    for segment_type in ["ts-segment", "mp4-segment"] {
        let clear = bench.wish(&format!("clear-{segment_type}"), "HLS", segment_type, None);
        make(&clear).await.unwrap();
        for vector in [Some(VECTOR), None] {
            let drm = json!({"Type": "simpleaes", "SimpleAesDrm": {
                "Uri": "https://keys.example/k?id=1", "Key": key, "Vector": vector}});
            let wish =
                bench.wish(&format!("{segment_type}-{}", vector.is_some()), "HLS", segment_type, Some(drm));
            make(&wish).await.unwrap();
            let extension = if segment_type == "ts-segment" { "ts" } else { "m4s" };
            for number in 1..=3_u32 {
                let name = format!("video-1_{number}.{extension}");
                let iv = vector.map_or_else(|| format!("{:032x}", number - 1), str::to_owned);
                let done = Command::new("openssl")
                    .args(["enc", "-d", "-aes-128-cbc", "-K", key, "-iv", &iv, "-in"])
                    .arg(wish.folder.join(&name))
                    .output()
                    .unwrap();
                assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
                let plain = std::fs::read(clear.folder.join(&name)).unwrap();
                assert!(done.stdout == plain, "{name} differs");
            }
            let playlist = text(&wish, "video-1.m3u8");
            let iv = vector.map(|iv| format!(",IV=0x{iv}")).unwrap_or_default();
            let line = format!("#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k?id=1\"{iv}\n");
            assert!(playlist.contains(&line) && !playlist.contains(key), "{playlist}");
        }
    }
}
