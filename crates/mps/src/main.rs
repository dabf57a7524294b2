//! The one binary of Freedom MPS.
fn main() {}
