//! A bucket that speaks enough of S3 and COS for our calls, and fails when told to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use md5::{Digest as _, Md5};

use super::{Reply, Seen, Server};

/// What the bucket holds and how it misbehaves.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Held>,
    pub(crate) uploads: HashMap<String, Upload>,
    /// Completes the next upload, but answers that it failed.
    pub(crate) loses_next_complete: bool,
    /// Answers every call like this.
    pub(crate) always: Option<Reply>,
    begun: usize,
}

#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
}

pub(crate) struct Upload {
    key: String,
    headers: Vec<(String, String)>,
    parts: BTreeMap<usize, Vec<u8>>,
}

pub(crate) struct Bucket {
    pub(crate) server: Server,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Bucket {
    /// A bucket whose keys follow `prefix` in the path.
    pub(crate) async fn start(prefix: &'static str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let own = state.clone();
        let server = Server::start(move |seen, _| own.lock().unwrap().answer(seen, prefix)).await;
        Self { server, state }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    pub(crate) fn open_uploads(&self) -> usize {
        self.state.lock().unwrap().uploads.len()
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        let held = Held { bytes: bytes.to_vec(), headers: Vec::new() };
        self.state.lock().unwrap().objects.insert(key.to_owned(), held);
    }
}

/// An error as S3 and COS write it.
pub(crate) fn fault(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message><Resource>r</Resource><RequestId>1</RequestId></Error>"
    );
    Reply::new(status).header("Content-Type", "application/xml").body(body)
}

impl State {
    fn answer(&mut self, seen: &Seen, prefix: &str) -> Reply {
        if let Some(always) = self.always.clone() {
            return always;
        }
        let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
        let key = percent_encoding::percent_decode_str(path.strip_prefix(prefix).unwrap_or_default());
        let key = key.decode_utf8_lossy().into_owned();
        let query: HashMap<&str, &str> =
            query.split('&').map(|p| p.split_once('=').unwrap_or((p, ""))).collect();
        let kept = |name: &str| name.contains("-meta-") || name == "content-type" || name == "cache-control";
        let headers = || seen.headers.iter().filter(|(name, _)| kept(name)).cloned().collect::<Vec<_>>();
        match (seen.method.as_str(), query.get("uploadId"), query.contains_key("uploads")) {
            ("POST", None, true) => {
                self.begun += 1;
                let id = format!("u{}", self.begun);
                let upload = Upload { key, headers: headers(), parts: BTreeMap::new() };
                self.uploads.insert(id.clone(), upload);
                Reply::new(200).body(format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            ("PUT", Some(id), _) => match self.uploads.get_mut(*id) {
                Some(upload) => {
                    upload.parts.insert(query["partNumber"].parse().unwrap(), seen.body.clone());
                    Reply::new(200).header("ETag", etag(&seen.body)).body("")
                }
                None => fault(404, "NoSuchUpload", "gone"),
            },
            ("DELETE", Some(id), _) => {
                self.uploads.remove(*id);
                Reply::new(204)
            }
            ("POST", Some(id), _) => match self.uploads.remove(*id) {
                Some(upload) => {
                    let bytes = upload.parts.into_values().flatten().collect();
                    self.objects.insert(upload.key, Held { bytes, headers: upload.headers });
                    if std::mem::take(&mut self.loses_next_complete) {
                        return fault(500, "InternalError", "lost");
                    }
                    Reply::new(200).body(
                        "<CompleteMultipartUploadResult><ETag>\"parts-3\"</ETag></CompleteMultipartUploadResult>",
                    )
                }
                None => fault(404, "NoSuchUpload", "gone"),
            },
            ("PUT", None, _) => {
                let told = Reply::new(200).header("ETag", etag(&seen.body)).body("");
                self.objects.insert(key, Held { bytes: seen.body.clone(), headers: headers() });
                told
            }
            ("DELETE", None, _) => {
                self.objects.remove(&key);
                Reply::new(204)
            }
            _ => self.read(seen, &key),
        }
    }

    fn read(&self, seen: &Seen, key: &str) -> Reply {
        let Some(held) = self.objects.get(key) else { return fault(404, "NoSuchKey", "none") };
        let tag = etag(&held.bytes);
        if !matches!(seen.header("if-match"), "" | "*") && seen.header("if-match") != tag {
            return fault(412, "PreconditionFailed", "changed");
        }
        let reply = Reply::file(seen, &held.bytes, &tag);
        held.headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
    }
}

fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Md5::digest(bytes)))
}
