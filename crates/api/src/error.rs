//! The one table from our kinds of error to the API's codes, and the rule what of an error a caller sees.
//!
//! A caller reads the sentence of an error that is theirs or an outside service's. Of our own faults they read
//! only that there was one; the chain goes to the log under the request's id.

use mps_core::{Blame, Error, Kind};
use mps_wire::{ApiError, codes};

/// What the caller is told of `error`. An action that knows a better code chooses it before this.
pub(crate) fn cloud(error: &Error) -> ApiError {
    let message = error.message().to_owned();
    match error.kind() {
        Kind::InvalidInput => codes::invalid_parameter_value(message),
        Kind::NotFound => codes::resource_not_found(message),
        Kind::Conflict | Kind::Timeout => codes::failed_operation(message),
        Kind::Limit => codes::request_limit_exceeded(message),
        Kind::Unsupported => codes::unsupported_operation(message),
        Kind::Denied => codes::unauthorized_operation(message),
        Kind::Unavailable if error.blame() == Blame::Outside => codes::failed_operation(message),
        Kind::Cancelled | Kind::Unavailable => codes::service_unavailable(message),
        Kind::LostLease | Kind::Internal => {
            codes::internal_error("the server failed; its log has the reason")
        }
    }
}

/// [`cloud`] for `map_err`, which also logs what is our fault.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(crate) fn answer(error: Error) -> ApiError {
    if error.blame() == Blame::Us {
        tracing::error!(error = %error.chain(), "a call failed");
    }
    cloud(&error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_fault_tells_the_caller_nothing_of_the_inside() {
        let error = Error::internal("cannot read table keys").with("path", "/data/mps.db");
        let told = cloud(&error);
        assert_eq!(told.code, "InternalError");
        assert!(!told.message.contains("table"), "{}", told.message);
    }

    #[test]
    fn each_kind_has_its_code() {
        let code = |kind| cloud(&Error::new(kind, "x")).code.into_owned();
        assert_eq!(code(Kind::InvalidInput), "InvalidParameterValue");
        assert_eq!(code(Kind::NotFound), "ResourceNotFound");
        assert_eq!(code(Kind::Limit), "RequestLimitExceeded");
        assert_eq!(code(Kind::Unsupported), "UnsupportedOperation");
        assert_eq!(code(Kind::Denied), "UnauthorizedOperation");
        assert_eq!(code(Kind::LostLease), "InternalError");
    }
}
