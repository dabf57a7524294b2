//! Which keys a package needs: all tracks one, or each sub stream its own.

use serde::{Deserialize, Serialize};

use super::{Kid, Preset, Speke};

/// A track that the packager encrypts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Its name among the tracks: letters, digits, hyphens. The packager's `drm_label`.
    pub label: String,
    /// The sub stream that it belongs to, from 0; `None` where several share it.
    pub stream: Option<u32>,
    /// What it is.
    pub kind: Kind,
    /// Height of the picture; 0 of sound.
    pub height: u32,
}

/// What a track is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// A key to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The tracks it is for, in the word of the document: `ALL`, `SD`, `HD`, `UHD1`, `UHD2`, `AUDIO`, with a number
    /// where there are more of a class.
    pub intended: String,
    /// The id that we propose.
    pub kid: Kid,
    /// Which kinds of tracks it is for, sorted.
    pub kinds: Vec<Kind>,
}

/// The keys that `tracks` need, in the order of the tracks.
///
/// Vendors choose by the word how well a player must guard the key, so a sub stream is called after its size.
pub fn wanted(speke: &Speke, tracks: &[Track]) -> Vec<Wanted> {
    let places = key_of_each(speke, tracks);
    let count = places.iter().max().map_or(0, |last| last + 1);
    let mut keys: Vec<Wanted> = Vec::new();
    for place in 0..count {
        let own: Vec<&Track> =
            tracks.iter().zip(&places).filter(|(_, of)| **of == place).map(|(track, _)| track).collect();
        let class = match speke.preset {
            Preset::OneKey => "ALL",
            Preset::KeyPerStream => class(own.iter().map(|track| track.height).max().unwrap_or(0)),
        };
        let before = keys.iter().filter(|key| key.intended.split('-').next() == Some(class)).count();
        let intended = if before == 0 { class.to_owned() } else { format!("{class}-{}", before + 1) };
        let mut kinds: Vec<Kind> = own.iter().map(|track| track.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kid = Kid::derived(&speke.resource_id, &intended);
        keys.push(Wanted { intended, kid, kinds });
    }
    keys
}

/// The place in [`wanted`] of the key of each track.
pub fn key_of_each(speke: &Speke, tracks: &[Track]) -> Vec<usize> {
    let mut owners: Vec<(Option<u32>, Option<Kind>)> = Vec::new();
    let place = |track: &Track| {
        // What no sub stream owns shares a key with others of its kind.
        let owner = match (speke.preset, track.stream) {
            (Preset::OneKey, _) => (None, None),
            (Preset::KeyPerStream, Some(stream)) => (Some(stream), None),
            (Preset::KeyPerStream, None) => (None, Some(track.kind)),
        };
        owners.iter().position(|known| *known == owner).unwrap_or_else(|| {
            owners.push(owner);
            owners.len() - 1
        })
    };
    tracks.iter().map(place).collect()
}

/// The word for pictures of this height.
const fn class(height: u32) -> &'static str {
    match height {
        0 => "AUDIO",
        1..=576 => "SD",
        577..=1080 => "HD",
        1081..=2160 => "UHD1",
        _ => "UHD2",
    }
}

/// Tracks as tests have them: two renditions and sound that they share.
#[cfg(test)]
pub(super) fn ladder() -> Vec<Track> {
    let track = |label: &str, stream, kind, height| Track { label: label.to_owned(), stream, kind, height };
    vec![
        track("video-1", Some(0), Kind::Video, 360),
        track("video-2", Some(1), Kind::Video, 180),
        track("audio", None, Kind::Audio, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drm::from_wire_tests::speke;

    #[test]
    fn one_key_for_all_or_one_for_each_sub_stream() {
        let tracks = ladder();
        let one = wanted(&speke(Preset::OneKey), &tracks);
        assert_eq!(one.len(), 1);
        assert_eq!((one[0].intended.as_str(), one[0].kinds.len()), ("ALL", 2));
        let each = wanted(&speke(Preset::KeyPerStream), &tracks);
        let names: Vec<&str> = each.iter().map(|key| key.intended.as_str()).collect();
        assert_eq!(names, ["SD", "SD-2", "AUDIO"]);
        assert_eq!(key_of_each(&speke(Preset::KeyPerStream), &tracks), [0, 1, 2]);
        assert_eq!(key_of_each(&speke(Preset::OneKey), &tracks), [0, 0, 0]);
    }

    #[test]
    fn sound_of_a_sub_stream_shares_the_key_of_its_pictures() {
        let mut tracks = ladder();
        tracks[2].stream = Some(1);
        let each = wanted(&speke(Preset::KeyPerStream), &tracks);
        assert_eq!((each.len(), each[1].kinds.as_slice()), (2, &[Kind::Video, Kind::Audio][..]));
    }

    #[test]
    fn a_sub_stream_is_called_after_its_size() {
        let track = |nth: u32, height| Track {
            label: format!("v{nth}"),
            stream: Some(nth),
            kind: Kind::Video,
            height,
        };
        let heights = [240, 576, 720, 1080, 2160, 4320];
        let tracks: Vec<Track> = (0..).zip(heights).map(|(nth, height)| track(nth, height)).collect();
        let names: Vec<String> =
            wanted(&speke(Preset::KeyPerStream), &tracks).into_iter().map(|key| key.intended).collect();
        assert_eq!(names, ["SD", "SD-2", "HD", "HD-2", "UHD1", "UHD2"]);
        assert!(wanted(&speke(Preset::OneKey), &[]).is_empty());
    }
}
