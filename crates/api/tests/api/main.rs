//! The API as a client sees it: a whole app in this process, on a real database, with the clock in hand.
//! The tree of modules mirrors the tree of actions.

mod app;
mod auth;
mod completeness;
mod limits;
mod media;
mod schedules;
mod tasks;
mod templates;
mod transcode_templates;
mod transport;
mod validation;
