//! How the house reaches what lies outside of it: places of objects, receivers of callbacks, key servers, and the guarded
//! ways there.

pub mod fetch;
pub mod guard;
pub mod keys;
pub mod notify;
pub mod objects;
pub mod relay;
mod tls;
mod token;

#[cfg(test)]
mod testing;
