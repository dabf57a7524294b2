//! Encrypted ladders of a whole server (DRM-01 to DRM-22): what its own key opens is what the clear
//! ladder shows; what a key server does wrong fails its item alone; keys are seen nowhere.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_e2e::{Bench, SOON, by_url, notify, storage};
use mps_media::drm::{Kid, System};
use mps_testkit::compare::{decode, frame_times, probe, ssim};
use mps_testkit::made;
use mps_testkit::media_files::tool;
use mps_testkit::receiver::Answer;
use mps_testkit::server::{INPUT, REGION, client};
use serde_json::{Value, json};

use super::ladder::{Ladder, results, rung, template};
use crate::drm::{Keyserver, VECTOR, has};
use crate::{seconds, tools_or_return};

/// A server and a key server that it may ask.
async fn start() -> (Bench, Keyserver) {
    let keyserver = Keyserver::start();
    let bench = Bench::with(|setup| {
        setup
            .allow(keyserver.url.trim_start_matches("http://"))
            .set("network.key_server_timeout_s", "1")
            .set("workers.max_attempts", "1")
    })
    .await;
    (bench, keyserver)
}

/// A template of two streams with segments of 2 s.
async fn ladder_of(bench: &Bench, format: &str, segments: &str) -> i64 {
    let mut streams = [rung(180, 300), rung(144, 200)];
    for stream in &mut streams {
        stream["Video"]["HlsTime"] = json!(2);
    }
    template(bench, json!({"Format": format, "SegmentType": segments, "StreamInfos": streams})).await
}

async fn key_of(keyserver: &Keyserver, kid: Kid) -> [u8; 16] {
    let url = format!("{}/key/{}", keyserver.url, kid.hex());
    let answer = client().get(url).send().await.expect("an answer");
    answer.bytes().await.expect("a key").as_ref().try_into().expect("16 bytes")
}

/// The id of the key that a file's header names, and how its samples are encrypted.
fn protection(file: &Path) -> (Kid, String) {
    let bytes = std::fs::read(file).expect("a file");
    let at = |name: &[u8]| bytes.windows(4).position(|window| window == name).expect("an encrypted file") + 4;
    let kid: [u8; 16] = bytes[at(b"tenc") + 8..][..16].try_into().expect("an id");
    (Kid::from(kid), String::from_utf8_lossy(&bytes[at(b"schm") + 4..][..4]).into_owned())
}

/// A file without encryption.
#[expect(clippy::disallowed_methods, reason = "another program decrypts what ours encrypted")]
fn opened(file: &Path, key: [u8; 16]) -> PathBuf {
    let (key, plain) = (format!("{:032x}", u128::from_be_bytes(key)), file.with_extension("plain.mp4"));
    let mut command = Command::new(tool("ffmpeg").expect("ffmpeg"));
    command
        .args(["-v", "error", "-y", "-decryption_key", &key, "-i"])
        .arg(file)
        .args(["-c", "copy"])
        .arg(&plain);
    let done = command.output().expect("ffmpeg runs");
    assert!(done.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&done.stderr));
    plain
}

/// The sums of all frames of sound as they are coded.
#[expect(clippy::disallowed_methods, reason = "the measuring tools of tests are processes")]
fn sums(file: &Path) -> Vec<String> {
    let mut command = Command::new(tool("ffmpeg").expect("ffmpeg"));
    command.args(["-v", "error", "-i"]).arg(file).args(["-map", "0:a", "-c", "copy", "-f", "framemd5", "-"]);
    let text = String::from_utf8(command.output().expect("ffmpeg runs").stdout).expect("text");
    let sums = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(',').nth(5));
    sums.map(|sum| sum.trim().to_owned()).collect()
}

/// Both decode without a complaint to the same sound, and to as many pictures that look the same: encoders that work in
/// several threads do not make the very same ones twice.
fn assert_alike(own: &Path, other: &Path) {
    let told = own.display();
    decode(own).unwrap_or_else(|error| panic!("{told}: {error}"));
    let seen = probe(own);
    for kind in ["video", "audio"] {
        assert_eq!(seen.has(kind), probe(other).has(kind), "{told}");
    }
    if seen.has("audio") {
        let (own, other) = (sums(own), sums(other));
        let first = own.iter().zip(&other).position(|(own, other)| own != other);
        assert!(own.len() > 50 && own == other, "{told}: {first:?} of {} and {}", own.len(), other.len());
    }
    if seen.has("video") {
        assert_eq!(frame_times(own, "v:0").len(), frame_times(other, "v:0").len(), "{told}");
        let likeness = ssim(own, other);
        assert!(likeness > 0.97, "{told}: {likeness}");
    }
}

