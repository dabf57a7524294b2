//! What may lie in the data folder when all is done: rows' files, and nothing else.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use mps_testkit::server::Server;

use crate::seconds;

/// Checks, of a server that has been stopped in peace, that no step left anything behind.
pub(crate) fn no_work_left(server: &Server) {
    let left: Vec<PathBuf> = entries(&server.data().join("work"));
    let left: Vec<_> = left.iter().filter(|path| !path.ends_with(".opening")).collect();
    assert!(left.is_empty(), "left behind by steps: {left:?}");
    assert!(!server.data().join("run/endpoint.json").exists(), "a stopped server says where it listens");
}

/// Makes everything staged look older than the sweep's grace; the server must not run.
pub(crate) fn age_staging(server: &Server) {
    let staging = server.data().join("staging");
    for path in entries(&staging).into_iter().chain(entries(&staging.join("uploads"))) {
        let file = File::open(&path).expect("an entry of staging");
        file.set_modified(UNIX_EPOCH + Duration::from_hours(24)).expect("an older entry");
    }
}

/// Waits until the sweep of a server with [aged](age_staging) staging has left nothing there.
pub(crate) async fn swept(server: &Server) {
    let staging = server.data().join("staging");
    let left = || {
        let mut left = entries(&staging);
        left.retain(|path| !path.ends_with("uploads"));
        left.extend(entries(&staging.join("uploads")));
        left
    };
    let limit = Instant::now() + seconds(30);
    while !left().is_empty() {
        assert!(Instant::now() < limit, "not swept: {:?}", left());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Checks that the files of a bucket are those of these keys, one for each.
pub(crate) fn only_objects(server: &Server, bucket: &str, keys: &[String]) {
    let mut files = Vec::new();
    walk(&server.data().join("buckets").join(bucket), &mut files);
    let mut by_size: HashMap<&Path, usize> = HashMap::new();
    for file in &files {
        *by_size.entry(file.parent().unwrap_or(file)).or_default() += 1;
    }
    assert_eq!(files.len(), keys.len(), "files and objects of {bucket}: {by_size:#?}");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
