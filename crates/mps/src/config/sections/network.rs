//! `[network]`: what inputs and callbacks may reach.

use crate::config::section::section;

section! {
    /// What this server may reach when a user's URL (an input or a callback) tells it to.
    pub struct Network {
        /// Private addresses that such URLs may reach all the same. Each entry is `host:port`, a host, or a
        /// network such as `10.1.0.0/16`. Empty: none, so that nobody can look into the network behind the server.
        allow_private: Vec<String> = Vec::new(),
        /// How long a connection may take to come about, in seconds.
        connect_timeout_s: u32 = 10,
        /// How long an input may send nothing before reading it is given up, in seconds.
        read_timeout_s: u32 = 60,
        /// How long a receiver of callbacks may take to answer one, in seconds.
        callback_timeout_s: u32 = 10,
        /// How long a key server may take to answer one question, in seconds. It is asked three times.
        key_server_timeout_s: u32 = 20,
    }
}
