//! Tasks that a client asks for while the server dies under it, and what it is owed for them.
//!
//! Each is asked for under a session id of its own, again and again until it is known to be accepted: an answer that
//! was lost must not make a second task.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use mps_e2e::{named_in, notify, results_of, template};
use mps_testkit::bucket::md5_hex;
use mps_testkit::compare::{decode, probe};
use mps_testkit::receiver::{Answer, Receiver};
use mps_testkit::server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::told;

/// Nobody answered.
pub(crate) type Gone = reqwest::Error;

/// How long the last task may take when nothing dies any more.
const LAST: Duration = Duration::from_mins(4);
/// Seconds of film in each source.
pub(crate) const FILM_S: u64 = 1;

/// What a task is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    /// Two files.
    Two,
    /// A playlist with its segments.
    Playlist,
    /// To fail: there is no source.
    Absent,
}

struct Job {
    session: String,
    folder: String,
    path: String,
    request: Value,
    work: Work,
    is_change: bool,
    is_accepted: bool,
    task: Option<String>,
    ended: Option<Value>,
    /// MD5 of what was seen in the bucket, by key.
    seen: HashMap<String, String>,
}

/// Where the outputs go, and who can be asked for them.
pub(crate) struct Shelf<'a> {
    /// The server with the bucket.
    pub(crate) server: &'a Server,
    /// The bucket.
    pub(crate) bucket: &'a str,
    /// Whether an output belongs to the step that made it: in a store of others a second try replaces the first.
    pub(crate) is_own: bool,
}

/// A client with all its tasks.
pub(crate) struct Jobs {
    receiver: Receiver,
    sources: [Value; 2],
    absent: Value,
    storage: Value,
    all: Vec<Job>,
    turn: usize,
    whole: HashSet<String>,
    folder: TempDir,
}

impl Jobs {
    /// A client that takes its tasks in turn from these sources; `absent` is an input that is not there.
    pub(crate) fn new(receiver: Receiver, sources: [Value; 2], absent: Value, storage: Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder for outputs");
        let (all, turn, whole) = (Vec::new(), 0, HashSet::new());
        Self { receiver, sources, absent, storage, all, turn, whole, folder }
    }

    /// How many were asked for.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// One small act: asks for a task while fewer than `open` are under way, else looks at one of them.
    pub(crate) async fn act(&mut self, server: &Server, place: &Shelf<'_>, open: usize) -> Result<(), Gone> {
        if let Some(unsure) = self.all.iter().position(|job| !job.is_accepted) {
            return self.ask(server, unsure).await;
        }
        let under_way: Vec<usize> = (0..self.all.len()).filter(|at| self.all[*at].ended.is_none()).collect();
        if under_way.len() < open {
            let next = self.next();
            self.all.push(next);
            return self.ask(server, self.all.len() - 1).await;
        }
        self.turn += 1;
        self.observe(server, place, under_way[self.turn % under_way.len()]).await
    }

    fn next(&self) -> Job {
        let number = self.all.len();
        let work = match number % 12 {
            7 => Work::Absent,
            at if at % 3 == 2 => Work::Playlist,
            _ => Work::Two,
        };
        let input = if work == Work::Absent { &self.absent } else { &self.sources[number % 2] };
        let small = json!({"Width": 128, "Height": 0});
        let raw = |container: &str, name: &str| {
            json!({"Definition": 0, "RawParameter": template(container, &small),
                "OutputObjectPath": format!("{name}.{{format}}")})
        };
        let items = match work {
            Work::Two | Work::Absent => json!([raw("mp4", "a"), raw("mkv", "b")]),
            Work::Playlist => json!([raw("hls", "p")]),
        };
        let (folder, path) = (format!("f/{number}/"), format!("told-{number}"));
        let is_change = number % 4 == 1;
        let session = format!("session-{number}");
        if number % 16 == 5 {
            self.receiver.script(&path, &[Answer::Status(503)]);
        }
        let mode = if is_change { "Change" } else { "Finish" };
        let request = json!({
            "InputInfo": input,
            "OutputStorage": self.storage,
            "OutputDir": format!("/{folder}"),
            "MediaProcessTask": {"TranscodeTaskSet": items},
            "TaskNotifyConfig": notify(&self.receiver.url(&path), mode),
            "SessionId": session,
            "SessionContext": format!("context-{number}"),
        });
        let (task, ended, seen) = (None, None, HashMap::new());
        Job { session, folder, path, request, work, is_change, is_accepted: false, task, ended, seen }
    }

