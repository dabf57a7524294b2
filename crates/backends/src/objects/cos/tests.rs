//! Names, and a bucket reached by its own host with a signature of COS.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures::TryStreamExt as _;
use mps_core::error::Kind;
use opendal::{HttpTransporter, OperationContext};

use super::{KeyPair, Options, check_place, operator};
use crate::guard::{Timeouts, client_builder};
use crate::objects::dal::Dal;
use crate::objects::transport::Transport;
use crate::objects::{Finished, ObjectStore as _, PutOptions};
use crate::testing::bucket::Bucket;
use crate::testing::noise;

#[test]
fn odd_names_are_refused_by_name() {
    for region in ["", "AP-Guangzhou", "ap guangzhou", "-ap", "ap.evil.example", "ap/x"] {
        let error = check_place("films-1250000000", region).unwrap_err();
        assert!(error.message().contains(&format!("{region:?}")), "{error}");
    }
    for bucket in ["", "films", "Films-1250000000", "films-", "films-125x", "fi.lms-125", "films-1/2"] {
        let error = check_place(bucket, "ap-guangzhou").unwrap_err();
        assert!(error.message().contains(&format!("{bucket:?}")), "{error}");
    }
    check_place("films-1250000000", "ap-guangzhou-2").unwrap();
}

#[tokio::test]
async fn an_object_goes_up_and_comes_back_by_the_bucket_s_own_host() {
    let bucket = Bucket::start("/").await;
    let port = bucket.server.port;
    let keys = KeyPair { id: "AKIDcos".to_owned(), secret: "secretcos".to_owned() };
    let options = Options { endpoint_url: format!("http://cos.{{region}}.test:{port}"), keys };
    let host = "films-1250000000.cos.ap-guangzhou.test";
    let client = client_builder(Timeouts::default())
        .unwrap()
        .resolve(host, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .build()
        .unwrap();
    let context = OperationContext::new().with_http_transport(HttpTransporter::new(Transport(client)));
    let operator = operator(&options, "films-1250000000", "ap-guangzhou").unwrap().with_context(context);
    let store = Dal::over(operator, "films".to_owned(), &options.keys);
    let bytes = noise(9_000_000);
    for (key, size) in [("out/small.mp4", 100), ("out/large.mp4", 9_000_000)] {
        let mut staged = store.stage(key, PutOptions::default()).await.unwrap();
        staged.write(Bytes::copy_from_slice(&bytes[..size])).await.unwrap();
        let Finished::Pending(commit) = staged.finish().await.unwrap() else { panic!("it needs a commit") };
        assert!(!bucket.keys().contains(&key.to_owned()));
        commit.commit().await.unwrap();
        let meta = store.head(key).await.unwrap();
        assert_eq!((meta.size_bytes, meta.content_type.as_str()), (size as u64, "video/mp4"));
        let chunks: Vec<Bytes> = store.read(key, Some(10..90)).await.unwrap().try_collect().await.unwrap();
        assert_eq!(chunks.concat(), bytes[10..90]);
    }
    for seen in bucket.server.seen() {
        assert_eq!(seen.header("host"), format!("{host}:{port}"));
        let signed = seen.header("authorization");
        assert!(signed.contains("q-sign-algorithm=sha1") && signed.contains("q-ak=AKIDcos"), "{signed}");
    }
    store.delete("out/small.mp4").await.unwrap();
    assert_eq!(store.head("out/small.mp4").await.unwrap_err().kind(), Kind::NotFound);
}
