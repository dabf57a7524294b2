//! A track that is mixed of several streams of the source, or of some of their channels.
//!
//! Without `ChannelsRemix` the channels of all inputs stand side by side in the order of the list, and are then brought
//! to the track's number of channels as any other sound. With it each input is heard in each channel of the track as
//! loud as its `ChannelVolume` says: a stream in the track's own layout, a single channel in all of them. Levels are
//! added up as they are. All inputs begin with the source; what ends early is silent to the end.

use std::fmt::Write as _;

use mps_core::media_info::{AudioStream, MediaInfo};
use mps_core::{Error, Result};
use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, value_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::features::transcode::params::Audio;
use crate::features::transcode::words::AudioCodec;

/// The most inputs of a track; ours, as the API names no limit.
const MOST: usize = 64;
/// The quietest and the loudest volume in decibels; the quietest is silence.
const VOLUMES_DB: (f64, f64) = (-60.0, 6.0);
/// The most channels that can stand side by side.
const MOST_CHANNELS: u32 = 8;

/// What a track is mixed of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// In the order of the list; at least one.
    pub inputs: Vec<Input>,
    /// Whether levels count, else channels stand side by side.
    pub is_remix: bool,
}

/// A stream of the source, or one channel of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Index of the stream.
    pub stream: u32,
    /// The channel, from 0; `None` is all of them.
    pub channel: Option<u32>,
    /// How loud it is in each channel of the track; empty is as it is in all of them.
    pub volumes_db: Vec<f64>,
}

/// What `TrackChannelInfo` asks of a track that is coded as `audio`: a stream as it is, or a mix and its first stream.
///
/// # Errors
/// `InvalidParameterValue` naming the member.
pub fn read(info: &Value, audio: &Audio) -> std::result::Result<(Option<u32>, Option<Mix>), ApiError> {
    let is_remix = info["ChannelsRemix"] == 1;
    let list = info["InputTrackInfo"].as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return if is_remix { Err(wrong("ChannelsRemix needs InputTrackInfo")) } else { Ok((None, None)) };
    }
    if list.len() > MOST {
        let told = format!("InputTrackInfo has {} members; {MOST} is the most", list.len());
        return Err(wrong(&told));
    }
    let by_channel = info["SelectType"] == "track_channel";
    let inputs: std::result::Result<Vec<Input>, ApiError> =
        list.iter().map(|input| read_input(input, by_channel, is_remix, audio)).collect();
    let inputs = inputs?;
    let first = inputs.first().map(|input| input.stream);
    let is_plain = inputs.len() == 1 && !by_channel && !is_remix;
    Ok((first, (!is_plain).then_some(Mix { inputs, is_remix })))
}

fn wrong(told: &str) -> ApiError {
    invalid_parameter_value(format!("TrackChannelInfo.{told}"))
}

fn read_input(
    input: &Value,
    by_channel: bool,
    is_remix: bool,
    audio: &Audio,
) -> std::result::Result<Input, ApiError> {
    let usual = if by_channel { "1.0" } else { "1" };
    let number = input["TrackNum"].as_str().unwrap_or(usual).trim();
    let (stream, channel) = match number.split_once('.') {
        Some((stream, channel)) if by_channel => (stream, Some(channel)),
        None if by_channel => (number, Some("0")),
        _ => (number, None),
    };
    let what = if by_channel { "of a stream and a channel" } else { "of a stream" };
    let unknown = || {
        let told = format!("TrackNum {number:?} is not the number {what} of the source");
        value_of("TrackNum", told)
    };
    let stream = stream.parse().map_err(|_| unknown())?;
    let channel: Option<u32> = channel.map(str::parse).transpose().map_err(|_| unknown())?;
    let most = most_channel(audio);
    if channel.is_some_and(|channel| channel > most) {
        return Err(value_of("TrackNum", format!("TrackNum {number:?}: {most} is the last channel")));
    }
    let volumes_db = volumes(&input["ChannelVolume"], is_remix, audio)?;
    Ok(Input { stream, channel, volumes_db })
}

