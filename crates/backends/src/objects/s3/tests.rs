//! Names of buckets and regions, and the addresses made of them.

use mps_core::error::Kind;

use super::{KeyPair, Options, check_place, open};

#[test]
fn regions_of_today_and_tomorrow_are_taken() {
    for region in ["us-east-1", "eu-west-3", "ap-southeast-1", "us-gov-west-1", "cn-north-1", "il-central-1"]
    {
        check_place("films", region).unwrap();
    }
}

#[test]
fn an_odd_region_is_refused_by_name() {
    for region in [
        "",
        "US-EAST-1",
        "us-east-1 ",
        "us-east",
        "useast1",
        "us--1",
        "us-east-10",
        "us-east-1.evil.example",
        "Asia Pacific (Singapore) ap-southeast-1",
        "u-east-1",
        "us-1",
        "../x-y-1",
    ] {
        let error = check_place("films", region).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{region}");
        assert!(error.message().contains(&format!("{region:?}")), "{error}");
    }
}

#[test]
fn an_odd_bucket_is_refused_by_name() {
    for bucket in [
        "",
        "ab",
        "Films",
        "films_1",
        "-films",
        "films-",
        ".films",
        "my..films",
        "192.168.1.1",
        "xn--films",
        "films-s3alias",
        "films--use1-az4--x-s3",
        "a/b",
        "films?x",
        &"a".repeat(64),
    ] {
        let error = check_place(bucket, "us-east-1").unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{bucket}");
        assert!(error.message().contains(&format!("{bucket:?}")), "{error}");
    }
    for bucket in ["films", "my.films", "my-films-2", "0films0", &"a".repeat(63)] {
        check_place(bucket, "us-east-1").unwrap();
    }
}

#[test]
fn a_bucket_opens_with_its_own_keys_or_the_configured_ones_but_not_without() {
    let keys = KeyPair { id: "AKID".to_owned(), secret: "s".to_owned() };
    let none = Options::default();
    assert_eq!(open(&none, "films", "us-east-1", None).err().unwrap().kind(), Kind::InvalidInput);
    open(&none, "films", "us-east-1", Some(&keys)).unwrap();
    open(&Options { endpoint_url: None, keys: Some(keys) }, "my.films", "cn-north-1", None).unwrap();
}
