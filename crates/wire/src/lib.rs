//! The cloud's language: generated types, the error codes, the envelope, signing and checking.
//!
//! A leaf: no IO, no clock, nothing of ours below it. Only this crate, the API and each feature's
//! `from_wire`/`to_wire` know the cloud's names.

pub mod auth;
pub mod codes;
pub mod decode;
pub mod envelope;
mod error;
pub mod flatten;
mod generated;
pub mod redact;
pub mod schema;
mod zero;

pub use decode::{ActionCoverage, Refused, decode, decode_value};
pub use error::ApiError;
pub use generated::objects;
pub use redact::{redact, redacted};

/// Typed requests, responses and structures of the actions we serve.
pub mod types {
    pub use crate::generated::requests::*;
    pub use crate::generated::responses::*;
    pub use crate::generated::structures::*;
}
