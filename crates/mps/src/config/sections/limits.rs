//! `[limits]`: what one caller and one step may use.

use crate::config::section::section;

section! {
    /// What one caller and one step may use.
    pub struct Limits {
        /// Requests of one account to one action, per second.
        requests_per_second: u32 = 50_000,
        /// The body of a request signed by TC3, in bytes.
        request_bytes: u64 = 10 * 1024 * 1024,
        /// The query of a GET request, in bytes.
        query_bytes: u64 = 32 * 1024,
        /// Requests in work at the same time.
        requests_at_once: u32 = 1_024,
        /// Tasks of one account that may wait or run; more are refused with `LimitExceeded.CreateTask`. 0: no limit.
        tasks_per_account: u64 = 0,
        /// One source file, in bytes.
        source_bytes: u64 = 100 * 1024 * 1024 * 1024,
        /// Width × height of a source picture.
        source_pixels: u64 = 16_384 * 16_384,
        /// Streams of a source.
        source_streams: u32 = 128,
        /// One object uploaded to a local bucket, in bytes.
        object_bytes: u64 = 5 * 1024 * 1024 * 1024 * 1024,
        /// One file that a step writes, in bytes.
        output_bytes: u64 = 512 * 1024 * 1024 * 1024,
        /// How long one media program may run, in seconds.
        step_s: u64 = 24 * 3_600,
        /// How long it may make no progress while it does nothing, in seconds.
        stall_s: u64 = 60,
        /// How long it may make no progress while it is busy, in seconds: some results come out at the very end.
        stall_busy_s: u64 = 1_200,
        /// How long looking into a source may take, in seconds.
        probe_s: u64 = 60,
        /// The address space of one media program, in bytes.
        memory_bytes: u64 = 16 * 1024 * 1024 * 1024,
    }
}
