//! The only way by which a URL of a user is followed.
//!
//! Refused are schemes other than http and https, and addresses inside (see [`blocked`]) that the operator has
//! not allowed in `network.allow_private`. A name is resolved once for a connection, and the addresses that
//! were checked are the ones connected to; addresses given literally are checked before the request. Redirects
//! (at most three, for reads only) pass the same checks. Proxies of the environment are not used: they would
//! resolve names for us.

mod address;
mod policy;

use std::error::Error as _;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use mps_core::error::{Kind, Retry};
use mps_core::{Error, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response};
use url::{Host, Url};

pub use address::blocked;
pub use policy::{Allowed, Policy};

/// How many redirects a read follows.
const REDIRECTS: usize = 3;

/// How long a connection may keep us waiting.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection to come about, name resolution and TLS included.
    pub connect: Duration,
    /// For the next bytes, or the head of the answer, to arrive.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), idle: Duration::from_mins(1) }
    }
}

/// A client that goes nowhere it should not. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    policy: Arc<Policy>,
    // The resolver of a client is told the name but not the port, and an entry may be for one port only; so
    // each port that an entry names has a client of its own, which knows it.
    by_port: Vec<(u16, Client)>,
    rest: Client,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

/// What a URL of a user is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// GET and HEAD follow redirects; with any other method a redirect is a failure.
    pub method: Method,
    /// Where; user and password in it are sent as basic authorization.
    pub url: Url,
    /// Further headers.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// The time for one exchange including its body, where that should be bounded.
    pub within: Option<Duration>,
}

impl Ask {
    /// A question without headers, body and total time.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new(), within: None }
    }

    /// With this header added.
    #[must_use]
    pub fn header(mut self, name: reqwest::header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl Guard {
    /// A guard with this policy; fails only if TLS cannot be set up.
    pub fn new(policy: Policy, timeouts: Timeouts) -> Result<Self> {
        let policy = Arc::new(policy);
        let client = |port: Option<u16>| {
            let resolver = Resolver { policy: policy.clone(), port };
            client_builder(timeouts)?
                .dns_resolver(Arc::new(resolver))
                .build()
                .map_err(|error| Error::internal("cannot set up an HTTP client").because(error))
        };
        let by_port = policy.ports().into_iter().map(|p| Ok((p, client(Some(p))?))).collect::<Result<_>>()?;
        let rest = client(None)?;
        Ok(Self(Arc::new(Inner { policy: policy.clone(), by_port, rest })))
    }

    /// The policy it holds to.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Whether `text` is a URL that may be tried: its scheme, its host and, where the host is an address, that.
    ///
    /// Names are not resolved here: what they lead to is checked when a connection is made.
    pub fn check_url(&self, text: &str) -> Result<Url> {
        let url = Url::parse(text).map_err(|error| Error::invalid("not a URL").because(error))?;
        self.check(&url)?;
        Ok(url)
    }

    /// The same for a URL that is parsed already.
    pub fn check(&self, url: &Url) -> Result<()> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::invalid(format!("only http and https are followed, not {}", url.scheme())));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let ip: IpAddr = match url.host() {
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
            Some(Host::Domain(name)) if !name.trim_matches('.').is_empty() => return Ok(()),
            _ => return Err(Error::invalid("the URL names no host")),
        };
        if self.0.policy.permits(None, ip, port) { Ok(()) } else { Err(denied(&Refused { ip, name: None })) }
    }

    /// Asks; the answer has any status but a redirect.
    ///
    /// Errors: `Denied`, never to be retried, for what the policy forbids; `InvalidInput` for a bad redirect;
    /// `Timeout` and `Unavailable` for what may pass.
    pub async fn send(&self, ask: Ask) -> Result<Response> {
        let Ask { method, url, mut headers, body, within } = ask;
        let follows = method == Method::GET || method == Method::HEAD;
        let mut url = take_credentials(url, &mut headers);
        for _ in 0..=REDIRECTS {
            self.check(&url)?;
            let mut request = self
                .client(&url)
                .request(method.clone(), url.clone())
                .headers(headers.clone())
                .body(body.clone());
            if let Some(within) = within {
                request = request.timeout(within);
            }
            let answer = request.send().await.map_err(|error| failure(&url, error))?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            let told = format!("{} answered {}", shown(&url), answer.status().as_u16());
            if !follows {
                return Err(Error::unavailable(format!("{told}, and redirects are not followed here")));
            }
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = location.and_then(|to| url.join(to).ok());
            let next = next.ok_or_else(|| Error::invalid(format!("{told} without saying where to")))?;
            if next.origin() != url.origin() {
                headers.remove(AUTHORIZATION);
            }
            url = take_credentials(next, &mut HeaderMap::new());
        }
        Err(Error::invalid(format!("more than {REDIRECTS} redirects, the last to {}", shown(&url))))
    }

    fn client(&self, url: &Url) -> &Client {
        let port = url.port_or_known_default().unwrap_or_default();
        self.0.by_port.iter().find(|(own, _)| *own == port).map_or(&self.0.rest, |(_, client)| client)
    }
}

