//! Which bucket a host name tells.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Digits that the number of an account has at least.
const ACCOUNT_DIGITS: usize = 9;

/// The domains below which buckets are addressed by name.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    domains: Vec<String>,
}

/// What a host name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) bucket: &'a str,
    pub(super) region: Option<&'a str>,
}

impl Hosts {
    pub(super) fn new(mut domains: Vec<String>) -> Self {
        domains.push("localhost".to_owned());
        Self { domains }
    }

    /// The bucket of `<bucket>.<domain>`, with or without a port; `None` when the path names it.
    pub(super) fn told<'a>(&self, host: &'a str) -> Option<Told<'a>> {
        let name = without_port(host);
        if name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok() {
            return None;
        }
        for domain in &self.domains {
            match domain.split_once("{region}") {
                None => {
                    let bucket = name.strip_suffix(domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
                    if let Some(bucket) = bucket.filter(|bucket| !bucket.is_empty()) {
                        return Some(Told { bucket, region: None });
                    }
                }
                Some((before, after)) => {
                    let inside = name.strip_suffix(after);
                    let Some((head, region)) = inside.and_then(|rest| rest.rsplit_once(before)) else {
                        continue;
                    };
                    let Some(bucket) = head.strip_suffix('.') else { continue };
                    if !bucket.is_empty() && !region.is_empty() && !region.contains('.') {
                        return Some(Told { bucket, region: Some(region) });
                    }
                }
            }
        }
        let (first, rest) = name.split_once('.')?;
        let account = first.rsplit_once('-').map_or("", |(_, account)| account);
        let is_account = account.len() >= ACCOUNT_DIGITS && account.bytes().all(|b| b.is_ascii_digit());
        (is_account && !rest.is_empty()).then_some(Told { bucket: first, region: None })
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let plain = VirtualHost::new(host);
        let Some(told) = self.told(host) else { return Ok(plain) };
        let named = plain.with_bucket(told.bucket);
        Ok(match told.region {
            Some(region) => named.with_region(region),
            None => named,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(host: &str) -> Option<(String, Option<String>)> {
        let domains = ["cos.{region}.myqcloud.com", "files.example.org"].map(str::to_owned).to_vec();
        let hosts = Hosts::new(domains);
        hosts.told(host).map(|told| (told.bucket.to_owned(), told.region.map(str::to_owned)))
    }

    #[test]
    fn a_bucket_is_read_from_the_hosts_it_may_stand_in() {
        let plain = |bucket: &str| Some((bucket.to_owned(), None));
        assert_eq!(
            told("b-1250000000.cos.ap-tokyo.myqcloud.com"),
            Some(("b-1250000000".into(), Some("ap-tokyo".into())))
        );
        assert_eq!(told("films.files.example.org:8081"), plain("films"));
        assert_eq!(told("a.b.files.example.org"), plain("a.b"));
        assert_eq!(told("films.localhost:8081"), plain("films"));
        assert_eq!(told("b-1250000000.anything:80"), plain("b-1250000000"));
    }

    #[test]
    fn other_hosts_leave_it_to_the_path() {
        for host in [
            "localhost:8081",
            "127.0.0.1:8081",
            "[::1]:8081",
            "files.example.org",
            "mps-1.internal",
            "service.cos.myqcloud.com",
        ] {
            assert_eq!(told(host), None, "{host}");
        }
    }
}
