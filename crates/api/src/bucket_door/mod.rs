//! The door to the local buckets: an S3-compatible endpoint that COS clients can use as well.
//!
//! `s3s` reads the protocol and checks AWS signatures (V4 in header and query, V2 in query); [`cos`] checks the
//! signatures of COS clients and turns their headers into those of S3; [`form`] takes uploads by HTML forms; the
//! rest is this module's: who may use which bucket, and what each operation does to rows and files.
//! Objects pass in pieces; none is ever held in memory. Nobody gets in without a signature, but to read an object of
//! the service's own bucket, whose names cannot be guessed.

mod access;
mod backend;
mod body;
mod bucket_ops;
mod copy;
mod cos;
mod errors;
mod form;
mod front;
mod hosts;
mod listing;
mod multipart;
mod objects;
mod reading;
mod spelling;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mps_backends::objects::local::LocalBuckets;
use mps_core::clock::Clock;
use mps_store::Store;
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::keys::Keys;
use crate::regions::Regions;
use hosts::Hosts;
use spelling::Spelling;

/// Everything the door is made of.
pub struct BucketDoorParts {
    /// The durable state; keys are read from it.
    pub store: Store,
    /// The buckets behind the door.
    pub buckets: LocalBuckets,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Regions and their aliases; a bucket is made in the server's own one when a client names none.
    pub regions: Regions,
    /// Host names below which a bucket is `<bucket>.<name>`; `{region}` stands for its region. `localhost` is
    /// always one, and a bucket whose name ends in the number of an account is known below any name.
    pub domains: Vec<String>,
    /// Sizes and times.
    pub limits: BucketDoorLimits,
}

/// Sizes and times of the door.
#[derive(Debug, Clone, Copy)]
pub struct BucketDoorLimits {
    /// Bytes of one object or part.
    pub object_bytes: u64,
    /// How long a client may send nothing in the middle of a body.
    pub idle: Duration,
    /// How long a completion may take before the answer begins with keep-alive spaces.
    pub patience: Duration,
}

impl Default for BucketDoorLimits {
    fn default() -> Self {
        let tebibyte = 1 << 40;
        Self { object_bytes: 5 * tebibyte, idle: Duration::from_mins(1), patience: Duration::from_secs(3) }
    }
}

/// The door's state, shared by all requests.
pub(crate) struct Door {
    buckets: LocalBuckets,
    keys: Keys,
    clock: Arc<dyn Clock>,
    limits: BucketDoorLimits,
    hosts: Hosts,
    spelling: Spelling,
    s3: S3Service,
}

/// What the operations need of the door.
#[derive(Clone)]
pub(crate) struct Backend {
    buckets: LocalBuckets,
    regions: Arc<Regions>,
    limits: BucketDoorLimits,
}

/// The service to be served on the listener of the buckets.
pub fn service(parts: BucketDoorParts) -> Router {
    let BucketDoorParts { store, buckets, clock, regions, domains, limits } = parts;
    let hosts = Hosts::new(domains);
    let regions = Arc::new(regions);
    let backend = Backend { buckets: buckets.clone(), regions: regions.clone(), limits };
    let mut builder = S3ServiceBuilder::new(backend);
    builder.set_host(hosts.clone());
    builder.set_auth(access::Secrets::new(Keys::new(store.clone(), clock.clone())));
    builder.set_access(access::Owners::new(
        Keys::new(store.clone(), clock.clone()),
        buckets.clone(),
        hosts.clone(),
        regions,
    ));
    let s3 = builder.build();
    let keys = Keys::new(store, clock.clone());
    front::router(Arc::new(Door { buckets, keys, clock, limits, hosts, spelling: Spelling::default(), s3 }))
}
