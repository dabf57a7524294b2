//! The log on standard error, and traces for a collector when the build has them.

use std::io::IsTerminal;

use mps_core::{Error, Result};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::Config;
use crate::config::environment::plain_terminal;
use crate::config::sections::log::Format;

/// Keeps what is logged flowing; the last traces are sent when it is dropped.
#[must_use]
pub struct Logging {
    #[cfg(feature = "otlp")]
    traces: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

/// Starts logging as the configuration says.
pub fn start(config: &Config) -> Result<Logging> {
    let level = &config.log.level;
    let filter = EnvFilter::try_new(level)
        .map_err(|error| Error::invalid(format!("log.level: cannot read {level:?}")).because(error))?;
    let terminal = std::io::stderr().is_terminal();
    let json = match config.log.format {
        Format::Json => true,
        Format::Text => false,
        Format::Auto => !terminal,
    };
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if json {
        fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).with_filter(filter).boxed()
    } else {
        let colour = terminal && !plain_terminal();
        fmt::layer()
            .with_ansi(colour)
            .with_target(false)
            .with_writer(std::io::stderr)
            .with_filter(filter)
            .boxed()
    };
    let registry = Registry::default().with(lines);

    #[cfg(feature = "otlp")]
    {
        let traces = traces::provider(&config.telemetry)?;
        let layer = traces.as_ref().map(traces::layer);
        registry.with(layer).init();
        Ok(Logging { traces })
    }
    #[cfg(not(feature = "otlp"))]
    {
        registry.init();
        Ok(Logging {})
    }
}

#[cfg(feature = "otlp")]
impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.traces.take().map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "cannot send the last traces");
        }
    }
}

#[cfg(feature = "otlp")]
mod traces {
    use mps_core::{Error, Result};
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::registry::LookupSpan;

    use crate::config::sections::Telemetry;

    /// Sends spans in batches to the configured collector; none where none is configured.
    pub(super) fn provider(config: &Telemetry) -> Result<Option<SdkTracerProvider>> {
        let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
        // More than one crate of the tree may ask for a provider; the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let traces = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let exporter =
            SpanExporter::builder().with_http().with_endpoint(&traces).build().map_err(|error| {
                Error::invalid(format!("telemetry.otlp_endpoint: cannot send to {traces}")).because(error)
            })?;
        let resource = Resource::builder().with_service_name(config.service_name.clone()).build();
        Ok(Some(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()))
    }

    /// Every span of level `info` and above; what is said inside goes along as events.
    pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer().with_tracer(provider.tracer("mps")).with_filter(LevelFilter::INFO)
    }
}
