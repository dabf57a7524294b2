//! Which buckets an account has, and which URLs are only another way to say one of them.
//!
//! Asked on every `ProcessMedia`, so answers are remembered for a second; a bucket made or removed by another
//! process is seen after that.

use std::time::Duration;

use mps_core::Result;
use mps_core::clock::{Clock, Millis};
use mps_store::{Store, buckets};
use mps_wire::ApiError;
use mps_wire::types::CosInputInfo;
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use url::Url;

use crate::error;
use crate::memory::Memory;
use crate::regions::Regions;

const REMEMBERED: Duration = Duration::from_secs(1);

/// Names under which the buckets of this server are reached.
#[derive(Debug, Clone, Default)]
pub struct BucketNames {
    /// Host names below which a bucket is `<bucket>.<name>`; `{region}` stands for the bucket's region:
    /// `cos.{region}.myqcloud.com`.
    pub domains: Vec<String>,
    /// Addresses of the server's own bucket endpoint, where a bucket is the first part of the path.
    pub endpoints: Vec<Url>,
    /// Whether buckets that are not local may exist in a COS outside, so that an unknown name is no error yet.
    pub has_outside: bool,
    /// Whether the operator has an AWS key pair for requests that bring none.
    pub has_s3_keys: bool,
}

/// The buckets that requests may name.
pub(crate) struct Buckets {
    store: Store,
    clock: Arc<dyn Clock>,
    regions: Arc<Regions>,
    names: BucketNames,
    /// By name: the account and region it belongs to.
    seen: Memory<String, Option<(i64, String)>>,
}

impl Buckets {
    pub(crate) fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        regions: Arc<Regions>,
        names: BucketNames,
    ) -> Self {
        Self { store, clock, regions, names, seen: Memory::new(REMEMBERED) }
    }

    /// Whether requests may leave out the key pair of an AWS bucket.
    pub(crate) fn has_s3_keys(&self) -> bool {
        self.names.has_s3_keys
    }

    /// The region in which `account` has `bucket`, as it is stored, if that is the one `text` means. A region that
    /// only a bucket knows is fine with that bucket.
    pub(crate) async fn home(
        &self,
        account: i64,
        bucket: &str,
        text: &str,
    ) -> Result<Option<String>, ApiError> {
        let meant = self.regions.resolve(text);
        Ok(match self.find(bucket).await.map_err(error::answer)? {
            Some((owner, home)) => (owner == account && self.is_same(&home, text)).then_some(home),
            None if self.names.has_outside => meant.map(str::to_owned),
            None => None,
        })
    }

    /// Whether `bucket` lies on this server.
    pub(crate) async fn is_local(&self, bucket: &str) -> Result<bool, ApiError> {
        Ok(self.find(bucket).await.map_err(error::answer)?.is_some())
    }

    fn is_same(&self, home: &str, text: &str) -> bool {
        let meant = self.regions.resolve(text);
        home == text || meant == Some(home) || (meant.is_some() && meant == self.regions.resolve(home))
    }

    async fn find(&self, bucket: &str) -> Result<Option<(i64, String)>> {
        let now: Millis = self.clock.now_ms();
        if let Some(known) = self.seen.get(bucket, now) {
            return Ok(known);
        }
        let name = bucket.to_owned();
        let row = self.store.read(|tx| Box::pin(async move { buckets::find(tx, &name).await })).await?;
        let found = row.map(|row| (row.account, row.region));
        self.seen.put(bucket.to_owned(), found.clone(), now);
        Ok(found)
    }

    /// The local object of `account` that a URL names, if it names one.
    pub(crate) async fn behind_url(
        &self,
        account: i64,
        text: &str,
    ) -> Result<Option<CosInputInfo>, ApiError> {
        let Ok(url) = Url::parse(text) else { return Ok(None) };
        let Some(named) = self.name_in(&url) else { return Ok(None) };
        let Some((owner, region)) = self.find(&named.bucket).await.map_err(error::answer)? else {
            return Ok(None);
        };
        let at_home = named.region.is_empty() || self.is_same(&region, &named.region);
        let found =
            CosInputInfo { bucket: Some(named.bucket), region: Some(region), object: Some(named.key) };
        Ok((owner == account && at_home).then_some(found))
    }

    fn name_in(&self, url: &Url) -> Option<Named> {
        let path = percent_decode_str(url.path().trim_start_matches('/')).decode_utf8().ok()?;
        let same_place =
            |e: &&Url| e.host() == url.host() && e.port_or_known_default() == url.port_or_known_default();
        if self.names.endpoints.iter().any(|e| same_place(&e)) {
            let (bucket, key) = path.split_once('/')?;
            return Some(Named { bucket: bucket.to_owned(), region: String::new(), key: key.to_owned() });
        }
        let (bucket, tail) = url.host_str()?.split_once('.')?;
        let region = self.names.domains.iter().find_map(|domain| region_in(domain, tail))?;
        Some(Named { bucket: bucket.to_owned(), region: region.to_owned(), key: path.into_owned() })
    }
}

struct Named {
    bucket: String,
    /// Empty when the name does not tell it.
    region: String,
    key: String,
}

/// The region that `host` tells if it is `domain`: empty where the domain has no place for one.
fn region_in<'h>(domain: &str, host: &'h str) -> Option<&'h str> {
    let Some((before, after)) = domain.split_once("{region}") else {
        return (host == domain).then_some("");
    };
    let region = host.strip_prefix(before)?.strip_suffix(after)?;
    let is_one_word = !region.is_empty() && !region.contains('.');
    is_one_word.then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_read_from_the_hosts_place_for_it() {
        let of = |host| region_in("cos.{region}.myqcloud.com", host);
        assert_eq!(of("cos.ap-tokyo.myqcloud.com"), Some("ap-tokyo"));
        assert_eq!(of("cos..myqcloud.com"), None);
        assert_eq!(of("cos.a.b.myqcloud.com"), None);
        assert_eq!(of("cos.ap-tokyo.example.com"), None);
    }

    #[test]
    fn a_domain_without_a_region_fits_any() {
        assert_eq!(region_in("files.example.org", "files.example.org"), Some(""));
        assert_eq!(region_in("files.example.org", "example.org"), None);
    }
}
