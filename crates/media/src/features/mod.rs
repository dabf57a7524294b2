//! One module for each thing that can be done to a medium.

pub mod transcode;