/// The file of each track.
fn tracks(made: &Ladder) -> Vec<PathBuf> {
    if made.output["Package"] == "MPEG-DASH" {
        let names = made.names.iter().filter(|name| super::ends(name, "mp4"));
        return names.map(|name| made.file(name)).collect();
    }
    made.playlists().iter().map(|playlist| made.whole(playlist)).collect()
}

/// Every track of `made` opens with its own key to that of `clear`; gives the keys and their ids.
async fn assert_same(
    keyserver: &Keyserver,
    made: &Ladder,
    clear: &Ladder,
    scheme: &str,
) -> Vec<(Kid, [u8; 16])> {
    let mut keys: Vec<(Kid, [u8; 16])> = Vec::new();
    let (own, other) = (tracks(made), tracks(clear));
    assert_eq!((own.len(), other.len()), (3, 3), "{}", made.manifest_text());
    for (own, other) in own.iter().zip(&other) {
        let (kid, found) = protection(own);
        assert_eq!(found, scheme, "{}", own.display());
        let key = key_of(keyserver, kid).await;
        assert_alike(&opened(own, key), other);
        if !keys.contains(&(kid, key)) {
            keys.push((kid, key));
        }
    }
    keys
}

/// What playlists and manifest say of the systems, the ids and the vector.
fn assert_told(made: &Ladder, kind: &str, scheme: &str, ids: &[Kid]) {
    if made.output["Package"] == "MPEG-DASH" {
        let text = made.manifest_text();
        for kid in ids {
            assert!(text.contains(&format!("cenc:default_KID=\"{kid}\"")), "{text}");
        }
        for (word, system) in [("widevine", System::Widevine), ("playready", System::PlayReady)] {
            assert_eq!(text.contains(&system.uuid()), kind.contains(word), "{text}");
        }
        return assert!(text.contains(&format!("value=\"{scheme}\"")), "{text}");
    }
    for playlist in made.playlists() {
        let text = made.text(&playlist);
        let header = made.whole(&playlist);
        let (own_id, _) = protection(&header);
        let bytes = std::fs::read(header).expect("a track");
        for (word, format, system) in [
            ("widevine", System::Widevine.key_format(), System::Widevine),
            ("playready", System::PlayReady.key_format(), System::PlayReady),
            ("fairplay", System::FairPlay.key_format(), System::FairPlay),
        ] {
            let line = text.lines().find(|line| line.starts_with("#EXT-X-KEY:") && line.contains(format));
            assert_eq!(line.is_some(), kind.contains(word), "{text}");
            let Some(line) = line else { continue };
            assert_eq!(line.contains(&format!("IV=0x{VECTOR}")), scheme == "cbcs", "{line}");
            assert_eq!(line.contains("METHOD=SAMPLE-AES-CTR"), scheme == "cenc", "{line}");
            assert_eq!(line.contains(&format!("KEYID=0x{}", own_id.hex())), word == "widevine", "{line}");
            let is_in_header = has(&bytes, &[b"pssh\0\0\0\0".as_slice(), &system.id()].concat());
            assert_eq!(is_in_header, word != "fairplay", "{word} in {playlist}");
        }
    }
    assert!(!made.manifest_text().contains("EXT-X-KEY"));
}

/// Command lines of the packager, as every process of the machine may see them.
fn watch_processes() -> (Arc<AtomicBool>, std::thread::JoinHandle<BTreeSet<String>>) {
    let stop = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&stop);
    let look = move || {
        let mut seen = BTreeSet::new();
        while !ended.load(Ordering::Relaxed) {
            for process in std::fs::read_dir("/proc").expect("processes").flatten() {
                let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line).replace('\0', " ");
                if line.contains("drm_label=") {
                    seen.insert(line);
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        seen
    };
    (stop, std::thread::spawn(look))
}

/// All that a server has written but its objects.
fn stored(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_file() {
            bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
        }
    }
    bytes
}

