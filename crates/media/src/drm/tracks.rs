//! Which keys a package needs: all tracks one, or each sub stream its own.

use super::{Kid, Preset, Speke};

/// A track that the packager encrypts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Its name among the tracks: letters, digits, hyphens. The packager's `drm_label`.
    pub label: String,
    /// The sub stream that it belongs to, from 0; `None` where several share it.
    pub stream: Option<u32>,
    /// What it is.
    pub kind: Kind,
}

/// What a track is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// A key to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The tracks it is for, in the word of the document: `ALL`, `STREAM-1`, `AUDIO`.
    pub intended: String,
    /// The id that we propose.
    pub kid: Kid,
    /// Which kinds of tracks it is for, sorted.
    pub kinds: Vec<Kind>,
}

/// The keys that `tracks` need, in the order of the tracks.
pub fn wanted(speke: &Speke, tracks: &[Track]) -> Vec<Wanted> {
    let mut keys: Vec<Wanted> = Vec::new();
    for track in tracks {
        let intended = intended(speke.preset, track);
        let known = keys.iter_mut().find(|key| key.intended == intended);
        match known {
            Some(key) => {
                key.kinds.push(track.kind);
                key.kinds.sort_unstable();
                key.kinds.dedup();
            }
            None => {
                let kid = Kid::derived(&speke.resource_id, &intended);
                keys.push(Wanted { intended, kid, kinds: vec![track.kind] });
            }
        }
    }
    keys
}

/// The place in [`wanted`] of the key of each track.
pub fn key_of_each(speke: &Speke, tracks: &[Track]) -> Vec<usize> {
    let keys = wanted(speke, tracks);
    let place = |track| {
        let intended = intended(speke.preset, track);
        keys.iter().position(|key| key.intended == intended).unwrap_or(0)
    };
    tracks.iter().map(place).collect()
}

fn intended(preset: Preset, track: &Track) -> String {
    match (preset, track.stream) {
        (Preset::OneKey, _) => "ALL".to_owned(),
        (Preset::KeyPerStream, Some(stream)) => format!("STREAM-{}", stream + 1),
        (Preset::KeyPerStream, None) if track.kind == Kind::Audio => "AUDIO".to_owned(),
        (Preset::KeyPerStream, None) => "VIDEO".to_owned(),
    }
}

/// Tracks as tests have them: two renditions and sound that they share.
#[cfg(test)]
pub(super) fn ladder() -> Vec<Track> {
    let track = |label: &str, stream, kind| Track { label: label.to_owned(), stream, kind };
    vec![
        track("video-1", Some(0), Kind::Video),
        track("video-2", Some(1), Kind::Video),
        track("audio", None, Kind::Audio),
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
        assert_eq!(names, ["STREAM-1", "STREAM-2", "AUDIO"]);
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
}
