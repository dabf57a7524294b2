//! What a failed step or task says to its owner.

use serde::{Deserialize, Serialize};

use crate::error::{Blame, Error, Kind};

/// Why a step or a task failed, in the numbers and words that its owner sees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Failure {
    /// The number: 40000 for a request that cannot be done, 60000 for its source, 70000 for what is not the caller's
    /// fault; never 0.
    pub code: i64,
    /// The vendor's word for it, such as `InternalError`, where ours is finer with a dot and our own behind it.
    pub word: String,
    /// The sentence.
    pub message: String,
}

/// What is wrong with a part of a task, where its place of failure knows it better than the error's kind tells: the
/// vendor's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The clip lies outside the source.
    TimeOffset,
    /// The source is broken, or lacks what is wanted of it.
    Source,
    /// The source has no pictures.
    NoVideo,
}

impl Fault {
    /// Number and word.
    const fn told(self) -> (i64, &'static str) {
        match self {
            Self::TimeOffset => (40_000, "InvalidInput.InvalidTimeOffset"),
            Self::Source => (60_000, "SourceFileError"),
            Self::NoVideo => (60_000, "SourceFileError.NoVideoMedia"),
        }
    }

    /// Makes `error` a failure of this kind.
    pub fn of(self, error: Error) -> Error {
        let (code, word) = self.told();
        error.with("err_code", code).with("err_ext", word)
    }
}

impl Failure {
    /// The owner's view of an error: number and word from its context (`err_code`, `err_ext`) where places of failure
    /// gave them, the last of them first; else by kind.
    pub fn from_error(error: &Error) -> Self {
        let context = |name: &str| error.context().iter().rfind(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        let (code, word) = match (error.kind(), error.blame()) {
            (Kind::Timeout, Blame::Us) => (70_000, "InternalError.Timeout"),
            (_, Blame::Us) => (70_000, "InternalError"),
            (_, Blame::Outside) => (70_000, "InternalError.Unavailable"),
            (Kind::NotFound, Blame::Caller) => (40_000, "InvalidInput.NotFound"),
            (Kind::Denied, Blame::Caller) => (40_000, "InvalidInput.PermissionDenied"),
            (Kind::Unsupported, Blame::Caller) => (40_000, "InvalidInput.Unsupported"),
            (Kind::Limit, Blame::Caller) => (60_000, "SourceFileError.LimitExceeded"),
            (_, Blame::Caller) => (40_000, "InvalidInput"),
        };
        Self {
            code: context("err_code").and_then(|text| text.parse().ok()).unwrap_or(code),
            word: context("err_ext").unwrap_or(word).to_owned(),
            message: error.message().to_owned(),
        }
    }

    /// Its owner ended the task before this part was begun.
    pub fn aborted() -> Self {
        Self {
            code: 40_000,
            word: "Aborted".to_owned(),
            message: "the task was ended before this part was begun".to_owned(),
        }
    }

    /// The worker went away too often.
    pub fn lost() -> Self {
        Self {
            code: 70_000,
            word: "InternalError.WorkerLost".to_owned(),
            message: "the workers that took this step went away, too often to try again".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: &Error) -> (i64, String) {
        let failure = Failure::from_error(error);
        (failure.code, failure.word)
    }

    #[test]
    fn the_place_of_failure_chooses_number_and_word() {
        let error = Fault::NoVideo.of(Error::invalid("no video"));
        assert_eq!(told(&error), (60_000, "SourceFileError.NoVideoMedia".to_owned()));
        let outer = error.with("err_code", 70_000).with("err_ext", "SourceFileError");
        assert_eq!(told(&outer), (70_000, "SourceFileError".to_owned()));
    }

    #[test]
    fn a_fault_of_ours_is_not_the_callers() {
        assert_eq!(told(&Error::internal("x")), (70_000, "InternalError".to_owned()));
        assert_eq!(told(&Error::invalid("x")), (40_000, "InvalidInput".to_owned()));
        let full = Error::new(Kind::Limit, "the disk is full").with_blame(Blame::Us);
        assert_eq!(told(&full), (70_000, "InternalError".to_owned()));
        assert_eq!(told(&Error::new(Kind::Denied, "x")).1, "InvalidInput.PermissionDenied");
    }
}
