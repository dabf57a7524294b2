//! One error for the whole house: what was tried, whose fault it is, and whether trying again can help.
//!
//! Messages are lower case, say what was tried and on what, and never repeat their source.

use std::fmt;

/// The result of everything that can fail in the house.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, coarsely; the API's code is chosen from it in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request, or the medium it names, cannot be right.
    InvalidInput,
    /// What was named does not exist.
    NotFound,
    /// It exists already, or its state forbids the wish.
    Conflict,
    /// A limit of size, rate, time or number was reached.
    Limit,
    /// Known, but not built or not available in this build.
    Unsupported,
    /// Credentials or policy forbid it.
    Denied,
    /// A service or a device we need does not answer as it should.
    Unavailable,
    /// It took longer than allowed.
    Timeout,
    /// Somebody asked to stop.
    Cancelled,
    /// The worker's claim on a step is no longer valid; its results are void.
    LostLease,
    /// A fault of ours.
    Internal,
}

/// Who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Who sent the request or owns the medium.
    Caller,
    /// This program or its machine.
    Us,
    /// A service neither of us runs.
    Outside,
}

/// Whether the same attempt can succeed later. Decided where the failure is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It will fail the same way.
    Never,
    /// It may pass; the engine's backoff says when.
    Later,
    /// It may pass, but not before this many milliseconds.
    AfterMs(u64),
}

/// An error with everything a log line, a retry and an answer need.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    blame: Blame,
    retry: Retry,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A new error; blame and retry follow from the kind and can be corrected with [`Error::blame`] and [`Error::retry`].
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let (blame, retry) = match kind {
            Kind::InvalidInput | Kind::NotFound | Kind::Conflict | Kind::Denied | Kind::Unsupported => {
                (Blame::Caller, Retry::Never)
            }
            Kind::Limit | Kind::Cancelled => (Blame::Caller, Retry::Never),
            Kind::Unavailable | Kind::Timeout => (Blame::Outside, Retry::Later),
            Kind::LostLease => (Blame::Us, Retry::Never),
            Kind::Internal => (Blame::Us, Retry::Later),
        };
        Self(Box::new(Inner {
            kind,
            blame,
            retry,
            message: message.into(),
            context: Vec::new(),
            source: None,
        }))
    }

    /// The caller's request or medium is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidInput, message)
    }

    /// What was named does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// A fault of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Something outside does not answer as it should; worth another try.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// Says who can do something about it.
    #[must_use]
    pub fn with_blame(mut self, blame: Blame) -> Self {
        self.0.blame = blame;
        self
    }

    /// Says whether trying again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Adds a name and a value for the log line, such as the step or the bucket. Never a secret.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((name, value.to_string()));
        self
    }

    /// Begins the message with what it is about, such as a member of the request.
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.0.message = format!("{name}: {}", self.0.message);
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong, coarsely.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Who can do something about it.
    pub fn blame(&self) -> Blame {
        self.0.blame
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// What was tried, on what: the sentence that a user sees.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Names and values for the log line.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The whole chain in one line, for logs.
    pub fn chain(&self) -> String {
        let mut out = self.0.message.clone();
        for (name, value) in &self.0.context {
            out.extend([" ", name, "=", value]);
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            out.push_str(": ");
            out.push_str(&error.to_string());
            cause = error.source();
        }
        out
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({:?}, {:?}): {}", self.0.kind, self.0.blame, self.0.retry, self.chain())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_context_and_causes_once() {
        let disk = std::io::Error::other("disk full");
        let error = Error::internal("cannot write output").with("step", 7).because(disk);
        assert_eq!(error.chain(), "cannot write output step=7: disk full");
        assert_eq!(error.to_string(), "cannot write output");
        assert_eq!((error.blame(), error.retry()), (Blame::Us, Retry::Later));
    }

    #[test]
    fn a_wrong_request_is_the_callers_and_final() {
        let error = Error::invalid("no such codec");
        assert_eq!((error.blame(), error.retry()), (Blame::Caller, Retry::Never));
    }
}
