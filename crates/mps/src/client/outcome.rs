//! What an answer of `DescribeTaskDetail` says, in the few words that a terminal has room for.

use serde_json::Value;

/// Where a task stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskReport {
    /// `WAITING`, `PROCESSING` or `FINISH`.
    pub status: String,
    /// Its parts, in the order of the request.
    pub parts: Vec<Part>,
    /// Why the task as a whole failed.
    pub failure: Option<Failure>,
}

/// One wish of the request.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is: `Transcode 100020`.
    pub name: String,
    /// `PROCESSING`, `SUCCESS` or `FAIL`; also empty while it waits.
    pub status: String,
    /// 0 to 100.
    pub percent: u64,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What it made.
    pub outputs: Vec<Place>,
}

/// A failure inside a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The number, `ErrCode`.
    pub number: i64,
    /// The word, `ErrCodeExt`; empty where the API gives none.
    pub word: String,
    /// The sentence.
    pub message: String,
}

/// An object in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `cos` or `s3`.
    pub scheme: &'static str,
    /// The bucket.
    pub bucket: String,
    /// The key, without a leading slash.
    pub key: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.word.as_str() {
            "" => write!(f, "{}: {}", self.number, self.message),
            word => write!(f, "{word} ({}): {}", self.number, self.message),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}/{}", self.scheme, self.bucket, self.key)
    }
}

impl TaskReport {
    /// Reads the answer; parts are whatever the task's results hold, whichever feature made them.
    pub fn read(answer: &Value) -> Self {
        let tasks = ["WorkflowTask", "ScheduleTask", "EditMediaTask"];
        let task = tasks.into_iter().map(|name| &answer[name]).find(|t| t.is_object());
        let Some(task) = task else {
            return Self { status: text(&answer["Status"]), parts: Vec::new(), failure: None };
        };
        let status = if task["Status"].is_string() { &task["Status"] } else { &answer["Status"] };
        let mut parts = Vec::new();
        if let Some(members) = task.as_object() {
            for (name, value) in members {
                match value {
                    Value::Array(items) if name.ends_with("ResultSet") => {
                        parts.extend(items.iter().filter_map(part));
                    }
                    Value::Object(_) if name.ends_with("TaskResult") => {
                        parts.extend(read_part(name.trim_end_matches("TaskResult"), value));
                    }
                    _ => {}
                }
            }
        }
        parts.extend(edited(&answer["EditMediaTask"]));
        Self { status: text(status), parts, failure: failure(task) }
    }

    /// Whether nothing will change any more.
    pub fn is_over(&self) -> bool {
        self.status == "FINISH"
    }

    /// Whether everything that was wished for is there.
    pub fn is_good(&self) -> bool {
        self.is_over() && self.failure.is_none() && self.parts.iter().all(|part| part.status == "SUCCESS")
    }

    /// How far the whole is, 0 to 100.
    pub fn percent(&self) -> u64 {
        match self.parts.len() as u64 {
            _ if self.is_over() => 100,
            0 => 0,
            parts => self.parts.iter().map(|part| part.percent).sum::<u64>() / parts,
        }
    }

    /// Every failure, the task's own first; parts that failed for the task's reason are not told apart.
    pub fn failures(&self) -> Vec<String> {
        let same = |failure: &Failure| self.failure.as_ref().is_some_and(|f| f.message == failure.message);
        let whole = self.failure.iter().map(ToString::to_string);
        let each = self.parts.iter().filter_map(|part| {
            let failure = part.failure.as_ref().filter(|failure| !same(failure))?;
            Some(format!("{failure} ({})", part.name))
        });
        whole.chain(each).collect()
    }
}

/// An item of a result set: the one member that holds a task.
fn part(item: &Value) -> Option<Part> {
    let (name, value) = item.as_object()?.iter().find(|(_, value)| value["Status"].is_string())?;
    let kind = item["Type"].as_str().unwrap_or_else(|| name.trim_end_matches("Task"));
    read_part(kind, value)
}

/// An edit is one part, and the whole.
fn edited(task: &Value) -> Option<Part> {
    let is_over = task["Status"].as_str()? == "FINISH";
    let failure = failure(task);
    let status = match (is_over, &failure) {
        (false, _) => "PROCESSING",
        (true, None) => "SUCCESS",
        (true, Some(_)) => "FAIL",
    };
    let mut outputs = Vec::new();
    find_outputs(&task["Output"], None, &mut outputs);
    let percent = if is_over { 100 } else { 0 };
    Some(Part { name: "Edit".to_owned(), status: status.to_owned(), percent, failure, outputs })
}

fn read_part(kind: &str, value: &Value) -> Option<Part> {
    let status = value["Status"].as_str()?.to_owned();
    let name = match value["Input"]["Definition"].as_u64() {
        Some(definition) if definition > 0 => format!("{kind} {definition}"),
        _ => kind.to_owned(),
    };
    let percent = match status.as_str() {
        "SUCCESS" | "FAIL" => 100,
        _ => value["Progress"].as_u64().unwrap_or(0).min(100),
    };
    let mut outputs = Vec::new();
    find_outputs(&value["Output"], None, &mut outputs);
    let failure = if status == "FAIL" { failure(value).or_else(|| Some(unexplained())) } else { None };
    Some(Part { name, status, percent, failure, outputs })
}

