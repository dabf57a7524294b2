//! The listeners: the API, the buckets, and metrics where they have an address of their own.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use mps_api::{App, Triggers, bucket_door};
use mps_core::{Error, Result};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::parts::Parts;
use crate::client::discover::Endpoint;
use crate::config::Config;

/// Open listeners that nobody answers at yet.
pub(super) struct Doors {
    listeners: Vec<(TcpListener, Router)>,
    app: Arc<App>,
    endpoint: Endpoint,
}

impl Doors {
    pub(super) async fn open(config: &Config, parts: &Parts) -> Result<Self> {
        let api = listen("the API", config.listen).await?;
        let buckets = listen("the buckets", config.buckets.listen).await?;
        let (api_at, buckets_at) = (address(&api)?, address(&buckets)?);
        let endpoint = Endpoint {
            api: format!("http://{api_at}"),
            buckets: format!("http://{buckets_at}"),
            pid: std::process::id(),
        };
        let app = App::new(parts.api(config, buckets_at)?);
        let mut listeners = vec![(api, mps_api::router(Arc::clone(&app)))];
        listeners.push((buckets, bucket_door::service(parts.door(config))));
        if let Some(at) = config.metrics.listen {
            listeners.push((listen("metrics", at).await?, metrics(parts)));
        }
        Ok(Self { listeners, app, endpoint })
    }

    /// What starts orchestrations when objects arrive.
    pub(super) fn triggers(&self) -> Triggers {
        Triggers::new(Arc::clone(&self.app))
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// Answers until told to close; requests under way are answered.
    pub(super) async fn serve(self, closed: CancellationToken) {
        let mut serving = JoinSet::new();
        for (listener, router) in self.listeners {
            let closed = closed.clone();
            serving.spawn(async move {
                let served = axum::serve(listener, router).with_graceful_shutdown(closed.cancelled_owned());
                if let Err(error) = served.await {
                    tracing::error!(%error, "a listener ended");
                }
            });
        }
        while serving.join_next().await.is_some() {}
    }
}

fn metrics(parts: &Parts) -> Router {
    let text = Arc::clone(&parts.metrics_text);
    Router::new().route("/metrics", get(move || async move { text().await }))
}

async fn listen(what: &str, at: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(at).await.map_err(|e| {
        let told =
            format!("cannot listen at {at} for {what}: {e}; choose another address in the configuration");
        Error::invalid(told)
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|e| Error::internal("a listener has no address").because(e))
}
