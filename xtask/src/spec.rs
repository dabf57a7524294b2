//! The specification and the list of what is served, read from `spec/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// Both files of `spec/`, checked against each other.
pub(crate) struct Spec {
    /// Every action by its name.
    pub(crate) actions: BTreeMap<String, Action>,
    /// Every structure by its name.
    pub(crate) objects: BTreeMap<String, Object>,
    /// Names of the actions answered with work.
    pub(crate) served: BTreeSet<String>,
    /// Names of the served actions whose requests and responses travel as plain JSON.
    pub(crate) untyped: BTreeSet<String>,
    /// Names of the structures that get no Rust type.
    pub(crate) opaque: BTreeSet<String>,
}

/// The two structures of an action.
#[derive(Deserialize)]
pub(crate) struct Action {
    pub(crate) request: String,
    pub(crate) response: String,
}

/// A structure and where it travels.
#[derive(Deserialize)]
pub(crate) struct Object {
    /// `in`, `out`, `both`; none for the request and response structures themselves.
    pub(crate) usage: Option<String>,
    pub(crate) members: Vec<Member>,
}

/// A member of a structure.
#[derive(Deserialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    #[serde(rename = "type", deserialize_with = "parse_type")]
    pub(crate) shape: Shape,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) nullable: bool,
}

/// The type of a member, as the specification spells it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Int,
    Uint,
    Float,
    Bool,
    Object(String),
    List(Box<Shape>),
}

impl Shape {
    /// The structure this shape is made of, through lists.
    pub(crate) fn object(&self) -> Option<&str> {
        match self {
            Self::Object(name) => Some(name),
            Self::List(inner) => inner.object(),
            _ => None,
        }
    }

    fn parse(text: &str) -> Self {
        if let Some(inner) = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
            return Self::List(Box::new(Self::parse(inner)));
        }
        match text {
            "string" | "datetime_iso" => Self::Text,
            "int64" => Self::Int,
            "uint64" => Self::Uint,
            "float" => Self::Float,
            "bool" => Self::Bool,
            name => Self::Object(name.to_owned()),
        }
    }
}

fn parse_type<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Shape, D::Error> {
    String::deserialize(deserializer).map(|text| Shape::parse(&text))
}

#[derive(Deserialize)]
struct SpecFile {
    actions: BTreeMap<String, Action>,
    objects: BTreeMap<String, Object>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServedFile {
    actions: BTreeSet<String>,
    template_families: BTreeSet<String>,
    opaque: BTreeSet<String>,
}

impl Spec {
    /// Reads `spec/` below `root`; fails on a name that one file uses and the other does not know.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let folder = root.join("spec");
        let file: SpecFile = serde_json::from_str(&read(&folder.join("mps-2019-06-12.json"))?)
            .context("parse spec/mps-2019-06-12.json")?;
        let served: ServedFile =
            toml::from_str(&read(&folder.join("served.toml"))?).context("parse spec/served.toml")?;
        let untyped: BTreeSet<String> = served.template_families.iter().flat_map(|f| four(f)).collect();
        let spec = Self {
            actions: file.actions,
            objects: file.objects,
            served: served.actions.iter().chain(&untyped).cloned().collect(),
            untyped,
            opaque: served.opaque,
        };
        spec.verify()?;
        Ok(spec)
    }

    fn verify(&self) -> Result<()> {
        for name in &self.served {
            ensure!(self.actions.contains_key(name), "spec/served.toml: the API has no action {name}");
        }
        for name in &self.opaque {
            ensure!(self.objects.contains_key(name), "spec/served.toml: the API has no structure {name}");
        }
        for (name, object) in &self.objects {
            for member in &object.members {
                if let Some(inner) = member.shape.object()
                    && !self.objects.contains_key(inner)
                {
                    bail!("spec: {name}.{} has the unknown type {inner}", member.name);
                }
            }
        }
        Ok(())
    }

    /// Every structure reachable from `roots`, the roots included; opaque ones are entered only if asked.
    pub(crate) fn reach<'a>(
        &'a self,
        roots: impl IntoIterator<Item = &'a str>,
        enter_opaque: bool,
    ) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&str> = roots.into_iter().collect();
        while let Some(name) = waiting.pop() {
            if (!enter_opaque && self.opaque.contains(name)) || !seen.insert(name) {
                continue;
            }
            waiting.extend(self.objects[name].members.iter().filter_map(|m| m.shape.object()));
        }
        seen
    }
}

/// The actions of a template family, by the middle of their names.
fn four(family: &str) -> [String; 4] {
    [
        format!("Create{family}Template"),
        format!("Modify{family}Template"),
        format!("Delete{family}Template"),
        format!("Describe{family}Templates"),
    ]
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
