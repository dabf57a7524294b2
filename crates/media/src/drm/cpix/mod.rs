//! The document by which keys are asked for and given: CPIX, as SPEKE 2.0 uses it.
//!
//! The question names the content, the keys we need with ids that we propose, and the systems that shall be told. The
//! answer is the same document with the keys in it. It comes from outside, so it is read with limits: size, number of
//! elements, no DTD and so no entities of its own.

mod answer;
mod question;

#[cfg(test)]
mod tests;

pub use answer::read;
pub use question::write;

/// The longest answer that is read, in bytes.
pub const ANSWER_BYTES: usize = 1 << 20;

const CPIX: &str = "urn:dashif:org:cpix";
const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