/// The last channel that may be named.
fn most_channel(audio: &Audio) -> u32 {
    match audio {
        Audio::Encode(encode)
            if matches!(encode.codec, AudioCodec::Aac | AudioCodec::Ac3 | AudioCodec::Eac3) =>
        {
            15
        }
        _ => 63,
    }
}

fn volumes(list: &Value, is_remix: bool, audio: &Audio) -> std::result::Result<Vec<f64>, ApiError> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let all: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
    let (least, most) = VOLUMES_DB;
    if let Some(volume) = all.iter().find(|volume| !(least..=most).contains(*volume)) {
        let told = format!("InputTrackInfo.ChannelVolume {volume} is not from {least} to {most}");
        return Err(wrong(&told));
    }
    if !is_remix {
        if all.iter().any(|volume| *volume != 0.0) {
            return Err(wrong("InputTrackInfo.ChannelVolume needs ChannelsRemix 1"));
        }
        return Ok(Vec::new());
    }
    let channels = match audio {
        Audio::Encode(encode) => encode.channels,
        Audio::Copy => 0,
    };
    let (few, many) = match channels {
        0 => return Err(wrong("ChannelsRemix needs an AudioChannel of 1, 2 or 6")),
        6 => (3, 15),
        channels => (channels as usize, channels as usize),
    };
    let unheard = all.iter().skip(channels as usize);
    if !all.is_empty() && !(few..=many).contains(&all.len()) {
        let told = format!(
            "InputTrackInfo.ChannelVolume has {} volumes for an AudioChannel of {channels}",
            all.len()
        );
        return Err(wrong(&told));
    }
    if unheard.clone().any(|volume| *volume > least) {
        let told = format!("InputTrackInfo.ChannelVolume: a track of {channels} channels has no further one");
        return Err(wrong(&told));
    }
    Ok(all)
}

impl Mix {
    /// Whether the source has what is mixed.
    ///
    /// # Errors
    /// `InvalidInput` naming the number that it lacks.
    pub fn check(&self, info: &MediaInfo) -> Result<()> {
        for input in &self.inputs {
            let Some(stream) = stream_of(input, info) else {
                let known: Vec<_> = info.audio.iter().map(|audio| audio.index.to_string()).collect();
                let told = format!("the source has its sound in the streams {}", known.join(", "));
                return Err(Error::invalid(format!("TrackNum {}: {told}", input.stream)));
            };
            if let Some(channel) = input.channel.filter(|channel| *channel >= stream.channels) {
                let told = format!("the stream has {} channels, counted from 0", stream.channels);
                return Err(Error::invalid(format!("TrackNum {}.{channel}: {told}", input.stream)));
            }
        }
        let channels = self.channels(info);
        if !self.is_remix && channels > MOST_CHANNELS {
            let told =
                format!("InputTrackInfo has {channels} channels side by side; {MOST_CHANNELS} is the most");
            return Err(Error::invalid(told));
        }
        Ok(())
    }

    /// How many channels its inputs have together.
    pub fn channels(&self, info: &MediaInfo) -> u32 {
        self.inputs.iter().map(|input| width(input, info)).sum()
    }

    /// What comes out of [`Mix::graph`] for a track of `channels`.
    pub fn form(&self, channels: u32, info: &MediaInfo) -> AudioStream {
        let rates = self.inputs.iter().filter_map(|input| stream_of(input, info));
        AudioStream {
            sample_rate_hz: rates.map(|stream| stream.sample_rate_hz).max().unwrap_or(48_000),
            channels: if self.is_remix { channels } else { self.channels(info) },
            ..AudioStream::default()
        }
    }

