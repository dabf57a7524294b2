//! How much a child may take.

use std::time::Duration;

/// The limits of one child. [`Limits::default`] suits a transcode of a long film on an ordinary machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time on the wall from start to end.
    pub wall: Duration,
    /// Time without decoded time or output bytes moving while the tool is idle, too.
    pub stall: Duration,
    /// Time without such progress while the tool is busy, as before the only frame of a contact sheet.
    pub stall_busy: Duration,
    /// Processor time of all threads.
    pub cpu: Duration,
    /// Bytes of address space. Far more than what is really used: a 1080p encode needs about 1 GB of it.
    pub memory_bytes: u64,
    /// Bytes of one output file.
    pub file_bytes: u64,
    /// Open files.
    pub open_files: u64,
    /// Pixels of one picture, width times height.
    pub max_pixels: u64,
    /// Bytes that a tool allocates at once, as for one picture.
    pub max_alloc_bytes: u64,
    /// Streams of the input.
    pub max_streams: u32,
    /// Bytes read from a tool that answers on its standard output.
    pub stdout_bytes: u64,
    /// Time between the polite and the final signal.
    pub kill_grace: Duration,
    /// How much lower than ours the priority is: 0 to 19.
    pub nice: i32,
}

const GIB: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_hours(24),
            stall: Duration::from_mins(1),
            stall_busy: Duration::from_mins(20),
            cpu: Duration::from_hours(30 * 24),
            memory_bytes: 16 * GIB,
            file_bytes: 512 * GIB,
            open_files: 1024,
            max_pixels: 16_384 * 16_384,
            max_alloc_bytes: GIB,
            max_streams: 128,
            stdout_bytes: 8 << 20,
            kill_grace: Duration::from_secs(2),
            nice: 5,
        }
    }
}

impl Limits {
    /// For looking into a file: short, small, and with the service's own priority.
    pub fn probe() -> Self {
        Self {
            wall: Duration::from_mins(1),
            stall: Duration::from_mins(1),
            stall_busy: Duration::from_mins(1),
            cpu: Duration::from_mins(1),
            memory_bytes: 4 * GIB,
            file_bytes: 1 << 20,
            nice: 0,
            ..Self::default()
        }
    }
}