/// Every path of an object below a value, in the storage named beside or above it.
fn find_outputs(value: &Value, above: Option<(&'static str, String)>, found: &mut Vec<Place>) {
    match value {
        Value::Object(members) => {
            let here = storage(&value["OutputStorage"]).or_else(|| storage(&value["Storage"])).or(above);
            let pictures = value["ImagePathSet"].as_array().into_iter().flatten();
            let paths = [&value["Path"], &value["WebVttPath"]].into_iter().chain(pictures);
            for path in paths.filter_map(Value::as_str).filter(|path| !path.is_empty()) {
                let Some((scheme, bucket)) = &here else { continue };
                let key = path.trim_start_matches('/').to_owned();
                found.push(Place { scheme, bucket: bucket.clone(), key });
            }
            for (name, inner) in members {
                if name != "OutputStorage" {
                    find_outputs(inner, here.clone(), found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find_outputs(item, above.clone(), found)),
        _ => {}
    }
}

fn storage(value: &Value) -> Option<(&'static str, String)> {
    match value["Type"].as_str()? {
        "COS" => Some(("cos", text(&value["CosOutputStorage"]["Bucket"]))),
        "AWS-S3" => Some(("s3", text(&value["S3OutputStorage"]["S3Bucket"]))),
        _ => None,
    }
}

fn failure(value: &Value) -> Option<Failure> {
    let number = value["ErrCode"].as_i64().unwrap_or(0);
    let word = value["ErrCodeExt"].as_str().filter(|word| *word != "SUCCESS").unwrap_or_default().to_owned();
    (number != 0).then(|| Failure { number, word, message: text(&value["Message"]) })
}

fn unexplained() -> Failure {
    Failure { number: 0, word: String::new(), message: "failed without a reason".to_owned() }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn transcode(definition: u64, status: &str, progress: u64, rest: Value) -> Value {
        let mut task = json!({"Status": status, "Progress": progress, "ErrCode": 0, "ErrCodeExt": "", "Message": "",
            "Input": {"Definition": definition}, "Output": null});
        if let (Some(task), Value::Object(rest)) = (task.as_object_mut(), rest) {
            task.extend(rest);
        }
        json!({"Type": "Transcode", "TranscodeTask": task, "SampleSnapshotTask": null})
    }

    fn answer(status: &str, parts: &[Value]) -> Value {
        json!({"Status": status, "WorkflowTask": {"Status": status, "ErrCode": 0, "Message": "",
            "MediaProcessResultSet": parts, "AiAnalysisResultSet": []}})
    }

    #[test]
    fn progress_is_the_mean_of_the_parts() {
        let report = TaskReport::read(&answer(
            "PROCESSING",
            &[transcode(100_020, "SUCCESS", 100, json!({})), transcode(100_030, "PROCESSING", 40, json!({}))],
        ));
        assert_eq!(report.percent(), 70);
        assert_eq!(report.parts[0].name, "Transcode 100020");
        assert!(!report.is_over() && !report.is_good());
    }

    #[test]
    fn outputs_are_found_with_their_bucket() {
        let storage = json!({"Type": "COS", "CosOutputStorage": {"Bucket": "b-1", "Region": "r"}});
        let output =
            json!({"Output": {"OutputStorage": storage, "Path": "/out/a.mp4", "VideoStreamSet": []}});
        let report = TaskReport::read(&answer("FINISH", &[transcode(100_020, "SUCCESS", 100, output)]));
        assert!(report.is_good());
        assert_eq!(report.parts[0].outputs[0].to_string(), "cos://b-1/out/a.mp4");
    }

    #[test]
    fn pictures_and_their_index_are_outputs() {
        let storage = json!({"Type": "COS", "CosOutputStorage": {"Bucket": "b-1", "Region": "r"}});
        let output = json!({"Output": {
            "Storage": storage, "ImagePathSet": ["/out/0.jpg", "/out/1.jpg"], "WebVttPath": "/out/i.vtt"}});
        let report = TaskReport::read(&answer("FINISH", &[transcode(10, "SUCCESS", 100, output)]));
        let mut keys: Vec<&str> = report.parts[0].outputs.iter().map(|place| place.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["out/0.jpg", "out/1.jpg", "out/i.vtt"]);
    }

    #[test]
    fn an_edit_is_one_part_with_its_output() {
        let storage = json!({"Type": "COS", "CosOutputStorage": {"Bucket": "out-1"}});
        let mut task = json!({"Status": "FINISH", "ErrCode": 0, "Message": "SUCCESS",
            "Output": {"Path": "/a/b.mp4", "OutputStorage": storage}});
        let report = TaskReport::read(&json!({"Status": "FINISH", "EditMediaTask": task}));
        assert!(report.is_good());
        assert_eq!(report.parts[0].outputs[0].to_string(), "cos://out-1/a/b.mp4");
        (task["ErrCode"], task["Message"], task["Output"]) =
            (json!(70000), json!("FileInfos.1: gone"), Value::Null);
        let report = TaskReport::read(&json!({"Status": "FINISH", "EditMediaTask": task}));
        assert!(!report.is_good());
        assert_eq!(report.failures(), ["70000: FileInfos.1: gone"]);
    }

    #[test]
    fn failures_of_the_whole_and_of_parts_are_told_with_their_codes() {
        let failed = json!({"ErrCode": 40000, "ErrCodeExt": "InvalidInput", "Message": "no video"});
        let mut answer = answer("FINISH", &[transcode(100_020, "FAIL", 0, failed)]);
        assert_eq!(
            TaskReport::read(&answer).failures(),
            ["InvalidInput (40000): no video (Transcode 100020)"]
        );
        answer["WorkflowTask"]["ErrCode"] = json!(70000);
        answer["WorkflowTask"]["Message"] = json!("source file err");
        let report = TaskReport::read(&answer);
        assert_eq!(report.failures()[0], "70000: source file err");
        assert_eq!(report.failures().len(), 2);
        answer["WorkflowTask"]["Message"] = json!("no video");
        assert_eq!(TaskReport::read(&answer).failures(), ["70000: no video"]);
        assert!(!report.is_good());
    }
}
