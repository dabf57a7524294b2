//! Uploads to the server's buckets that the server dies under: at once, and in parts.

use std::fmt::Write as _;

use mps_testkit::bucket::md5_hex;
use mps_testkit::server::{INPUT, Server};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use reqwest::Method;

use crate::jobs::Gone;

/// The least that a part before the last may have.
const PART: usize = 5 * 1024 * 1024;

/// One object on its way.
struct Upload {
    key: String,
    bytes: Vec<u8>,
    parts: Vec<Vec<u8>>,
    id: Option<String>,
    tags: Vec<String>,
    is_unsure: bool,
}

/// A client that uploads one object after the other and does not give up.
pub(crate) struct Uploads {
    rng: StdRng,
    count: usize,
    current: Option<Upload>,
    /// MD5 of what was acknowledged, by key.
    done: Vec<(String, String)>,
}

impl Uploads {
    /// A client with content from a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), count: 0, current: None, done: Vec::new() }
    }

    /// One request.
    pub(crate) async fn act(&mut self, server: &Server) -> Result<(), Gone> {
        let mut upload = self.current.take().unwrap_or_else(|| self.next());
        let is_done = upload.go_on(server).await;
        match is_done {
            Ok(true) => self.done.push((upload.key, md5_hex(&upload.bytes))),
            Ok(false) => self.current = Some(upload),
            Err(gone) => {
                upload.is_unsure = true;
                self.current = Some(upload);
                return Err(gone);
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Upload {
        let number = self.count;
        self.count += 1;
        let sizes: &[usize] = match number % 16 {
            15 => &[PART, 1_000],
            at if at % 2 == 1 => &[40_000],
            _ => &[],
        };
        let content = |size: usize, rng: &mut StdRng| {
            let mut bytes = vec![0; size];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let parts: Vec<Vec<u8>> = sizes.iter().map(|size| content(*size, &mut self.rng)).collect();
        let bytes = if parts.is_empty() { content(50_000, &mut self.rng) } else { parts.concat() };
        let key = format!("up/{number}");
        Upload { key, bytes, parts, id: None, tags: Vec::new(), is_unsure: false }
    }

    /// Ends what is under way, gives up what lost its answer, and checks all that was acknowledged.
    pub(crate) async fn settle(&mut self, server: &Server) {
        while self.current.is_some() {
            self.act(server).await.expect("the server is there");
        }
        let mut keys: Vec<String> = self.done.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        assert_eq!(server.keys(INPUT, "up/").await, keys, "uploaded objects");
        for (key, md5) in &self.done {
            let bytes = server.object(INPUT, key).await.expect("listed above");
            assert_eq!(md5_hex(&bytes), *md5, "{key}");
        }
        let open = server.try_s3(Method::GET, INPUT, "", &[("uploads", "")], Vec::new()).await;
        let open = open.expect("the server is there").text().await.expect("a whole listing");
        for upload in open.split("<Upload>").skip(1) {
            let (key, id) = (member(upload, "Key"), member(upload, "UploadId"));
            let given_up = server.try_s3(Method::DELETE, INPUT, &key, &[("uploadId", &id)], Vec::new()).await;
            assert_eq!(given_up.expect("the server is there").status(), 204, "{key}");
        }
    }
}

impl Upload {
    /// One request; whether the object is acknowledged.
    async fn go_on(&mut self, server: &Server) -> Result<bool, Gone> {
        if std::mem::take(&mut self.is_unsure) {
            self.look(server).await?;
        }
        if self.parts.is_empty() {
            ask(server, Method::PUT, &self.key, &[], self.bytes.clone()).await?;
            return Ok(true);
        }
        let Some(id) = self.id.clone() else {
            let answer = ask(server, Method::POST, &self.key, &[("uploads", "")], Vec::new()).await?;
            self.id = Some(member(&answer, "UploadId"));
            return Ok(false);
        };
        if let Some(part) = self.parts.get(self.tags.len()) {
            let number = (self.tags.len() + 1).to_string();
            let query = [("partNumber", number.as_str()), ("uploadId", &id)];
            ask(server, Method::PUT, &self.key, &query, part.clone()).await?;
            self.tags.push(md5_hex(part));
            return Ok(false);
        }
        let mut parts = String::new();
        for (number, tag) in (1..).zip(&self.tags) {
            let _ = write!(parts, "<Part><PartNumber>{number}</PartNumber><ETag>\"{tag}\"</ETag></Part>");
        }
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>").into_bytes();
        ask(server, Method::POST, &self.key, &[("uploadId", &id)], body).await?;
        Ok(true)
    }

    /// After a lost answer the object is there as a whole or not at all.
    async fn look(&self, server: &Server) -> Result<(), Gone> {
        let answer = server.try_s3(Method::GET, INPUT, &self.key, &[], Vec::new()).await?;
        if answer.status() == 404 {
            return Ok(());
        }
        assert_eq!(answer.status(), 200, "{}", self.key);
        let bytes = answer.bytes().await?;
        assert!(bytes == self.bytes, "{} is there in part: {} bytes", self.key, bytes.len());
        Ok(())
    }
}

async fn ask(
    server: &Server,
    method: Method,
    key: &str,
    query: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<String, Gone> {
    let answer = server.try_s3(method.clone(), INPUT, key, query, body).await?;
    let status = answer.status();
    let text = answer.text().await?;
    assert!(status == 200 && !text.contains("<Error>"), "{method} {key} {query:?}: {status} {text}");
    Ok(text)
}

fn member(xml: &str, name: &str) -> String {
    let after = xml.split(&format!("<{name}>")).nth(1).unwrap_or_else(|| panic!("no {name} in {xml}"));
    after.split('<').next().unwrap_or_default().to_owned()
}
