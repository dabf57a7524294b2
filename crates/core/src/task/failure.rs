//! What a failed step or task says to its owner.

use serde::{Deserialize, Serialize};

use crate::error::{Blame, Error, Kind};

/// Why a step or a task failed, in the numbers and words that its owner sees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Failure {
    /// The number; never 0.
    pub code: i64,
    /// The word, such as `InternalError`.
    pub word: String,
    /// The sentence.
    pub message: String,
}

impl Failure {
    /// The owner's view of an error: number and word from its context (`err_code`, `err_ext`) where the place of
    /// failure gave them, else by kind.
    pub fn from_error(error: &Error) -> Self {
        let context = |name: &str| error.context().iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        let (code, word) = match (error.kind(), error.blame()) {
            (Kind::NotFound, _) => (60_000, "SourceNotFound"),
            (Kind::Denied, _) => (60_000, "AccessDenied"),
            (Kind::Unsupported, _) => (60_000, "Unsupported"),
            (Kind::Limit, _) => (60_000, "LimitExceeded"),
            (Kind::Timeout, Blame::Us) => (70_000, "Timeout"),
            (_, Blame::Caller) => (60_000, "InvalidInput"),
            (_, Blame::Us) => (70_000, "InternalError"),
            (_, Blame::Outside) => (70_000, "Unavailable"),
        };
        Self {
            code: context("err_code").and_then(|text| text.parse().ok()).unwrap_or(code),
            word: context("err_ext").unwrap_or(word).to_owned(),
            message: error.message().to_owned(),
        }
    }

    /// The worker went away too often.
    pub fn lost() -> Self {
        Self {
            code: 70_000,
            word: "WorkerLost".to_owned(),
            message: "the workers that took this step went away, too often to try again".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_failure_chooses_number_and_word() {
        let error = Error::invalid("no video").with("err_code", 61_001).with("err_ext", "NoVideo");
        let failure = Failure::from_error(&error);
        assert_eq!((failure.code, failure.word.as_str()), (61_001, "NoVideo"));
    }

    #[test]
    fn a_fault_of_ours_is_not_the_callers() {
        assert_eq!(Failure::from_error(&Error::internal("x")).code, 70_000);
        assert_eq!(Failure::from_error(&Error::invalid("x")).code, 60_000);
    }
}