    /// The graph from the streams of the source on; `nth` tells it from others, `last` is the chain that it ends with,
    /// and its pad.
    pub fn graph(&self, channels: u32, info: &MediaInfo, nth: usize, last: &str) -> String {
        let form = self.form(channels, info);
        let layout = layout(form.channels);
        let (mut chains, mut pads, mut before) = (Vec::new(), String::new(), 0);
        for (input, number) in self.inputs.iter().zip(0..) {
            // A stream of one channel is heard in all of them as loud as it is; bringing it to a layout would lower it.
            let is_one = width(input, info) == 1;
            let input = &Input { channel: input.channel.or(is_one.then_some(0)), ..input.clone() };
            let matrix = self.matrix(input, form.channels, before, width(input, info));
            let conform = match input.channel {
                None if self.is_remix => format!("aformat=sample_fmts=fltp:channel_layouts={layout}"),
                _ => "aformat=sample_fmts=fltp".to_owned(),
            };
            before += width(input, info);
            chains.push(format!(
                "[0:{}]aresample={}:async=1:min_hard_comp=0.02:first_pts=0,{conform},pan={layout}|{matrix}[mix{nth}-{number}]",
                input.stream, form.sample_rate_hz
            ));
            let _ = write!(pads, "[mix{nth}-{number}]");
        }
        let count = self.inputs.len();
        let sum = format!("{pads}amix=inputs={count}:duration=longest:normalize=0,{last}");
        chains.push(if count == 1 { format!("{pads}{last}") } else { sum });
        chains.join(";")
    }

    /// What each of the `channels` that come out takes of an input of `width` channels, behind `before` others.
    fn matrix(&self, input: &Input, channels: u32, before: u32, width: u32) -> String {
        let part = |out: u32| {
            let own = if self.is_remix { 0..channels } else { before..before + width };
            if !own.contains(&out) {
                return format!("c{out}=0*c0");
            }
            let from = input.channel.unwrap_or(out - own.start);
            let volume_db = match input.volumes_db.get(out as usize) {
                Some(volume_db) => *volume_db,
                None if input.volumes_db.is_empty() => 0.0,
                None => VOLUMES_DB.0,
            };
            let gain = if volume_db <= VOLUMES_DB.0 { 0.0 } else { 10_f64.powf(volume_db / 20.0) };
            format!("c{out}={gain:.6}*c{from}")
        };
        (0..channels).map(part).collect::<Vec<_>>().join("|")
    }
}

fn stream_of<'a>(input: &Input, info: &'a MediaInfo) -> Option<&'a AudioStream> {
    info.audio.iter().find(|audio| audio.index == input.stream)
}

/// How many channels an input has.
fn width(input: &Input, info: &MediaInfo) -> u32 {
    if input.channel.is_some() { 1 } else { stream_of(input, info).map_or(0, |stream| stream.channels) }
}

