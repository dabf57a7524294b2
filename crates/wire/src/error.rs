//! The error that a caller of the API sees.

use std::borrow::Cow;

/// A code of the API and a sentence that tells the caller what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// One of [`crate::codes::ALL`].
    pub code: Cow<'static, str>,
    /// English, for a person; never holds a secret.
    pub message: String,
}

impl ApiError {
    /// An error with this code; prefer the constructors of [`crate::codes`].
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}
