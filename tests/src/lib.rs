//! What the tests of the whole server share: a server with its surroundings, requests in a few words, and results with
//! their files.

pub mod packages;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mps_testkit::receiver::Receiver;
use mps_testkit::server::{OUTPUT, REGION, Server, Setup};
use mps_testkit::web::Web;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a task of a few seconds of film may take on a busy machine.
pub const SOON: Duration = Duration::from_mins(3);

/// A server, a web server of sources and a receiver of callbacks, both of which it may reach.
pub struct Bench {
    /// The server.
    pub server: Server,
    /// The sources.
    pub web: Web,
    /// The receiver.
    pub receiver: Receiver,
    /// Where results are downloaded to.
    pub folder: TempDir,
}

/// A transcode that has ended.
#[derive(Debug, Clone)]
pub struct Done {
    /// `TranscodeTask` of the result.
    pub result: Value,
    /// Its file (of HLS: the playlist, its segments beside it); none if it failed.
    pub file: Option<PathBuf>,
}

impl Done {
    /// The file of one that must have succeeded.
    pub fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or_else(|| panic!("no file: {:#}", self.result))
    }

    /// `Output` of one that must have succeeded.
    pub fn output(&self) -> &Value {
        assert_eq!(self.result["Status"], "SUCCESS", "{:#}", self.result);
        &self.result["Output"]
    }
}

impl Bench {
    /// Starts all three.
    pub async fn start() -> Self {
        Self::with(|setup| setup).await
    }

    /// Starts all three, the server with other settings.
    pub async fn with(changed: impl FnOnce(Setup) -> Setup) -> Self {
        let (web, receiver) = (Web::start().await, Receiver::start().await);
        let setup = Setup::default().allow(&web.host()).allow(&receiver.host());
        let server = changed(setup).start().await;
        let folder = tempfile::tempdir().expect("a folder for results");
        Self { server, web, receiver, folder }
    }

    /// Offers the file as `NAME.EXTENSION` and transcodes it by these items of `TranscodeTaskSet`.
    pub async fn transcode(&self, source: &Path, items: &[Value]) -> Vec<Done> {
        let detail = self.task(source, items).await;
        self.results(&detail).await
    }

    /// As [`transcode`](Self::transcode) for one item that must succeed.
    pub async fn one(&self, source: &Path, item: Value) -> Done {
        let mut done = self.transcode(source, &[item]).await;
        let done = done.remove(0);
        done.output();
        done
    }

    /// As [`one`](Self::one) by a template given in the call.
    pub async fn raw(&self, source: &Path, template: Value) -> Done {
        self.one(source, json!({"Definition": 0, "RawParameter": template})).await
    }

    /// Offers the file, transcodes it, waits for the end; gives the detail.
    pub async fn task(&self, source: &Path, items: &[Value]) -> Value {
        self.media(source, &json!({"TranscodeTaskSet": items})).await
    }

    /// As [`task`](Self::task) with any lists of `MediaProcessTask`.
    pub async fn media(&self, source: &Path, lists: &Value) -> Value {
        let name = source.file_name().and_then(|name| name.to_str()).expect("a source has a name");
        let url = self.web.offer(name, source);
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let mut request = by_url(&url, &format!("/{unique}/"), &[]);
        request["MediaProcessTask"] = lists.clone();
        let task = self.server.process(&request).await;
        self.server.ended(&task, SOON).await
    }

    /// The transcodes of a task with their files.
    pub async fn results(&self, detail: &Value) -> Vec<Done> {
        let mut all = Vec::new();
        for result in results_of(detail) {
            let file = match result["Output"]["Path"].as_str() {
                Some(path) if result["Status"] == "SUCCESS" => Some(self.fetch(path).await),
                _ => None,
            };
            all.push(Done { result, file });
        }
        all
    }

    /// Downloads an output; of a playlist also what it names.
    pub async fn fetch(&self, path: &str) -> PathBuf {
        let (parent, _) = path.rsplit_once('/').expect("an output's path begins with a slash");
        let folder = self.folder.path().join(parent.trim_start_matches('/'));
        std::fs::create_dir_all(&folder).expect("a folder for results");
        let file = self.server.download(OUTPUT, path, &folder).await;
        if file.extension().is_some_and(|extension| extension == "m3u8") {
            let text = std::fs::read_to_string(&file).expect("a playlist is text");
            for name in named_in(&text) {
                if !folder.join(&name).exists() {
                    self.server.download(OUTPUT, &format!("{parent}/{name}"), &folder).await;
                }
            }
        }
        file
    }
}

/// The files that a playlist names, each once, in order.
pub fn named_in(playlist: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in playlist.lines() {
        let name = match line.strip_prefix("#EXT-X-MAP:") {
            Some(map) => map.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next()),
            None => (!line.starts_with('#') && !line.trim().is_empty()).then(|| line.trim()),
        };
        if let Some(name) = name
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// The transcodes of a task in the order of the request.
pub fn results_of(detail: &Value) -> Vec<Value> {
    let set = detail["WorkflowTask"]["MediaProcessResultSet"].as_array().cloned().unwrap_or_default();
    set.into_iter().map(|item| item["TranscodeTask"].clone()).collect()
}

/// A `ProcessMedia` of a URL into the first account's bucket for results.
pub fn by_url(url: &str, folder: &str, items: &[Value]) -> Value {
    json!({
        "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": url}},
        "OutputStorage": storage(),
        "OutputDir": folder,
        "MediaProcessTask": {"TranscodeTaskSet": items},
    })
}

/// The first account's bucket for results.
pub fn storage() -> Value {
    json!({"Type": "COS", "CosOutputStorage": {"Bucket": OUTPUT, "Region": REGION}})
}

/// A callback to this address.
pub fn notify(url: &str, mode: &str) -> Value {
    json!({"NotifyType": "URL", "NotifyUrl": url, "NotifyMode": mode})
}

/// A template: H.264 and AAC in `container`, the members of `video` put over it.
pub fn template(container: &str, video: &Value) -> Value {
    let mut picture = json!({"Codec": "h264", "Fps": 0, "Bitrate": 0});
    if let (Some(picture), Some(more)) = (picture.as_object_mut(), video.as_object()) {
        picture.extend(more.clone());
    }
    json!({
        "Container": container,
        "VideoTemplate": picture,
        "AudioTemplate": {"Codec": "aac", "Bitrate": 96, "SampleRate": 48000, "AudioChannel": 2},
    })
}