    async fn ask(&mut self, server: &Server, at: usize) -> Result<(), Gone> {
        let job = &mut self.all[at];
        match server.try_call(server.key(), "ProcessMedia", &job.request).await? {
            Ok(answer) => job.task = answer["TaskId"].as_str().map(str::to_owned),
            // Accepted, but the answer was lost. Its id is found out in the end.
            Err(refused) if refused.code == "InvalidParameterValue.SessionId" => {}
            Err(refused) => panic!("{refused:?}: {:#}", job.request),
        }
        job.is_accepted = true;
        Ok(())
    }

    async fn observe(&mut self, server: &Server, place: &Shelf<'_>, at: usize) -> Result<(), Gone> {
        let job = &mut self.all[at];
        let Some(task) = &job.task else {
            self.find(server).await?;
            return Ok(());
        };
        let detail = describe(server, task).await?;
        if detail["Status"] == "FINISH" {
            job.ended = Some(detail);
            return Ok(());
        }
        if place.is_own && !std::ptr::eq(place.server, server) {
            return Ok(());
        }
        for name in ["a.mp4", "b.mkv", "p.m3u8"] {
            let key = format!("{}{name}", job.folder);
            let answer =
                place.server.try_s3(reqwest::Method::GET, place.bucket, &key, &[], Vec::new()).await?;
            if answer.status() == 404 {
                assert!(!place.is_own || !job.seen.contains_key(&key), "{key} was there and is gone");
                continue;
            }
            assert_eq!(answer.status(), 200, "{key}");
            let bytes = answer.bytes().await?;
            let md5 = md5_hex(&bytes);
            if !name.ends_with("m3u8") {
                whole(&mut self.whole, self.folder.path(), name, &bytes, &md5);
            }
            let before = job.seen.insert(key.clone(), md5.clone());
            assert!(!place.is_own || before.is_none_or(|before| before == md5), "{key} has changed");
        }
        Ok(())
    }

    /// Finds the tasks whose ids were lost, and that no session has two.
    async fn find(&mut self, server: &Server) -> Result<(), Gone> {
        let mut found: HashMap<String, String> = HashMap::new();
        for task in all_tasks(server).await? {
            let detail = describe(server, &task).await?;
            let session = detail["SessionId"].as_str().unwrap_or_default().to_owned();
            if let Some(other) = found.insert(session.clone(), task.clone()) {
                assert_eq!(other, task, "{session} was accepted twice");
            }
        }
        for job in &mut self.all {
            let task = found.remove(&job.session);
            match (&job.task, task) {
                (Some(known), Some(task)) => assert_eq!(*known, task),
                (Some(known), None) => panic!("{known} is gone"),
                (None, task) => {
                    assert!(task.is_some() || !job.is_accepted, "{} was accepted and is gone", job.session);
                    job.task = task;
                }
            }
        }
        assert!(found.is_empty(), "tasks that nobody asked for: {found:?}");
        Ok(())
    }

