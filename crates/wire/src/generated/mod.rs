//! What `cargo xtask gen` writes from `spec/`: types of the served actions, schema of all requests.

#[path = "requests.gen.rs"]
pub(crate) mod requests;
#[path = "responses.gen.rs"]
pub(crate) mod responses;
#[path = "structures.gen.rs"]
pub(crate) mod structures;

#[path = "actions.gen.rs"]
pub(crate) mod actions;
#[expect(non_upper_case_globals, reason = "a structure is found under its exact name")]
#[path = "schema_a.gen.rs"]
mod schema_a;
#[expect(non_upper_case_globals, reason = "a structure is found under its exact name")]
#[path = "schema_b_d.gen.rs"]
mod schema_b_d;
#[expect(non_upper_case_globals, reason = "a structure is found under its exact name")]
#[path = "schema_e_l.gen.rs"]
mod schema_e_l;
#[expect(non_upper_case_globals, reason = "a structure is found under its exact name")]
#[path = "schema_m_r.gen.rs"]
mod schema_m_r;
#[expect(non_upper_case_globals, reason = "a structure is found under its exact name")]
#[path = "schema_s_z.gen.rs"]
mod schema_s_z;

/// Every structure a request may hold, under its exact name.
pub mod objects {
    pub use super::schema_a::*;
    pub use super::schema_b_d::*;
    pub use super::schema_e_l::*;
    pub use super::schema_m_r::*;
    pub use super::schema_s_z::*;
}

/// The same structures as sorted lists, in the order of the alphabet.
pub(crate) const PARTS: [&[&crate::schema::Object]; 5] =
    [&schema_a::PART, &schema_b_d::PART, &schema_e_l::PART, &schema_m_r::PART, &schema_s_z::PART];
