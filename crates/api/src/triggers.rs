//! Starting orchestrations when objects arrive.
//!
//! Each version of an object of the local buckets leaves one event, stored together with it. A round reads what is
//! there, starts every enabled orchestration whose trigger fits, and removes the event. A task is stored at most once
//! for a version and an orchestration, so a round that was cut off is simply done again, and several servers on one
//! database may do the same round. What tasks put out starts nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use mps_core::Result;
use mps_media::schedule::{Formats, STORED_AS, is_below};
use mps_store::Lane;
use mps_store::object_events::{self, ObjectEvent};
use mps_store::objects::Origin;
use mps_store::templates::{self as rows, Template};
use mps_wire::ApiError;
use mps_wire::types::{CosFileUploadTrigger, ProcessMediaRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::actions::media::process_media::submit;
use crate::app::App;

/// How often the events are looked at.
const EVERY: Duration = Duration::from_millis(500);
/// How long to wait after the database failed.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// Events that are read together.
const PAGE: i64 = 256;
/// Events that are worked on together.
const TOGETHER: usize = 32;

/// Watches the local buckets.
pub struct Triggers {
    app: Arc<App>,
}

/// An enabled orchestration and what it waits for.
struct Watcher {
    id: i64,
    bucket: String,
    region: String,
    dir: String,
    formats: Formats,
}

impl Triggers {
    /// A watch over the buckets that `app` serves.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Watches until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.round().await {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot read what arrived in the buckets");
                    AFTER_TROUBLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Works on every event that is there, the oldest first; those whose task could not be stored now stay.
    async fn round(&self) -> Result<()> {
        let (mut last, mut watchers) = (0, HashMap::new());
        loop {
            let page =
                self.app.store.read(|tx| Box::pin(async move { object_events::after(tx, last, PAGE).await }));
            let page = page.await?;
            let Some(newest) = page.last() else { return Ok(()) };
            last = newest.id;
            for event in &page {
                if let std::collections::hash_map::Entry::Vacant(place) = watchers.entry(event.account) {
                    place.insert(self.watchers(event.account).await?);
                }
            }
            let watchers = &watchers;
            let done: Vec<i64> = stream::iter(page)
                .map(|event| async move {
                    let is_done = self.follow(&event, &watchers[&event.account]).await;
                    is_done.then_some(event.id)
                })
                .buffer_unordered(TOGETHER)
                .filter_map(std::future::ready)
                .collect()
                .await;
            let write = self.app.store.write_in(Lane::Work, move |tx| {
                Box::pin(async move { object_events::forget(tx, &done).await })
            });
            write.await?;
        }
    }

    async fn watchers(&self, account: i64) -> Result<Vec<Watcher>> {
        let read =
            self.app.store.read(|tx| Box::pin(async move { rows::list(tx, account, STORED_AS).await }));
        Ok(read.await?.iter().filter_map(watcher).collect())
    }

    /// Starts what an event starts; whether it is dealt with.
    async fn follow(&self, event: &ObjectEvent, watchers: &[Watcher]) -> bool {
        if event.is_folder() || event.name == Origin::TaskOutput.event() {
            return true;
        }
        let mut is_done = true;
        for watcher in watchers.iter().filter(|watcher| watcher.waits_for(event)) {
            let (schedule, bucket, key) = (watcher.id, &event.bucket, &event.key);
            match self.start(event, watcher).await {
                Ok(task) => tracing::info!(task, schedule, bucket, key, "an upload started an orchestration"),
                Err(error) if error.code == "InvalidParameterValue.SessionId" => {}
                Err(error) if may_pass(&error) => {
                    tracing::warn!(schedule, bucket, key, %error, "an orchestration is started later");
                    is_done = false;
                }
                Err(error) => {
                    tracing::warn!(schedule, bucket, key, %error, "an upload cannot start an orchestration");
                }
            }
        }
        is_done
    }

    async fn start(&self, event: &ObjectEvent, watcher: &Watcher) -> Result<String, ApiError> {
        let body = json!({
            "InputInfo": {
                "Type": "COS",
                "CosInputInfo": {"Bucket": event.bucket, "Region": watcher.region, "Object": event.key},
            },
            "ScheduleId": watcher.id,
        });
        let request = ProcessMediaRequest::deserialize(&body).map_err(|e| {
            mps_wire::codes::internal_error(format!("cannot word the call of a trigger: {e}"))
        })?;
        let once = format!("schedule {} version {}", watcher.id, event.id);
        submit(&self.app, event.account, request, body, Some(once)).await
    }
}

impl Watcher {
    fn waits_for(&self, event: &ObjectEvent) -> bool {
        self.bucket == event.bucket && is_below(&self.dir, &event.key) && self.formats.fit(&event.key)
    }
}

/// What a stored orchestration waits for; `None` unless it is enabled.
fn watcher(row: &Template) -> Option<Watcher> {
    if row.body["Status"] != "Enabled" {
        return None;
    }
    let trigger: &Value = &row.body["Trigger"]["CosFileUploadTrigger"];
    let trigger = CosFileUploadTrigger::deserialize(trigger).ok()?;
    Some(Watcher {
        id: row.id,
        bucket: trigger.bucket.unwrap_or_default(),
        region: trigger.region.unwrap_or_default(),
        dir: trigger.dir.unwrap_or_default(),
        formats: Formats::read("Formats", trigger.formats.as_deref().unwrap_or_default()).ok()?,
    })
}

/// Whether the same start may succeed later: the fault is ours, or too much is waiting.
fn may_pass(error: &ApiError) -> bool {
    error.code.starts_with("InternalError") || error.code.contains("LimitExceeded")
}
