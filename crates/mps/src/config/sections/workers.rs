//! `[workers]`: how many steps run at once, and how their leases work.

use crate::config::section::section;

section! {
    /// How steps are carried out.
    pub struct Workers {
        /// Whether `mps serve` works itself. With false it only takes calls, and `mps worker` processes do the work.
        enabled: bool = true,
        /// Steps that run at the same time in this process; 0 means as many as the machine has cores.
        slots: u16 = 0,
        /// How long a worker that says nothing keeps its step, in seconds; after that another one takes it over.
        lease_s: u32 = 30,
        /// How often a working worker says so, in seconds. At most a third of `lease_s`.
        heartbeat_s: u32 = 5,
        /// How often to look for work that nobody announced, in milliseconds.
        poll_ms: u32 = 2_000,
        /// How much lower than the server's own the priority of media programs is, 0 to 19, so that answers stay quick
        /// while they work.
        nice: u16 = 5,
        /// How often a step is tried in all, when its failure may pass.
        max_attempts: u16 = 5,
        /// How long running steps may go on after a request to stop, in seconds, before they are handed back.
        grace_s: u32 = 30,
    }
}

impl Workers {
    /// The slots of this process, with 0 resolved to the cores of the machine.
    pub fn slots(&self) -> usize {
        match self.slots {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            some => usize::from(some),
        }
    }
}
