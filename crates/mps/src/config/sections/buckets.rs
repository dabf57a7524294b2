//! `[buckets]`: the S3-compatible endpoint of the local buckets.

use std::net::{Ipv4Addr, SocketAddr};

use crate::config::section::section;

section! {
    /// The S3-compatible endpoint through which AWS and COS tools reach the local buckets.
    pub struct Buckets {
        /// Where the endpoint listens.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
        /// The address that clients use, when it is not the one listened on (behind a proxy, say):
        /// `https://files.example.org`. It is what presigned links are made of.
        public_url: Option<String> = None,
        /// Host names under which a bucket is also addressed as `<bucket>.<name>`; `{region}` stands for the
        /// bucket's region. An input URL with such a host is read from the local bucket directly.
        domains: Vec<String> = vec![
            "cos.{region}.myqcloud.com".to_owned(),
            "cos-internal.{region}.tencentcos.cn".to_owned(),
        ],
    }
}