const KINDS: [(&str, &str, &str, &str, &str, &str, usize); 5] = [
    ("HLS", "mp4-segment", "widevine+playready+fairplay", "", "preset1", "cbcs", 3),
    ("HLS", "mp4-byterange", "widevine+playready", "", "", "cenc", 1),
    ("HLS", "mp4-mp4-segment", "fairplay", "", "preset0", "cbcs", 1),
    ("MPEG-DASH", "mp4-byterange", "widevine", "", "", "cenc", 1),
    ("MPEG-DASH", "mp4-mp4-byterange", "widevine+playready", "cbcs", "preset1", "cbcs", 3),
];

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_ladders_open_with_their_own_keys_to_what_the_clear_ones_show() {
    tools_or_return!();
    let (bench, keyserver) = start().await;
    let mut items = Vec::new();
    for (format, segments) in
        [("HLS", "mp4-mp4-segment"), ("HLS", "mp4-mp4-byterange"), ("MPEG-DASH", "mp4-byterange")]
    {
        items.push(json!({"Definition": ladder_of(&bench, format, segments).await}));
    }
    for (format, segments, kind, method, preset, _, _) in KINDS {
        let id = ladder_of(&bench, format, segments).await;
        items.push(json!({"Definition": id, "DrmInfo": keyserver.drm(kind, method, preset)}));
    }
    let source = bench.web.offer("film.mp4", &made::clip(320, 180, "25", seconds(6)));
    let mut request = by_url(&source, "/drm/", &[]);
    request["MediaProcessTask"] = json!({"AdaptiveDynamicStreamingTaskSet": items});
    request["TaskNotifyConfig"] = notify(&bench.receiver.url("end"), "Finish");
    let (ending, watched) = watch_processes();
    let task = bench.server.process(&request).await;
    let detail = bench.server.ended(&task, SOON).await;
    ending.store(true, Ordering::Relaxed);
    let set = detail["WorkflowTask"]["MediaProcessResultSet"].as_array().cloned().unwrap_or_default();
    let mut ladders = Vec::new();
    for result in &set {
        ladders.push(Ladder::fetch(&bench, &result["AdaptiveDynamicStreamingTask"]).await);
    }
    let mut all: Vec<(Kid, [u8; 16])> = Vec::new();
    for ((format, segments, kind, _, _, scheme, count), made) in KINDS.into_iter().zip(&ladders[3..]) {
        let clear = match (format, segments.ends_with("byterange")) {
            ("HLS", is_range) => &ladders[usize::from(is_range)],
            _ => &ladders[2],
        };
        let keys = assert_same(&keyserver, made, clear, scheme).await;
        assert_eq!(keys.len(), count, "{format} {segments}: {kind}");
        let ids: Vec<Kid> = keys.iter().map(|(kid, _)| *kid).collect();
        assert_told(made, kind, scheme, &ids);
        all.extend(keys);
    }
    // The same content, the same ids: one for all streams, and three for each its own.
    all.sort_unstable_by_key(|(kid, _)| kid.hex());
    all.dedup();
    assert_eq!(all.len(), 4, "{all:?}");

    let calls = bench.receiver.wait("end", 1, seconds(30)).await;
    assert_eq!(calls[0].body()["WorkflowTaskEvent"], detail["WorkflowTask"]);
    let told = &detail["WorkflowTask"]["MediaProcessResultSet"][3]["AdaptiveDynamicStreamingTask"]["Input"]["DrmInfo"];
    assert_eq!(told["SpekeDrm"]["ResourceId"], "film_1-a");
    let lines = watched.join().expect("the watcher");
    assert!(lines.iter().any(|line| line.contains("--flagfile=/dev/stdin")), "{lines:?}");
    let lines: String = lines.into_iter().collect();
    let texts = [detail.to_string(), calls[0].text.clone(), bench.server.log(), lines];
    let stored = stored(bench.server.data());
    assert!(has(&stored, b"film_1-a"), "the database is not where it was looked for");
    for (_, key) in all {
        let ways = [format!("{:032x}", u128::from_be_bytes(key)), STANDARD.encode(key)];
        for way in &ways {
            assert!(texts.iter().all(|text| !text.contains(way)) && !has(&stored, way.as_bytes()));
        }
        assert!(!has(&stored, &key));
    }
    assert!(texts.iter().all(|text| !text.contains("ticket=")), "a ticket is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_from_a_bucket_has_the_same_keys_and_subtitles_stay_clear() {
    tools_or_return!();
    let (bench, keyserver) = start().await;
    let film = made::clip(320, 180, "25", seconds(3));
    bench.server.put(INPUT, "film.mp4", std::fs::read(&film).expect("a film")).await;
    let words = json!({"Type": "URL", "UrlInputInfo": {"Url":
        bench.web.offer_bytes("w.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n")}});
    let mut items = Vec::new();
    for (format, segments) in [("HLS", "mp4-segment"), ("MPEG-DASH", "")] {
        let id = ladder_of(&bench, format, segments).await;
        items.push(json!({"Definition": id, "DrmInfo": keyserver.drm("widevine", "", "preset1"),
            "AddOnSubtitles": [{"Subtitle": words, "SubtitleLanguage": "eng", "OutputFormat": "WebVTT"}]}));
    }
    let by_bucket = json!({
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": INPUT, "Region": REGION, "Object": "/film.mp4"}},
        "OutputStorage": storage(), "OutputDir": "/cos/",
        "MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": items},
    });
    let task = bench.server.process(&by_bucket).await;
    let detail = bench.server.ended(&task, SOON).await;
    let mut seen: Vec<Vec<Kid>> = Vec::new();
    let set = detail["WorkflowTask"]["MediaProcessResultSet"].as_array().cloned().unwrap_or_default();
    let by_bucket = set.into_iter().map(|result| result["AdaptiveDynamicStreamingTask"].clone());
    for result in by_bucket.chain(results(&bench, &film, &items).await) {
        let made = Ladder::fetch(&bench, &result).await;
        let vtt = made.names.iter().find(|name| super::ends(name, "vtt")).expect("subtitles");
        assert!(made.text(vtt).contains("Hello"), "{}", made.text(vtt));
        if let Some(list) = made.names.iter().find(|name| name.contains("_3.m3u8")) {
            assert!(!made.text(list).contains("EXT-X-KEY") && made.text(list).contains(".vtt"));
        }
        seen.push(tracks(&made).iter().map(|track| protection(track).0).collect());
    }
    assert_eq!((seen.len(), seen[0].len()), (4, 3));
    assert!(seen.iter().all(|ids| ids == &seen[0]), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "another program decrypts what ours encrypted")]
