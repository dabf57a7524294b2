//! A request as it came, and what of it says which action is meant.
//!
//! Three forms are understood: a JSON body, a form body, and a query. With the first the action's name, version
//! and region are headers; with the others they may be parameters, as the older signatures have it. A body may
//! repeat name and version; the headers count.

use axum::body::Bytes;
use http::{HeaderMap, Method, header, request};
use mps_wire::auth::Message;
use mps_wire::{ApiError, codes, flatten, schema};
use serde_json::Value;

/// The one version of this API.
const VERSION: &str = "2019-06-12";

/// How the parameters travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A POST with a JSON body.
    Json,
    /// A POST with the fields of a form.
    Fields,
    /// A GET with a query.
    Query,
}

impl Form {
    /// The form that method and content type tell; an error for other methods.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Result<Self, ApiError> {
        if method == Method::GET {
            return Ok(Self::Query);
        }
        if method != Method::POST {
            return Err(codes::unsupported_protocol("the API takes POST and GET only"));
        }
        let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
        let is_form = kind.to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded");
        Ok(if is_form { Self::Fields } else { Self::Json })
    }
}

/// A request, read to its end.
pub(crate) struct Incoming {
    form: Form,
    headers: HeaderMap,
    /// The text after `?` as it was sent.
    query: String,
    body: Bytes,
    /// The decoded fields of a form or a query.
    fields: Vec<(String, String)>,
}

/// Which action is meant.
pub(crate) struct Meant {
    /// The action's name.
    pub(crate) action: String,
    /// The version, if one was told.
    version: Option<String>,
    /// The region, if one was told.
    pub(crate) region: Option<String>,
    /// The body, where it had to be read to find the name.
    json: Option<Value>,
}

impl Incoming {
    pub(crate) fn new(form: Form, parts: request::Parts, body: Bytes) -> Self {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let fields = match form {
            Form::Json => Vec::new(),
            Form::Fields => flatten::parse(&body),
            Form::Query => flatten::parse(query.as_bytes()),
        };
        Self { form, headers: parts.headers, query, body, fields }
    }

    /// The value of a header; `None` when it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The decoded fields of a form or a query; empty for JSON.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// What a signature covers; `header` gives headers by lower-case name.
    pub(crate) fn message<'a>(&'a self, header: &'a dyn Fn(&str) -> Option<&'a str>) -> Message<'a> {
        let method = if self.form == Form::Query { "GET" } else { "POST" };
        Message { method, query: &self.query, header, body: &self.body }
    }

    /// A common parameter: the header, else the field.
    pub(crate) fn common(&self, header: &str, field: &str) -> Option<&str> {
        let told = self.header(header).or_else(|| flatten::parameter(&self.fields, field));
        told.map(str::trim).filter(|text| !text.is_empty())
    }

    /// Finds the action's name, its version and the region.
    pub(crate) fn meant(&self) -> Result<Meant, ApiError> {
        let (mut action, mut version) =
            (self.common("x-tc-action", "Action"), self.common("x-tc-version", "Version"));
        let mut json = None;
        if self.form == Form::Json && (action.is_none() || version.is_none()) {
            let body = &*json.insert(self.json()?);
            action = action.or(body["Action"].as_str());
            version = version.or(body["Version"].as_str());
        }
        let Some(action) = action.map(str::to_owned) else {
            return Err(codes::missing_parameter(
                "the header `X-TC-Action` is required: it names the Action",
            ));
        };
        let version = version.map(str::to_owned);
        let region = self.common("x-tc-region", "Region").map(str::to_owned);
        Ok(Meant { action, version, region, json })
    }

    /// The parameters of the action called `name`, as JSON.
    pub(crate) fn params(&self, name: &str, meant: Meant) -> Result<Value, ApiError> {
        match (self.form, meant.json, schema::action(name)) {
            (Form::Json, Some(json), _) => Ok(json),
            (Form::Json, None, _) => self.json(),
            (_, _, Some(action)) => flatten::unflatten(action, &self.fields),
            (_, _, None) => Err(codes::invalid_action(format!("the API has no action {name}"))),
        }
    }

    fn json(&self) -> Result<Value, ApiError> {
        if self.body.trim_ascii().is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body)
            .map_err(|e| codes::invalid_parameter(format!("the body of the request is not JSON: {e}")))
    }
}

impl Meant {
    /// Refuses another version than the one there is.
    pub(crate) fn check_version(&self) -> Result<(), ApiError> {
        match self.version.as_deref() {
            Some(VERSION) => Ok(()),
            Some(other) => {
                let shown: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
                Err(codes::no_such_version(format!("the version of the API is {VERSION}, not `{shown}`")))
            }
            None => {
                Err(codes::missing_parameter(format!("the header `X-TC-Version` is required: {VERSION}")))
            }
        }
    }
}
