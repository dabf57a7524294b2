//! What a caller says about a task besides the work: its priority, the id against doubled requests, and words
//! to be handed back.

use mps_wire::{ApiError, codes};

const ID_CHARS: usize = 50;
const CONTEXT_CHARS: usize = 1_000;
const PRIORITY: std::ops::RangeInclusive<i64> = -10..=10;

/// A checked session.
#[derive(Debug, PartialEq)]
pub(super) struct Session {
    /// Refused when it came before within three days; `None` when the caller wants no such check.
    pub(super) id: Option<String>,
    /// Handed back unchanged.
    pub(super) context: String,
}

impl Session {
    /// Checks `SessionId` and `SessionContext`.
    pub(super) fn check(id: Option<String>, context: Option<String>) -> Result<Self, ApiError> {
        let context = context.unwrap_or_default();
        if id.as_ref().is_some_and(|id| id.chars().count() > ID_CHARS) {
            let told = format!("`SessionId` has at most {ID_CHARS} characters");
            return Err(codes::invalid_parameter_value_session_id_too_long(told));
        }
        if context.chars().count() > CONTEXT_CHARS {
            let told = format!("`SessionContext` has at most {CONTEXT_CHARS} characters");
            return Err(codes::invalid_parameter_value_session_context_too_long(told));
        }
        Ok(Self { id: id.filter(|id| !id.is_empty()), context })
    }
}

/// Checks `TasksPriority`; 0 when it was not sent.
pub(super) fn priority(sent: Option<i64>) -> Result<i32, ApiError> {
    let priority = sent.unwrap_or(0);
    if PRIORITY.contains(&priority) {
        return Ok(priority as i32);
    }
    Err(codes::invalid_parameter_value(format!("`TasksPriority` is -10 to 10, not {priority}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        let fits = Session::check(Some("é".repeat(50)), Some("字".repeat(1_000)));
        assert!(fits.is_ok());
        let code = |id: usize, context: usize| {
            Session::check(Some("x".repeat(id)), Some("x".repeat(context))).unwrap_err().code
        };
        assert_eq!(code(51, 0), "InvalidParameterValue.SessionIdTooLong");
        assert_eq!(code(0, 1_001), "InvalidParameterValue.SessionContextTooLong");
    }

    #[test]
    fn an_empty_id_is_none() {
        assert_eq!(Session::check(Some(String::new()), None).unwrap().id, None);
    }

    #[test]
    fn priorities_beyond_ten_are_refused() {
        assert_eq!(priority(Some(-10)).unwrap(), -10);
        assert_eq!(priority(None).unwrap(), 0);
        for wrong in [-11, 11, i64::MAX] {
            assert_eq!(priority(Some(wrong)).unwrap_err().code, "InvalidParameterValue");
        }
    }
}
