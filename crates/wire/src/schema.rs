//! What the specification says a request may hold: every action, every structure that is sent.

use crate::generated::{PARTS, actions};

pub use crate::generated::actions::ACTIONS;

/// An action of the API.
#[derive(Debug)]
pub struct Action {
    /// Its exact name.
    pub name: &'static str,
    /// The structure of its request.
    pub request: &'static Object,
    /// Whether this server answers it with work.
    pub served: bool,
}

/// A structure.
#[derive(Debug)]
pub struct Object {
    /// Its exact name.
    pub name: &'static str,
    /// Its members in the order of the specification.
    pub members: &'static [Member],
}

impl Object {
    /// The member of this exact name.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its exact name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether its structure is refused without it.
    pub required: bool,
}

/// The type of a value.
#[derive(Debug)]
pub enum Kind {
    /// A string.
    Text,
    /// An integer of 64 bits.
    Int,
    /// An integer of 64 bits, not negative.
    Uint,
    /// A finite number.
    Float,
    /// A boolean.
    Bool,
    /// A structure.
    Object(&'static Object),
    /// A list of values of one type.
    List(&'static Kind),
}

/// The action of this exact name.
pub fn action(name: &str) -> Option<&'static Action> {
    let at = actions::ACTIONS.binary_search_by(|action| action.name.cmp(name)).ok()?;
    Some(&actions::ACTIONS[at])
}

/// The structure of this exact name, if requests can hold it.
pub fn object(name: &str) -> Option<&'static Object> {
    PARTS.iter().find_map(|part| {
        let at = part.binary_search_by(|object| object.name.cmp(name)).ok()?;
        Some(part[at])
    })
}

pub(crate) const fn must(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: true }
}

pub(crate) const fn may(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_action_and_structure_by_name() {
        assert_eq!(ACTIONS.len(), 230);
        for known in &ACTIONS {
            assert!(std::ptr::eq(action(known.name).unwrap(), known), "{}", known.name);
        }
        for known in PARTS.iter().copied().flatten() {
            assert!(std::ptr::eq(object(known.name).unwrap(), *known), "{}", known.name);
        }
        assert!(action("processmedia").is_none());
        assert!(object("Nothing").is_none());
    }

    #[test]
    fn tells_required_members_from_optional_ones() {
        let input = object("MediaInputInfo").unwrap();
        assert!(input.member("Type").unwrap().required);
        assert!(!input.member("UrlInputInfo").unwrap().required);
        assert!(
            matches!(input.member("UrlInputInfo").unwrap().kind, Kind::Object(o) if o.name == "UrlInputInfo")
        );
    }
}
