//! What every result of an item tells: state, progress, error.

use mps_core::task::{Failure, Step, StepState};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::times::iso;

/// What the probe calls a playlist.
pub const PLAYLIST_FORMAT: &str = "hls,applehttp";

/// How an item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `PROCESSING`, `SUCCESS` or `FAIL`.
    pub status: &'static str,
    /// The vendor's number; 0 unless it failed.
    pub err_code: i64,
    /// The vendor's word; empty unless it failed.
    pub err_code_ext: String,
    /// `SUCCESS`, or what went wrong.
    pub message: String,
    /// 0 to 100; 100 only with `SUCCESS`.
    pub progress: u8,
}

/// What was stored with a step: its params, and its result once it has one.
pub fn read_back<P: DeserializeOwned, R: DeserializeOwned>(step: Option<&Step>) -> (Option<P>, Option<R>) {
    let params = step.and_then(|step| P::deserialize(&step.params).ok());
    let result = step.and_then(|step| step.result.as_ref()).and_then(|result| R::deserialize(result).ok());
    (params, result)
}

/// How the item of `step` stands; without one, the task failed before.
pub fn outcome(step: Option<&Step>, task_failure: Option<&Failure>) -> Outcome {
    let progress = step.map_or(0, |step| step.progress.min(99));
    match step.map(|step| step.state) {
        Some(StepState::Blocked | StepState::Ready | StepState::Delayed | StepState::Running) => {
            let (err_code_ext, message) = (String::new(), String::new());
            Outcome { status: "PROCESSING", err_code: 0, err_code_ext, message, progress }
        }
        Some(StepState::Succeeded) => {
            let (err_code_ext, message) = (String::new(), "SUCCESS".to_owned());
            Outcome { status: "SUCCESS", err_code: 0, err_code_ext, message, progress: 100 }
        }
        None | Some(StepState::Failed | StepState::Cancelled) => {
            let own =
                step.filter(|step| step.state == StepState::Failed).and_then(|step| step.failure.as_ref());
            let failure = own.or(task_failure).cloned().unwrap_or_else(Failure::aborted);
            let (err_code, err_code_ext, message) = (failure.code, failure.word, failure.message);
            Outcome { status: "FAIL", err_code, err_code_ext, message, progress }
        }
    }
}

impl Outcome {
    /// As the result of an item whose structure has no progress, around its input and, if it succeeded, its output.
    pub fn around(&self, input: &Value, output: Option<&Value>, step: Option<&Step>) -> Value {
        json!({
            "Status": self.status,
            "ErrCode": self.err_code,
            "ErrCodeExt": self.err_code_ext,
            "Message": self.message,
            "Input": input,
            "Output": output,
            "BeginProcessTime": iso(step.and_then(|step| step.begun_ms)),
            "FinishTime": iso(step.and_then(|step| step.finished_ms)),
        })
    }
}
