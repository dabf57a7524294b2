//! `[cos]`: COS buckets outside of this server.

use crate::config::section::{Secret, section};

section! {
    /// COS buckets that live outside of this server: a bucket of a request that is not local is looked for there.
    pub struct Cos {
        /// The endpoint, with `{region}` for the region of the request: `https://cos.{region}.myqcloud.com`.
        /// Absent: only local buckets exist.
        endpoint_url: Option<String> = None,
        /// The key that opens them.
        secret_id: Option<String> = None,
        /// Its secret.
        secret_key: Option<Secret> = None,
    }
}
