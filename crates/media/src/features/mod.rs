//! What can be done to a medium: a file or a folder for each feature, and the list of them.
//!
//! A feature reads an item of a request when the call comes, plans a step once the source is known, says what is kept
//! of what came out, and tells the caller. Everybody else knows features by [`ALL`] alone.

pub mod adaptive;
pub mod added;
pub mod burn;
pub mod item;
pub mod marks;
pub mod mosaic;
pub mod outcome;
pub mod over;
pub mod stills;
pub mod transcode;

use mps_core::media_info::MediaInfo;
use mps_core::task::{Failure, Step};
use mps_core::{Error, Result};
use mps_wire::{ApiError, Refused};
use serde::de::DeserializeOwned;
use serde_json::Value;

use added::Added;
pub use item::{Given, Item, Place};

use crate::drm::Drm;
use crate::plan::{Build, Plan, Role};
use crate::templates::Family;

/// The features of `MediaProcessTask`, in the order of its lists and of results.
pub static ALL: &[&dyn Feature] = &[
    &transcode::Transcode,
    &stills::animated::AnimatedGraphic,
    &stills::at_times::SnapshotByTimeOffset,
    &stills::sample::SampleSnapshot,
    &stills::sprite::ImageSprite,
    &adaptive::AdaptiveDynamicStreaming,
];

/// What each of them refuses by name: members of the request, from `MediaProcessTask` down.
pub const REFUSED: &[&[Refused]] = &[
    transcode::REFUSED,
    stills::animated::REFUSED,
    stills::at_times::REFUSED,
    stills::sample::REFUSED,
    stills::sprite::REFUSED,
    adaptive::REFUSED,
];

/// The feature that does steps of this kind.
pub fn of_kind(kind: &str) -> Option<&'static dyn Feature> {
    ALL.iter().copied().find(|feature| feature.words().kind == kind)
}

/// The API's words for a feature, and ours.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The kind of its steps, such as `transcode`.
    pub kind: &'static str,
    /// The list of its items in `MediaProcessTask`, such as `TranscodeTaskSet`.
    pub list: &'static str,
    /// `Type` of its results, such as `Transcode`.
    pub result: &'static str,
    /// The member of a result that it fills, such as `TranscodeTask`.
    pub member: &'static str,
    /// Its word in lists of tasks, such as `action-trans`.
    pub activity: &'static str,
    /// The weight of a step in the fair share, against 1 of a step that only looks.
    pub cost: u32,
}

/// One thing that can be done to a medium.
pub trait Feature: Send + Sync {
    /// Its names.
    fn words(&self) -> Words;
    /// The templates that its items name.
    fn family(&self) -> &'static dyn Family;
    /// Members of its items, lists or structures with their path from the item down, that name files of the caller's;
    /// each with the member that does, which is empty when the whole member of a list does.
    fn inputs(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
    /// Members of its items, with their path from the item down, that are addresses which a step will call.
    fn calls(&self) -> &'static [&'static str] {
        &[]
    }
    /// Checks an item and gives the params of its step: an object with, among others, `item` (the item's place in
    /// the list), `definition` and `storage` (where its outputs go, in the API's words).
    ///
    /// # Errors
    /// The API's own codes.
    #[expect(clippy::wrong_self_convention, reason = "the house's word for what comes in at the border")]
    fn from_wire(&self, item: &Item<'_>, build: &Build) -> std::result::Result<Value, ApiError>;
    /// What is to be done with a source that holds `info`; `task_id` is the public one.
    ///
    /// # Errors
    /// `InvalidInput` when the source does not suit, `Unsupported` when ffmpeg lacks a filter for it.
    fn plan(&self, params: &Value, info: &MediaInfo, task_id: &str, build: &Build) -> Result<Plan>;
    /// Films that are joined to the source, each looked into before the plan is made.
    ///
    /// # Errors
    /// `Internal` when the params are not those of [`Feature::from_wire`].
    fn films(&self, _params: &Value) -> Result<Vec<Added>> {
        Ok(Vec::new())
    }
    /// As [`Feature::plan`] where there are [`Feature::films`], which hold `films`; they are inputs 1 and on.
    ///
    /// # Errors
    /// As for [`Feature::plan`].
    fn plan_joined(
        &self,
        params: &Value,
        info: &MediaInfo,
        _films: &[MediaInfo],
        task_id: &str,
        build: &Build,
    ) -> Result<Plan> {
        self.plan(params, info, task_id, build)
    }
    /// How the parts of its package are encrypted that [`Plan::encrypted`] names.
    ///
    /// # Errors
    /// `Internal` when the params are not those of [`Feature::from_wire`].
    fn drm(&self, _params: &Value) -> Result<Option<Drm>> {
        Ok(None)
    }
    /// What is kept of what came out.
    ///
    /// # Errors
    /// `Internal` when the params are not those of [`Feature::from_wire`].
    fn result(&self, params: &Value, made: &Made<'_>) -> Result<Value>;
    /// What the next activity of an orchestration reads after a step with these params.
    fn hands_on(&self, _params: &Value) -> Onward {
        Onward::Same
    }
    /// What was used.
    fn usage(&self, params: &Value, made: &Made<'_>) -> Vec<Used>;
    /// The answer for an item: `item` as it came, its step if there is one, and why the whole task failed.
    fn to_wire(&self, item: &Value, step: Option<&Step>, task_failure: Option<&Failure>) -> Value;
}

/// What an activity of an orchestration leaves to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    /// What it read itself: it makes no film.
    Same,
    /// Its output, whose key is `path` of its result.
    Output,
    /// Nothing that can be read: a playlist.
    Playlist,
}

/// An object that a step put into its store.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Its key, beginning with `/`.
    pub key: &'a str,
    /// Its bytes.
    pub size_bytes: u64,
    /// MD5 in lower-case hex; empty for segments.
    pub md5: &'a str,
    /// What it is for.
    pub role: Role,
}

/// What came of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// [`Plan::facts`].
    pub facts: &'a Value,
    /// All objects, in the order of the plan.
    pub objects: &'a [Object<'a>],
    /// What the file holds that the plan asked to be looked into; empty when it asked for none.
    pub info: &'a MediaInfo,
    /// Length of playlists in microseconds; 0 when there is none.
    pub playlist_us: i64,
}

impl<'a> Made<'a> {
    /// The object that a player or a user opens.
    ///
    /// # Errors
    /// `Internal` when the plan had none.
    pub fn main(&self) -> Result<&Object<'a>> {
        let found = self.objects.iter().find(|object| matches!(object.role, Role::Main | Role::Playlist));
        found.ok_or_else(|| Error::internal("the plan has no main output"))
    }

    /// Bytes of all objects together.
    pub fn size_bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size_bytes).sum()
    }
}

/// Use of the service by one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// What was used, such as `transcode.h264.720p`.
    pub item: String,
    /// How much.
    pub amount: i64,
    /// Of what.
    pub unit: &'static str,
}

/// Params or a result as stored.
fn stored<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T> {
    T::deserialize(value).map_err(|e| Error::internal(format!("the stored {what} cannot be read")).because(e))
}

/// To be stored.
fn to_store(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| Error::internal("cannot store what came out").because(e))
}

/// Params of a step, to be stored.
fn params_value(value: &impl serde::Serialize) -> std::result::Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|error| {
        mps_wire::codes::internal_error(format!("cannot write the params of a step: {error}"))
    })
}