async fn another_program_decrypts_the_segments_of_simple_aes() {
    tools_or_return!();
    let (bench, _keyserver) = start().await;
    let key = "00112233445566778899aabbccddeeff";
    let film = made::clip(320, 180, "25", seconds(5));
    for segments in ["ts-segment", "mp4-segment", "ts-packed-audio"] {
        let id = ladder_of(&bench, "HLS", segments).await;
        let drm = |vector: Option<&str>| {
            json!({"Type": "simpleaes", "SimpleAesDrm": {
                "Uri": "https://keys.example/k?id=1", "Key": key, "Vector": vector}})
        };
        let items = [
            json!({"Definition": id}),
            json!({"Definition": id, "DrmInfo": drm(Some(VECTOR))}),
            json!({"Definition": id, "DrmInfo": drm(None)}),
        ];
        // Each into a folder of its own.
        let items: Vec<Value> = (0..)
            .zip(items)
            .map(|(nth, mut item)| {
                item["OutputObjectPath"] = json!(format!("{nth}/{{inputName}}.{{format}}"));
                item
            })
            .collect();
        let told = results(&bench, &film, &items).await;
        let clear = Ladder::fetch(&bench, &told[0]).await;
        for (result, vector) in told[1..].iter().zip([Some(VECTOR), None]) {
            assert!(!result.to_string().contains(key), "{result:#}");
            let made = Ladder::fetch(&bench, result).await;
            assert_eq!(made.playlists(), clear.playlists());
            for playlist in made.playlists() {
                let text = made.text(&playlist);
                let iv = vector.map(|iv| format!(",IV=0x{iv}")).unwrap_or_default();
                let line = format!("#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k?id=1\"{iv}\n");
                assert!(text.contains(&line) && !text.contains(key), "{text}");
                let names: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
                assert_eq!(names.len(), 3, "{text}");
                // What is listed, with the header, which is clear, in front.
                let header = |from: &Ladder| {
                    let map = text.split("#EXT-X-MAP:URI=\"").nth(1).and_then(|rest| rest.split('"').next());
                    map.map_or_else(Vec::new, |name| std::fs::read(from.file(name)).expect("a header"))
                };
                let (mut own, mut other) = (header(&made), header(&clear));
                for (number, name) in names.iter().enumerate() {
                    let iv = vector.map_or_else(|| format!("{number:032x}"), str::to_owned);
                    let done = Command::new("openssl")
                        .args(["enc", "-d", "-aes-128-cbc", "-K", key, "-iv", &iv, "-in"])
                        .arg(made.file(name))
                        .output()
                        .expect("openssl runs");
                    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
                    own.extend(done.stdout);
                    other.extend(std::fs::read(clear.file(name)).expect("a clear segment"));
                }
                let extension = names[0].rsplit('.').next().expect("an extension").replace("m4s", "mp4");
                let (own_file, other_file) =
                    (made.file(&format!("own.{extension}")), made.file(&format!("other.{extension}")));
                std::fs::write(&own_file, own).expect("a file");
                std::fs::write(&other_file, other).expect("a file");
                assert_alike(&own_file, &other_file);
            }
        }
    }
    assert!(!bench.server.log().contains(key));
}