    /// Waits until everything has ended and was told, and checks it all. Nothing dies any more.
    pub(crate) async fn settle(&mut self, server: &Server, place: &Shelf<'_>) {
        while let Some(unsure) = self.all.iter().position(|job| !job.is_accepted) {
            self.ask(server, unsure).await.expect("the server is there");
        }
        self.find(server).await.expect("the server is there");
        let limit = Instant::now() + LAST;
        for at in 0..self.all.len() {
            let task = self.all[at].task.clone().expect("found above");
            let detail = server.ended(&task, limit.saturating_duration_since(Instant::now())).await;
            if let Some(before) = &self.all[at].ended {
                assert_eq!(answer(before), answer(&detail), "an end has changed");
            }
            self.check_outputs(place, at, &detail).await;
            self.all[at].ended = Some(detail);
        }
        for job in &self.all {
            let (wanted, detail) = (job.events(), job.ended.as_ref().expect("set above"));
            let mut events = told::events(&self.receiver.at(&job.path));
            while events.len() < wanted || !told::is_over(&events) {
                assert!(
                    Instant::now() < limit,
                    "{} of {wanted} events of {}: {events:#?}",
                    events.len(),
                    job.path
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
                events = told::events(&self.receiver.at(&job.path));
            }
            assert_eq!(events.len(), wanted, "{events:#?}");
            told::check(&events, detail);
        }
    }

    /// Checks that nothing was told since.
    pub(crate) fn nothing_more(&self) {
        for job in &self.all {
            let events = told::events(&self.receiver.at(&job.path));
            assert_eq!(events.len(), job.events(), "told more than there was: {events:#?}");
        }
    }

    async fn check_outputs(&mut self, place: &Shelf<'_>, at: usize, detail: &Value) {
        let job = &self.all[at];
        let results = results_of(detail);
        let mut keys = Vec::new();
        if job.work == Work::Absent {
            assert_ne!(detail["WorkflowTask"]["ErrCode"], 0, "{detail:#}");
        } else {
            assert_eq!(detail["WorkflowTask"]["ErrCode"], 0, "{detail:#}");
        }
        for result in results.iter().filter(|_| job.work != Work::Absent) {
            assert_eq!(result["Status"], "SUCCESS", "{detail:#}");
            let key = result["Output"]["Path"].as_str().unwrap_or_default().trim_start_matches('/');
            let bytes = place.server.object(place.bucket, key).await.unwrap_or_else(|| panic!("no {key}"));
            let md5 = md5_hex(&bytes);
            assert_eq!(result["Output"]["Md5"], md5, "{key}");
            if let Some(seen) = job.seen.get(key).filter(|_| place.is_own) {
                assert_eq!(*seen, md5, "{key} was another one before");
            }
            keys.push(key.to_owned());
            let name = key.rsplit('/').next().unwrap_or(key);
            if !name.ends_with("m3u8") {
                whole(&mut self.whole, self.folder.path(), name, &bytes, &md5);
                continue;
            }
            let text = String::from_utf8(bytes).expect("a playlist is text");
            assert!(text.contains("#EXT-X-ENDLIST"), "{text}");
            for piece in named_in(&text) {
                let key = format!("{}{piece}", job.folder);
                let bytes =
                    place.server.object(place.bucket, &key).await.unwrap_or_else(|| panic!("no {key}"));
                whole(&mut self.whole, self.folder.path(), &piece, &bytes, &md5_hex(&bytes));
                keys.push(key);
            }
        }
        keys.sort();
        assert_eq!(place.server.keys(place.bucket, &job.folder).await, keys, "objects of {}", job.folder);
    }

    /// Keys of all outputs.
    pub(crate) async fn keys(&self, place: &Shelf<'_>) -> Vec<String> {
        let mut keys = Vec::new();
        for job in &self.all {
            keys.extend(place.server.keys(place.bucket, &job.folder).await);
        }
        keys
    }
}

impl Job {
    /// How many events its receiver is owed: its end, and if it wants to hear of changes also its begin and the end
    /// of each step.
    fn events(&self) -> usize {
        match (self.is_change, self.work) {
            (false, _) => 1,
            (true, Work::Absent) => 2,
            (true, Work::Playlist) => 3,
            (true, Work::Two) => 4,
        }
    }
}

async fn describe(server: &Server, task: &str) -> Result<Value, Gone> {
    let answer = server.try_call(server.key(), "DescribeTaskDetail", &json!({"TaskId": task})).await?;
    Ok(answer.unwrap_or_else(|refused| panic!("{task} was accepted: {refused:?}")))
}

async fn all_tasks(server: &Server) -> Result<Vec<String>, Gone> {
    let mut all = Vec::new();
    for status in ["WAITING", "PROCESSING", "FINISH"] {
        let mut token = String::new();
        loop {
            let ask = json!({"Status": status, "Limit": 100, "ScrollToken": token});
            let page = server.try_call(server.key(), "DescribeTasks", &ask).await?.expect("a page of tasks");
            let tasks = page["TaskSet"].as_array().cloned().unwrap_or_default();
            all.extend(tasks.iter().filter_map(|task| task["TaskId"].as_str().map(str::to_owned)));
            page["ScrollToken"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                break;
            }
        }
    }
    Ok(all)
}

/// What is said of a task but for the number of the request.
fn answer(detail: &Value) -> Value {
    let mut detail = detail.clone();
    if let Some(members) = detail.as_object_mut() {
        members.remove("RequestId");
    }
    detail
}

/// Checks that a film can be decoded to its end; the same bytes once.
fn whole(known: &mut HashSet<String>, folder: &Path, name: &str, bytes: &[u8], md5: &str) {
    if !known.insert(md5.to_owned()) {
        return;
    }
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a downloaded object");
    decode(&path).unwrap_or_else(|said| panic!("{name} is not whole: {said}"));
    let length = probe(&path).duration_s();
    assert!((length - FILM_S as f64).abs() < 0.25, "{name} lasts {length} s");
}
