//! Telling: how tasks are worded, and how callbacks leave.

use async_trait::async_trait;
use bytes::Bytes;
use mps_backends::notify;
use mps_backends::notify::url;
use mps_core::clock::Clock;
use mps_core::task::TaskView;
use mps_core::{Error, Result, Retry};
use mps_media::answer;
use mps_tasks::{Callback, Sender, Shape};
use serde_json::Value;
use std::sync::Arc;

/// Words tasks as the API does.
pub struct Words {
    clock: Arc<dyn Clock>,
}

impl Words {
    /// Words whose events are dated by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Shape for Words {
    fn event(&self, view: &TaskView) -> Option<Value> {
        answer::event::body(view, self.clock.now_ms())
    }

    fn answer(&self, view: &TaskView) -> Option<Value> {
        Some(answer::task::detail(view))
    }

    fn destination(&self, target: &Value) -> String {
        let address = target["NotifyUrl"].as_str().unwrap_or_default();
        match ::url::Url::parse(address) {
            Ok(url) => {
                format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
            }
            Err(_) => address.to_owned(),
        }
    }
}

/// Sends callbacks to the URLs of their tasks.
pub struct UrlSender {
    sender: url::Sender,
    clock: Arc<dyn Clock>,
}

impl UrlSender {
    /// A sender; `clock` is for the signatures.
    pub fn new(sender: url::Sender, clock: Arc<dyn Clock>) -> Self {
        Self { sender, clock }
    }

    fn body(&self, callback: &Callback) -> Result<Bytes> {
        let key = callback.target["NotifyKey"].as_str().unwrap_or_default();
        if key.is_empty() {
            return Ok(Bytes::from(callback.body.clone()));
        }
        let unreadable =
            |e| Error::internal("a stored callback cannot be read").because(e).with_retry(Retry::Never);
        let mut body: Value = serde_json::from_str(&callback.body).map_err(unreadable)?;
        url::sign(&mut body, key, self.clock.now_ms());
        Ok(Bytes::from(body.to_string()))
    }
}

#[async_trait]
impl Sender for UrlSender {
    async fn send(&self, callback: &Callback) -> Result<()> {
        let delivery = notify::Callback {
            url: callback.target["NotifyUrl"].as_str().unwrap_or_default().to_owned(),
            body: self.body(callback)?,
            event_id: callback.event_id.clone(),
            attempt: callback.attempt,
        };
        self.sender.send(&delivery).await
    }
}
