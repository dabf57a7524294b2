//! `mps probe`: what a medium holds; a file of this machine is looked into here, the rest by the server.

use anyhow::Context as _;
use clap::Args;
use mps_core::MediaInfo;
use mps_ffmpeg::{ProbeOptions, SourceRef, Tools};
use serde_json::json;

use super::print_json;
use super::process::place::Place;
use crate::client::discover::Target;
use crate::config::Config;
use crate::tools;

/// Say what a file or a URL holds.
#[derive(Debug, Args)]
pub(super) struct Probe {
    /// A file, http(s)://…, cos://bucket/key or s3://bucket/key
    source: String,
    /// Print everything that is known, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Probe {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let place = Place::parse(&self.source);
        if let Place::File(file) = &place {
            let info = look(&self.target.local.load(None)?, file).await?;
            if self.json {
                return print_json(&serde_json::to_value(&info)?);
            }
            for line in lines(&info) {
                println!("{line}");
            }
            return Ok(());
        }
        let server = self.target.server().await?;
        let params = json!({ "InputInfo": place.as_input(&server.region)? });
        print_json(&server.call("DescribeMediaMetaData", &params).await?["MetaData"])
    }
}

/// Looks into a file of this machine, with the tools and limits of the configuration.
pub(super) async fn look(config: &Config, file: &std::path::Path) -> anyhow::Result<MediaInfo> {
    let path = std::path::absolute(file).with_context(|| format!("{} is no path", file.display()))?;
    let tools = Tools::discover(&tools::paths(config))?;
    let options = ProbeOptions { limits: tools::probe_limits(config), ..ProbeOptions::default() };
    mps_ffmpeg::probe(&tools, &SourceRef::File(path), &options)
        .await
        .with_context(|| format!("cannot look into {}", file.display()))
}

/// A medium in a few lines.
fn lines(info: &MediaInfo) -> Vec<String> {
    let seconds = |us: i64| us as f64 / 1e6;
    let mut lines = vec![format!(
        "{}  {:.3} s  {} bytes  {} kbit/s",
        info.format,
        seconds(info.duration_us),
        info.size_bytes,
        info.bit_rate_bps / 1_000
    )];
    for video in &info.video {
        let mut line = format!(
            "  #{} video  {} {}  {}x{}  {}  {:.3} fps",
            video.index,
            video.codec,
            video.profile,
            video.width,
            video.height,
            video.pixel_format,
            video.average_fps.value()
        );
        let shown = video.display_size();
        if shown != (video.width, video.height) {
            line = format!("{line}  shown {}x{}", shown.0, shown.1);
        }
        if video.rotation_degrees != 0 {
            line = format!("{line}  rotated {}°", video.rotation_degrees);
        }
        if video.field_order.is_interlaced() {
            line.push_str("  interlaced");
        }
        lines.push(line);
    }
    for audio in &info.audio {
        lines.push(format!(
            "  #{} audio  {} {}  {} Hz  {} channels  {}",
            audio.index, audio.codec, audio.profile, audio.sample_rate_hz, audio.channels, audio.language
        ));
    }
    for subtitle in &info.subtitles {
        lines.push(format!("  #{} subtitles  {}  {}", subtitle.index, subtitle.codec, subtitle.language));
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use mps_core::media_info::{AudioStream, Ratio, VideoStream};

    #[test]
    fn a_medium_is_told_in_a_line_per_stream() {
        let video = VideoStream {
            codec: "h264".into(),
            profile: "High".into(),
            width: 1280,
            height: 720,
            pixel_format: "yuv420p".into(),
            average_fps: Ratio::new(25, 1),
            rotation_degrees: 90,
            ..VideoStream::default()
        };
        let audio = AudioStream { index: 1, codec: "aac".into(), channels: 2, ..AudioStream::default() };
        let info = MediaInfo {
            format: "mp4".into(),
            duration_us: 5_280_000,
            video: vec![video],
            audio: vec![audio],
            ..MediaInfo::default()
        };
        let lines = lines(&info);
        assert_eq!(lines[0], "mp4  5.280 s  0 bytes  0 kbit/s");
        assert!(lines[1].starts_with("  #0 video  h264 High  1280x720  yuv420p  25.000 fps"), "{}", lines[1]);
        assert!(lines[1].ends_with("rotated 90°"), "{}", lines[1]);
        assert!(lines[2].ends_with("2 channels"), "{}", lines[2]);
    }
}