/// What all our clients have in common; redirects are left to the caller.
pub(crate) fn client_builder(timeouts: Timeouts) -> Result<reqwest::ClientBuilder> {
    Ok(Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .http1_only()
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.idle)
        .pool_idle_timeout(Duration::from_secs(30))
        .user_agent(concat!("mps/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(crate::tls::client_config()?))
}

/// A URL as messages show it: without user, password, query and fragment, which may hold secrets.
pub fn shown(url: &Url) -> String {
    let mut plain = url.clone();
    let _ = plain.set_username("");
    let _ = plain.set_password(None);
    plain.set_query(None);
    plain.set_fragment(None);
    plain.to_string()
}

/// Moves user and password from the URL into a basic authorization header.
fn take_credentials(mut url: Url, headers: &mut HeaderMap) -> Url {
    url.set_fragment(None);
    if url.username().is_empty() && url.password().is_none() {
        return url;
    }
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let mut pair = decoded(url.username());
    pair.push(b':');
    pair.extend(decoded(url.password().unwrap_or_default()));
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    if let Ok(mut value) = HeaderValue::from_str(&format!("Basic {pair}")) {
        value.set_sensitive(true);
        headers.entry(AUTHORIZATION).or_insert(value);
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Translates a client's failure at `url`; the source never repeats the URL.
pub(crate) fn failure(url: &Url, error: reqwest::Error) -> Error {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return denied(refused);
        }
        cause = inner.source();
    }
    let place = shown(url);
    let error = error.without_url();
    if error.is_timeout() {
        Error::new(Kind::Timeout, format!("{place} did not answer in time")).because(error)
    } else if error.is_connect() {
        Error::unavailable(format!("cannot connect to {place}")).because(error)
    } else {
        Error::unavailable(format!("the exchange with {place} broke off")).because(error)
    }
}

/// Resolves names and refuses those that lead inside.
struct Resolver {
    policy: Arc<Policy>,
    // None stands for every port that no entry names.
    port: Option<u16>,
}

#[derive(Debug)]
struct Refused {
    ip: IpAddr,
    name: Option<String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "address {}", self.ip)?;
        if let Some(name) = &self.name {
            write!(f, " of {name}")?;
        }
        f.write_str(" is not public; the operator can allow it in network.allow_private")
    }
}

impl std::error::Error for Refused {}

fn denied(refused: &Refused) -> Error {
    Error::new(Kind::Denied, refused.to_string()).with_retry(Retry::Never)
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, port) = (self.policy.clone(), self.port.unwrap_or_default());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let inside = found.iter().find(|at| !policy.permits(Some(name.as_str()), at.ip(), port));
            match inside {
                Some(at) => Err(Refused { ip: at.ip(), name: Some(name.as_str().to_owned()) }.into()),
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests;