/// A server that answers everything with this document.
fn always(document: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let (mut asked, mut piece) = (Vec::new(), [0; 4096]);
            while !has(&asked, b"</cpix:CPIX>") {
                match stream.read(&mut piece) {
                    Ok(read) if read > 0 => asked.extend_from_slice(&piece[..read]),
                    _ => break,
                }
            }
            let length = document.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{document}"
            );
        }
    });
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_server_does_wrong_fails_its_item_alone() {
    tools_or_return!();
    let one_key = "<cpix:CPIX xmlns:cpix=\"urn:dashif:org:cpix\" xmlns:pskc=\"urn:ietf:params:xml:ns:keyprov:pskc\" \
        contentId=\"film_1-a\"><cpix:ContentKeyList><cpix:ContentKey kid=\"11111111-1111-1111-1111-111111111111\">\
        <cpix:Data><pskc:Secret><pskc:PlainValue>q6urq6urq6urq6urq6urqw==</pskc:PlainValue></pskc:Secret></cpix:Data>\
        </cpix:ContentKey></cpix:ContentKeyList></cpix:CPIX>";
    let too_few = always(one_key.to_owned());
    let keyserver = Keyserver::start();
    let bench = Bench::with(|setup| {
        setup
            .allow(keyserver.url.trim_start_matches("http://"))
            .allow(&too_few)
            .set("network.key_server_timeout_s", "1")
            .set("workers.max_attempts", "1")
    })
    .await;
    bench.receiver.always("expired", Answer::Status(403));
    bench.receiver.always("hang", Answer::Hang);
    let id = ladder_of(&bench, "HLS", "mp4-segment").await;
    let at = |url: String| {
        let mut drm = keyserver.drm("widevine", "", "preset1");
        drm["SpekeDrm"]["KeyServerUrl"] = json!(format!("{url}?ticket=s3cr3t%2Fb"));
        json!({"Definition": id, "DrmInfo": drm})
    };
    let items = [
        at(bench.receiver.url("expired")),
        at(bench.receiver.url("hang")),
        at(bench.receiver.url("empty")),
        at(format!("http://{too_few}/")),
        at(format!("{}/speke", keyserver.url)),
        json!({"Definition": id}),
    ];
    let told = results(&bench, &made::clip(320, 180, "25", seconds(3)), &items).await;
    for (result, (word, part)) in told.iter().zip([
        ("InvalidInput.PermissionDenied", "the key URL was refused"),
        ("", "did not answer within 1 s"),
        ("InternalError.Unavailable", "the key server's answer cannot be used"),
        ("InternalError.Unavailable", "it has 1 keys where 3 were asked for"),
    ]) {
        assert_eq!(result["Status"], "FAIL", "{result:#}");
        let message = result["Message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{result:#}");
        assert!(result["ErrCodeExt"].as_str().is_some_and(|found| found.contains(word)), "{result:#}");
        assert!(result["ErrCode"] != 0 && result["Output"].is_null(), "{result:#}");
        assert!(!result.to_string().contains("s3cr3t") && !message.contains("q6ur"), "{result:#}");
    }
    for result in &told[4..] {
        assert_eq!(result["Status"], "SUCCESS", "{result:#}");
    }
    // As it was given, with the content that players name.
    let call = &bench.receiver.at("expired")[0];
    assert_eq!((call.method.as_str(), call.target.as_str()), ("POST", "/expired?ticket=s3cr3t%2Fb"));
    assert!(call.text.contains("contentId=\"film_1-a\""), "{}", call.text);
    assert_eq!(bench.receiver.at("hang").len(), 3);
    let log = bench.server.log();
    assert!(!log.contains("s3cr3t") && !log.contains("q6ur"), "{log}");
}