/// The layout of so many channels, by ffmpeg's name.
fn layout(channels: u32) -> &'static str {
    match channels {
        0 | 1 => "mono",
        2 => "stereo",
        3 => "3.0",
        4 => "quad",
        5 => "5.0",
        6 => "5.1",
        7 => "6.1",
        _ => "7.1",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::features::transcode::params::AudioEncode;
    use crate::features::transcode::testing::{film, info};

    fn audio(channels: u32) -> Audio {
        let (language, title) = (None, None);
        let codec = AudioCodec::Aac;
        Audio::Encode(AudioEncode {
            codec,
            bitrate_bps: 64_000,
            sample_rate_hz: 0,
            channels,
            language,
            title,
        })
    }

    fn two() -> MediaInfo {
        let mut source = info(film(640, 360));
        source.audio.push(AudioStream { index: 2, channels: 1, ..source.audio[0].clone() });
        source
    }

    fn graph(info: &Value, channels: u32) -> String {
        let (_, mix) = read(info, &audio(channels)).unwrap();
        let mix = mix.expect("a mix");
        mix.check(&two()).unwrap();
        mix.graph(channels, &two(), 3, "anull[out]")
    }

    #[test]
    fn volumes_say_how_loud_each_is_in_each_channel() {
        let inputs =
            json!([{"TrackNum": "1", "ChannelVolume": [6, -60]}, {"TrackNum": "2", "ChannelVolume": [0, 0]}]);
        let start = "aresample=48000:async=1:min_hard_comp=0.02:first_pts=0,aformat=sample_fmts=fltp";
        assert_eq!(
            graph(&json!({"ChannelsRemix": 1, "InputTrackInfo": inputs}), 2),
            format!(
                "[0:1]{start}:channel_layouts=stereo,pan=stereo|c0=1.995262*c0|c1=0.000000*c1[mix3-0];\
                 [0:2]{start},pan=stereo|c0=1.000000*c0|c1=1.000000*c0[mix3-1];\
                 [mix3-0][mix3-1]amix=inputs=2:duration=longest:normalize=0,anull[out]"
            )
        );
        let one = json!({"SelectType": "track_channel", "ChannelsRemix": 1,
            "InputTrackInfo": [{"TrackNum": "1.1", "ChannelVolume": [-6.5]}]});
        assert!(
            graph(&one, 1).contains("pan=mono|c0=0.473151*c1[mix3-0];[mix3-0]anull"),
            "{}",
            graph(&one, 1)
        );
    }

    #[test]
    fn without_levels_channels_stand_side_by_side() {
        let text = graph(&json!({"InputTrackInfo": [{"TrackNum": "1"}, {"TrackNum": "2"}]}), 2);
        assert!(text.contains("pan=3.0|c0=1.000000*c0|c1=1.000000*c1|c2=0*c0[mix3-0]"), "{text}");
        assert!(text.contains("pan=3.0|c0=0*c0|c1=0*c0|c2=1.000000*c0[mix3-1]"), "{text}");
        let swapped = json!({"SelectType": "track_channel",
            "InputTrackInfo": [{"TrackNum": "1.1"}, {"TrackNum": "1.0"}]});
        let text = graph(&swapped, 2);
        assert!(text.contains("pan=stereo|c0=1.000000*c1|c1=0*c0"), "{text}");
        assert!(text.contains("pan=stereo|c0=0*c0|c1=1.000000*c0"), "{text}");
    }

    #[test]
    fn one_stream_as_it_is_needs_no_mix() {
        let plain =
            json!({"SelectType": "track", "InputTrackInfo": [{"TrackNum": "2", "ChannelVolume": [0, 0]}]});
        assert_eq!(read(&plain, &audio(2)).unwrap(), (Some(2), None));
        assert_eq!(read(&Value::Null, &audio(2)).unwrap(), (None, None));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let remix =
            |volumes: Value| json!({"ChannelsRemix": 1, "InputTrackInfo": [{"ChannelVolume": volumes}]});
        for (info, channels, word) in [
            (json!({"ChannelsRemix": 1}), 2, "InputTrackInfo"),
            (remix(json!([0, 7])), 2, "ChannelVolume 7"),
            (remix(json!([0])), 2, "AudioChannel of 2"),
            (remix(json!([0, 0])), 0, "AudioChannel"),
            (remix(json!([0, 0, 0, 0, 0, 0, 0])), 6, "no further one"),
            (json!({"InputTrackInfo": [{"ChannelVolume": [1]}]}), 1, "ChannelsRemix"),
            (json!({"InputTrackInfo": [{"TrackNum": "1.0"}]}), 2, "TrackNum"),
            (json!({"SelectType": "track_channel", "InputTrackInfo": [{"TrackNum": "1.16"}]}), 2, "15"),
        ] {
            let told = read(&info, &audio(channels)).unwrap_err();
            assert!(told.code.starts_with("InvalidParameterValue"), "{told:?}");
            assert!(told.message.contains(word), "{told:?}");
        }
        assert!(read(&remix(json!([-60, 0, 0, 6])), &audio(6)).is_ok());
        let of = |inputs: Value| {
            let info = json!({"SelectType": "track_channel", "InputTrackInfo": inputs});
            let mix = read(&info, &audio(2)).unwrap().1.unwrap();
            mix.check(&two()).unwrap_err().message().to_owned()
        };
        assert!(of(json!([{"TrackNum": "2.1"}])).contains("TrackNum 2.1: the stream has 1"));
        assert!(of(json!([{"TrackNum": "1.0"}, {"TrackNum": "7.0"}])).contains("TrackNum 7"));
    }
}
